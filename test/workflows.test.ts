/** The workflows of GitHub Actions cannot run here; they are linted, pinned, and call make targets that exist. */

import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { linter } from './support/linter.ts';

const ROOT = resolve(import.meta.dirname, '..');
const FOLDER = join(ROOT, '.github', 'workflows');
const files = readdirSync(FOLDER);
const makefile = readFileSync(join(ROOT, 'Makefile'), 'utf8');
const actionlint = linter('actionlint');

it.skipIf(actionlint === undefined)('actionlint finds nothing', () => {
  const args = ['-no-color', '-shellcheck=', ...files.map((file) => join(FOLDER, file))];
  expect(execFileSync(actionlint ?? '', args, { encoding: 'utf8', cwd: ROOT })).toBe('');
});

describe.each(files)('%s', (file) => {
  const text = readFileSync(join(FOLDER, file), 'utf8');

  it('pins every action of others to a commit, with its version', () => {
    for (const [, use = ''] of text.matchAll(/uses: (.+)/g)) {
      expect(use).toMatch(/^(?:\.\/.+|[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)$/);
      if (use.startsWith('./')) expect(existsSync(join(ROOT, use))).toBe(true);
    }
  });

  it('calls only make targets that there are', () => {
    for (const [, target = ''] of text.matchAll(/\bmake ([a-z-]+)/g)) {
      expect(makefile).toMatch(new RegExp(`^${target}:`, 'm'));
    }
  });

  it('may do nothing that it does not name', () => {
    expect(text).toMatch(/^permissions:\n {2}contents: read$/m);
  });
});

it('the changelog has a section for the version of the package', () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    readonly version: string;
  };
  expect(readFileSync(join(ROOT, 'CHANGELOG.md'), 'utf8')).toContain(`\n## ${version}\n`);
});
