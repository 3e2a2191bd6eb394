/** schemathesis in a virtual environment of its own, and one run of it. */

import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { RecordingLog } from '../../test/support/http-server.ts';

const VENV = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'larder', 'schemathesis');
/** EX_TEMPFAIL: nothing was tested, for reasons that are not ours. */
const CANNOT_INSTALL = 75;
const TOKEN_VARIABLE = 'LARDER_FUZZ_TOKEN';

/** What every document is checked for. */
export const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_schema_conformance',
  'unsupported_method',
  'allow_header_conformance',
  'ignored_auth',
];

/** Headers of the command line could be read by everybody on the machine. A body that is too long is refused, too. */
const CONFIGURATION = `
[headers]
Authorization = "Bearer \${${TOKEN_VARIABLE}}"

[checks.negative_data_rejection]
expected-statuses = [400, 401, 403, 404, 405, 409, 413, 415, 429]
`;

/** Path of the program; installed from PyPI the first time. Ends the process with 75 where there is no PyPI. */
export async function installSchemathesis(): Promise<string> {
  const program = join(VENV, 'bin', 'schemathesis');
  if (existsSync(program)) return program;
  const run = promisify(execFile);
  try {
    await run('python3', ['-m', 'venv', VENV]);
    const requirements = join(import.meta.dirname, 'requirements.txt');
    await run(join(VENV, 'bin', 'pip'), ['install', '--quiet', '-r', requirements]);
  } catch (error) {
    process.stderr.write(`schemathesis cannot be installed: ${String(error)}\n`);
    process.exit(CANNOT_INSTALL);
  }
  return program;
}

export interface FuzzRun {
  /** Where it writes; its cache of examples would make runs depend on others. */
  readonly folder: string;
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
  const { folder, document, url, token, checks, seconds, seed } = options;
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'schemathesis.toml'), CONFIGURATION);
  const argv = [
    'run',
    document,
    ...['--url', url],
    ...['--checks', checks.join(','), '--phases', 'examples,coverage,fuzzing'],
    ...['--max-time', String(Math.ceil(seconds)), '--seed', seed],
    ...['--continue-on-failure', '--no-color', '--warnings', 'off'],
  ];
  return new Promise((resolve, reject) => {
    const env = { ...process.env, [TOKEN_VARIABLE]: token };
    const child = spawn(program, argv, { stdio: 'inherit', cwd: folder, env });
    child.once('error', reject);
    child.once('exit', (code) => {
      resolve(code ?? 1);
    });
  });
}

/** Errors within, which an answer need not show. */
export function reportBroken({ lines }: RecordingLog): void {
  const broken = lines.filter(({ message }) => message === 'a route failed');
  for (const { fields } of broken) process.stderr.write(`a route failed: ${JSON.stringify(fields)}\n`);
  if (broken.length > 0) process.exitCode = 1;
}
