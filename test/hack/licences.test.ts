import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { bundledPackages, licenceList, packageFolder } from '../../hack/licences.ts';

const ROOT = resolve(import.meta.dirname, '../..');

it.each([
  ['node_modules/zod/v4/core.js', 'node_modules/zod'],
  ['node_modules/@dot-i/k8s-operator/dist/index.js', 'node_modules/@dot-i/k8s-operator'],
  ['node_modules/a/node_modules/b/index.js', 'node_modules/a/node_modules/b'],
  ['src/main.ts', undefined],
])('%s belongs to %s', (path, folder) => {
  expect(packageFolder(path)).toBe(folder);
});

it('lists each package of a bundle once, with the text of its licence', async () => {
  const inputs = new Map([
    ['node_modules/zod/index.js', 10],
    ['node_modules/zod/v4/core.js', 10],
    ['node_modules/semver/index.js', 10],
    ['node_modules/undici/index.js', 0],
    ['src/main.ts', 10],
  ]);
  const packages = await bundledPackages(ROOT, inputs);
  expect(packages.map(({ name, licence }) => [name, licence])).toEqual([
    ['semver', 'ISC'],
    ['zod', 'MIT'],
  ]);
  const list = licenceList(packages);
  expect(list).toMatch(/^semver \d+\.\d+\.\d+: ISC$/m);
  expect(list).toContain('Permission is hereby granted');
});
