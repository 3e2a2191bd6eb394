/** What is generated is what src/api and src/options.ts say; `make generate` brings it up to date. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { generatedFiles } from '../../hack/generate.ts';

const root = new URL('../../', import.meta.url);

test.each([...generatedFiles()])('%s is fresh', (path, text) => {
  expect(readFileSync(new URL(path, root), 'utf8')).toBe(text);
});

test.each(['crds', 'docs/spec/fields'])('%s holds nothing else', (folder) => {
  const generated = [...generatedFiles().keys()].filter((path) => path.startsWith(`${folder}/`));
  const found = readdirSync(new URL(folder, root)).map((name) => `${folder}/${name}`);
  expect(found.sort()).toEqual(generated.sort());
});
