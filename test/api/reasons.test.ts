import { globSync, readFileSync } from 'node:fs';
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

test('no reason is explained that nothing gives', () => {
  const files = globSync('src/**/*.ts').filter((file) => file !== 'src/api/reasons.ts');
  const given = new Set(files.flatMap((file) => readFileSync(file, 'utf8').match(/'[A-Z][A-Za-z]+'/g) ?? []));
  const unused = LISTS.flatMap(([, list]) => list).filter(({ reason }) => !given.has(`'${reason}'`));
  expect(unused).toEqual([]);
});

test('every reason of an Event is explained', () => {
  const events = /type: '(?:Normal|Warning)', reason: '(?<reason>\w+)'/g;
  const files = globSync('src/**/*.ts').map((file) => readFileSync(file, 'utf8'));
  const given = files.flatMap((text) => [...text.matchAll(events)].map(({ groups }) => groups?.['reason']));
  const known = new Set<string | undefined>(LISTS.flatMap(([, list]) => list).map(({ reason }) => reason));
  expect(given.length).toBeGreaterThan(1);
  expect(given.filter((reason) => !known.has(reason))).toEqual([]);
});

test('every kind is Ready or not', () => {
  for (const types of Object.values(reasons.CONDITIONS)) expect(types).toContain('Ready');
});
