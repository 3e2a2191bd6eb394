import { describe, expect, it } from 'vitest';
import { highestPk, pkOf, readPk } from '../../src/api/record-counter.ts';
import { dockerImageRecord } from '../support/builders.ts';

function record(label: string | undefined, pk?: number) {
  const labels = label === undefined ? {} : { 'larder.dev/pk': label };
  return dockerImageRecord({ metadata: { name: 'a', labels }, ...(pk !== undefined && { status: { pk } }) });
}

describe('the pk of a record', () => {
  it('is what the status says, else what the label says', () => {
    expect(pkOf(record('7', 9))).toBe(9);
    expect(pkOf(record('7'))).toBe(7);
    expect(pkOf(record(undefined))).toBeUndefined();
  });

  it.each(['0', '-1', '07', '1.5', '1e3', ' 7', 'seven', '', '99999999999999999'])('is not %j', (text) => {
    expect(readPk(text)).toBeUndefined();
  });

  it('gives the floor of a lost counter', () => {
    expect(highestPk([record('7'), record(undefined, 24), record('x')])).toBe(24);
    expect(highestPk([])).toBe(0);
  });
});
