/** schemathesis in a virtual environment of its own, and one run of it. */

import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const VENV = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'larder', 'schemathesis');
export const REPORTS = join(import.meta.dirname, '../../reports/fuzz-reading');

/** Path of the program; installed from PyPI the first time. */
export async function installSchemathesis(): Promise<string> {
  const program = join(VENV, 'bin', 'schemathesis');
  if (existsSync(program)) return program;
  const run = promisify(execFile);
  await run('python3', ['-m', 'venv', VENV]);
  const requirements = join(import.meta.dirname, 'requirements.txt');
  await run(join(VENV, 'bin', 'pip'), ['install', '--quiet', '-r', requirements]);
  return program;
}

export interface FuzzRun {
  /** File or URL of the OpenAPI document. */
  readonly document: string;
  readonly url: string;
  readonly token: string;
  readonly checks: readonly string[];
  readonly seconds: number;
  readonly seed: string;
}

/** The exit code. */
export async function fuzz(program: string, options: FuzzRun): Promise<number> {
  await mkdir(REPORTS, { recursive: true });
  const { document, url, token, checks, seconds, seed } = options;
  const argv = [
    'run',
    document,
    ...['--url', url, '--header', `Authorization: Bearer ${token}`],
    ...['--checks', checks.join(','), '--phases', 'examples,coverage,fuzzing'],
    ...['--max-time', String(seconds), '--seed', seed],
    ...['--continue-on-failure', '--no-color', '--warnings', 'off'],
  ];
  return new Promise((resolve, reject) => {
    // Its own cache of examples would make runs depend on earlier ones.
    const child = spawn(program, argv, { stdio: 'inherit', cwd: REPORTS });
    child.once('error', reject);
    child.once('exit', (code) => {
      resolve(code ?? 1);
    });
  });
}
