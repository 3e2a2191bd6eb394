/** The sources as Node runs them, without a bundle and without the loader of the tests. */

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
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

  it('waits between attempts, and says at last why nothing was found', { timeout: 60_000 }, async () => {
    const nobody = '127.0.0.1:1/team/app:1';
    await expect(run(process.execPath, [MAIN, 'inspect', nobody])).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('the connection failed (ECONNREFUSED)') as string,
    });
  });

  it('ends without a word, as by SIGPIPE, when nobody reads on', { timeout: 30_000 }, async () => {
    const child = spawn(process.execPath, [MAIN, 'crds'], { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    expect(await once(child, 'close')).toEqual([141, null]);
    expect(said).toBe('');
  });
});
