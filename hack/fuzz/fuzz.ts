/**
 * Fuzzes the records API with schemathesis against its own OpenAPI document: nothing may answer 5xx, and every answer
 * must be as the document says. The API server behind it is the fake one, so nothing but Python is needed.
 *
 *   node hack/fuzz/fuzz.ts [seconds, default 60] [seed]
 */

import { execFile, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SERVED_TABLES } from '../../src/server/docker/catalogue-tables.ts';
import { catalogueOperations, IMAGE_OPERATIONS } from '../../src/server/docker/operations.ts';
import { openApiDocument } from '../../src/server/openapi.ts';
import { VERSION } from '../../src/version.ts';
import { caller } from '../../test/support/http-server.ts';
import { RecordsApi } from '../../test/support/records-api.ts';

const ROOT = join(import.meta.dirname, '../..');
const VENV = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'larder', 'schemathesis');
const REPORTS = join(ROOT, 'reports', 'fuzz');
const TOKEN = 'token-of-admin';

/** What is checked. Left out: that whatever the schema takes is accepted, because names must be in the catalogue. */
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
  'negative_data_rejection',
  'unsupported_method',
  'allow_header_conformance',
  'ignored_auth',
];

async function installSchemathesis(): Promise<string> {
  const program = join(VENV, 'bin', 'schemathesis');
  const run = promisify(execFile);
  if (!existsSync(program)) {
    await run('python3', ['-m', 'venv', VENV]);
    await run(join(VENV, 'bin', 'pip'), [
      'install',
      '--quiet',
      '-r',
      join(import.meta.dirname, 'requirements.txt'),
    ]);
  }
  return program;
}

async function startFacade(): Promise<RecordsApi> {
  const facade = await RecordsApi.start();
  facade.served.reviews.tokens.set(TOKEN, caller('admin'));
  const cases = readFileSync(join(ROOT, 'test/cases/data/ufdl-pushsource-cases.json'), 'utf8');
  const { ufdl } = JSON.parse(cases) as { ufdl: { catalogue: { dockerImages: readonly object[] } } };
  await facade.importImages(ufdl.catalogue.dockerImages);
  return facade;
}

async function writeDocument(): Promise<string> {
  const operations = [...IMAGE_OPERATIONS, ...SERVED_TABLES.flatMap(catalogueOperations)];
  const document = openApiDocument(operations, { version: VERSION, anonymousRead: false });
  await mkdir(REPORTS, { recursive: true });
  const path = join(REPORTS, 'openapi.json');
  await writeFile(path, JSON.stringify(document, null, 2));
  return path;
}

function run(program: string, argv: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    // Its own cache of examples would make runs depend on earlier ones.
    const child = spawn(program, argv, { stdio: 'inherit', cwd: REPORTS });
    child.once('error', reject);
    child.once('exit', (code) => {
      resolve(code ?? 1);
    });
  });
}

const [seconds = '60', seed = String(Math.floor(performance.timeOrigin % 1_000_000))] = process.argv.slice(2);
const program = await installSchemathesis();
await using facade = await startFacade();
const document = await writeDocument();
process.exitCode = await run(program, [
  'run',
  document,
  ...['--url', facade.served.url, '--header', `Authorization: Bearer ${TOKEN}`],
  ...['--checks', CHECKS.join(','), '--phases', 'examples,coverage,fuzzing'],
  ...['--max-time', seconds, '--seed', seed, '--continue-on-failure', '--no-color'],
]);
const broken = facade.served.log.lines.filter(({ message }) => message === 'a route failed');
for (const { fields } of broken) process.stderr.write(`a route failed: ${JSON.stringify(fields)}\n`);
if (broken.length > 0) process.exitCode = 1;
