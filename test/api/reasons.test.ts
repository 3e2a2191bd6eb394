import { expect, test } from 'vitest';
import * as reasons from '../../src/api/reasons.ts';
import { REGISTRY_REASONS as KNOWN_TO_REGISTRY } from '../../src/registry/reasons.ts';

const LISTS = Object.entries(reasons).filter(([name]) => name.endsWith('_REASONS')) as readonly (readonly [
  string,
  readonly reasons.ReasonDoc[],
])[];

test.each(LISTS)('%s are CamelCase, unique, and explained in one sentence', (_, list) => {
  for (const { reason, doc } of list) {
    expect(reason).toMatch(/^[A-Z][A-Za-z]{1,63}$/);
    expect(doc).toMatch(/^[A-Za-z].*\.$/);
  }
  expect(new Set(list.map(({ reason }) => reason)).size).toBe(list.length);
});

test('the registry client and the API know the same reasons', () => {
  expect(reasons.REGISTRY_REASONS.map(({ reason }) => reason)).toEqual([...KNOWN_TO_REGISTRY]);
});

test('every kind is Ready or not', () => {
  for (const types of Object.values(reasons.CONDITIONS)) expect(types).toContain('Ready');
});
