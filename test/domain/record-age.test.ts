import { describe, expect, it } from 'vitest';
import { compareAge } from '../../src/domain/record-age.ts';

const OLD = { creationTimestamp: '2026-01-01T00:00:00Z', uid: 'z' };
const NEW = { creationTimestamp: '2026-01-01T00:00:01Z', uid: 'a' };

describe('the age of records', () => {
  it('is their time of creation', () => {
    expect(compareAge(OLD, NEW)).toBeLessThan(0);
    expect(compareAge(NEW, OLD)).toBeGreaterThan(0);
  });

  it('is their uid if they were made in the same second', () => {
    expect(compareAge({ ...OLD, uid: 'a' }, OLD)).toBeLessThan(0);
    expect(compareAge(OLD, OLD)).toBe(0);
  });
});
