/** The sources as Node runs them, without a bundle and without the loader of the tests. */

import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const MAIN = resolve(import.meta.dirname, '../src/main.ts');
const run = promisify(execFile);

/** The operator, and the verb that loads all verbs. */
const VERBS = ['run', 'completion'];

describe('node src/main.ts', () => {
  it.each(VERBS)('%s --help', { timeout: 30_000 }, async (verb) => {
    const { stdout, stderr } = await run(process.execPath, [MAIN, verb, '--help']);
    expect(stdout).toContain(`Usage: larder ${verb}`);
    expect(stderr).toBe('');
  });

  it('ends with 2 for a verb that there is not', { timeout: 30_000 }, async () => {
    await expect(run(process.execPath, [MAIN, 'fetch'])).rejects.toMatchObject({ code: 2 });
  });
});
