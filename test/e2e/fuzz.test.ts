/** Half a minute of what `make fuzz` does for as long as it is told. */

import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const PROGRAM = resolve(import.meta.dirname, '../../hack/fuzz/fuzz.ts');
const CANNOT_INSTALL = 75;

interface Failure {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

it('the records API answers no 5xx, and nothing that its document does not say', async (context) => {
  const run = promisify(execFile)(process.execPath, [PROGRAM, '30', '1'], { maxBuffer: 64 * 1024 * 1024 });
  const failure = await run.then(
    ({ stdout }) => {
      expect(stdout).toMatch(/No issues found/);
      // Not only refusals: images were made, changed and deleted.
      for (const answer of ['POST 201', 'PATCH 200', 'DELETE 204']) expect(stdout).toContain(answer);
    },
    (error: unknown) => error as Failure,
  );
  if (failure?.code === CANNOT_INSTALL) context.skip(failure.stderr.split('\n')[0]);
  expect(failure && `${failure.stdout}\n${failure.stderr}`).toBeUndefined();
});
