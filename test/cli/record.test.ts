import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CATALOGUE_NAME } from '../../src/api/catalogue.ts';
import { type CliInput, type CliRun, larder } from '../support/cli-io.ts';
import { type KubeconfigFile, kubeconfigFile } from '../support/operator-options.ts';
import {
  OPERATOR_NAMESPACE,
  RECORDS_NAMESPACE,
  RecordsApi,
  shippedCatalogueData,
} from '../support/records-api.ts';

type Image = Readonly<Record<string, unknown>> & { readonly pk: number };

const { ufdl } = JSON.parse(
  readFileSync(join(import.meta.dirname, '../cases/data/ufdl-pushsource-cases.json'), 'utf8'),
) as { readonly ufdl: { readonly catalogue: { readonly dockerImages: readonly Image[] } } };
const IMAGES = ufdl.catalogue.dockerImages;
const [FIRST, SECOND] = IMAGES as readonly [Image, Image];
const CONFIG_MAPS = { group: '', version: 'v1', plural: 'configmaps' };
const PLANTED = 'planted-pa55';

interface Row {
  readonly pk: number | null;
  readonly result: string;
  readonly note: string;
}

let facade: RecordsApi;
let kubeconfig: KubeconfigFile;
beforeEach(async () => {
  facade = await RecordsApi.start();
  facade.api.store.put(CONFIG_MAPS, {
    metadata: { namespace: OPERATOR_NAMESPACE, name: CATALOGUE_NAME },
    data: shippedCatalogueData(),
  });
  kubeconfig = await kubeconfigFile(facade.api);
});
afterEach(async () => {
  await kubeconfig[Symbol.asyncDispose]();
  await facade[Symbol.asyncDispose]();
});

function record(argv: readonly string[], input: CliInput = {}): Promise<CliRun> {
  return larder(['record', ...argv, '-n', RECORDS_NAMESPACE, '--kubeconfig', kubeconfig.path], input);
}

async function importRows(images: readonly object[], ...flags: readonly string[]): Promise<readonly Row[]> {
  const files = { 'images.json': JSON.stringify(images) };
  const { out } = await record(['import', 'images.json', '-o', 'json', ...flags], { files });
  return JSON.parse(out) as readonly Row[];
}

async function listed(): Promise<readonly Image[]> {
  const response = await facade.served.fetchAs('admin', '/v1/docker/list', { method: 'POST' });
  return (await response.json()) as readonly Image[];
}

describe('larder record import', () => {
  it('takes over the shipped images with their keys, and they are served as they were', async () => {
    const files = { 'images.json': JSON.stringify(IMAGES) };
    const { code, out, error } = await record(['import', 'images.json'], { files });
    expect({ code, error }).toEqual({ code: 0, error: '' });
    expect(out).toMatch(/^1 +mmclassification +0\.23\.1 +created +-$/m);
    expect(await listed()).toEqual(IMAGES);
  });

  it('changes nothing the second time', async () => {
    await importRows(IMAGES);
    const before = facade.api.store.version;
    const rows = await importRows(IMAGES);
    expect(new Set(rows.map(({ result }) => result))).toEqual(new Set(['unchanged']));
    expect(facade.api.store.version).toBe(before);
  });

  it('compares no logins that the export does not tell', async () => {
    await importRows(IMAGES);
    const masked = IMAGES.map((image) => ({ ...image, registry_username: null, registry_password: null }));
    expect((await importRows(masked)).every(({ result }) => result === 'unchanged')).toBe(true);
  });

  it('writes nothing with --dry-run', async () => {
    const rows = await importRows(IMAGES, '--dry-run');
    expect(rows.every(({ result }) => result === 'created')).toBe(true);
    expect(facade.records()).toEqual([]);
  });

  it.each<[string, readonly object[], string]>([
    ['another pk', [FIRST, { ...FIRST, pk: 99 }], 'name and version come twice'],
    ['the same pk', [FIRST, { ...SECOND, pk: 1 }], 'pk 1 comes twice'],
    [
      'a framework we lack',
      [{ ...FIRST, framework: { pk: 9, name: 'jax', version: '1' } }],
      'framework: the catalogue has no row for jax 1',
    ],
    [
      'a domain we lack',
      [{ ...FIRST, domain: 'Weather' }],
      'domain: Object with name=Weather does not exist.',
    ],
    ['no pk', [{ ...FIRST, pk: null }], 'it has no pk'],
    ['no object', ['yolo' as unknown as object], 'it is not an object'],
    [
      'a reference that cannot be pulled',
      [{ ...FIRST, url: 'nginx' }],
      'url: image must begin with the registry',
    ],
  ])('refuses %s, and says why', async (_, images, note) => {
    const rows = await importRows(images);
    expect(rows.at(-1)).toMatchObject({ result: 'refused' });
    expect(rows.at(-1)?.note).toContain(note);
  });

  it('refuses what is there with other values, and ends with 1', async () => {
    await importRows([FIRST, SECOND]);
    const changed = [
      { ...FIRST, licence: 'MIT', registry_password: PLANTED },
      { ...SECOND, pk: 7 },
      { ...IMAGES[2], pk: 2 },
    ];
    const files = { 'images.json': JSON.stringify(changed) };
    const { code, out, error } = await record(['import', 'images.json'], { files });
    expect(code).toBe(1);
    expect(error).toBe('larder: 3 of 3 images were refused\n');
    expect(out).toContain('the record is there and differs in registry_password, licence');
    expect(out).toContain('the record is there with pk 2');
    expect(out).toContain('pk 2 is taken by mmclassification 0.25.0');
    expect(out).not.toContain(PLANTED);
  });

  it('notes numbers of the catalogue that are others there', async () => {
    const framework = { pk: 77, name: 'mmclassification', version: '0.23.1' };
    expect(await importRows([{ ...FIRST, framework }])).toMatchObject([
      { result: 'created', note: 'framework 77 is 2 here' },
    ]);
  });

  it.each([
    ['{', 'not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)'],
    ['{}', 'not a list of images'],
  ])('takes %s for bad input', async (text, problem) => {
    const { code, error } = await record(['import', '-'], { stdin: text });
    expect({ code, error }).toEqual({ code: 2, error: `larder: -: ${problem}\n` });
  });

  it('needs a catalogue', async () => {
    facade.api.store.delete(CONFIG_MAPS, `${OPERATOR_NAMESPACE}/${CATALOGUE_NAME}`);
    const { code, error } = await record(['import', '-'], { stdin: '[]' });
    expect(code).toBe(1);
    expect(error).toContain('ConfigMap larder-system/larder-catalogue does not exist');
  });
});

describe('larder record import from a server', () => {
  let server: Server;
  let url: string;
  let seen: IncomingMessage[];
  beforeEach(async () => {
    seen = [];
    server = createServer((request, response) => {
      seen.push(request);
      if (request.url?.startsWith('/elsewhere') === true)
        response.writeHead(302, { location: '/v1/docker/list' }).end();
      else if (request.headers.authorization !== 'Bearer t0ken') response.writeHead(401).end();
      else response.end(JSON.stringify([FIRST]));
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => server.close());

  it.each<[string, readonly string[], CliInput]>([
    ['the environment', [], { environment: { LARDER_UFDL_TOKEN: 't0ken' } }],
    ['a file', ['--token-file', 'token'], { files: { token: 't0ken\n' } }],
  ])('lists by POST with a token from %s', async (_, flags, input) => {
    const { code, out } = await record(['import', `${url}/v1/docker/list`, ...flags], input);
    expect(code).toBe(0);
    expect(out).toContain('created');
    expect(seen.map(({ method }) => method)).toEqual(['POST']);
  });

  it('says what to do without one', async () => {
    const { code, error } = await record(['import', `${url}/v1/docker/list`]);
    expect(code).toBe(1);
    expect(error).toContain(
      'answered 401; put a token of that server into LARDER_UFDL_TOKEN or --token-file',
    );
  });

  it('follows no redirect', async () => {
    const { code, error } = await record(['import', `${url}/elsewhere/images.json`]);
    expect({ code, seen: seen.length }).toEqual({ code: 1, seen: 1 });
    expect(error).toContain('/elsewhere/images.json failed');
  });

  it.each([
    ['http://ufdl.example.org/v1/docker/list', 'the token would be sent in the clear; use https'],
    ['https://me:secret@ufdl.example.org/v1/docker/list', 'holds a login'],
  ])('sends no token to %s', async (address, problem) => {
    const environment = { LARDER_UFDL_TOKEN: 't0ken' };
    const { code, error } = await record(['import', address], { environment });
    expect(code).toBe(2);
    expect(error).toContain(problem);
    expect(error).not.toContain('secret@');
  });
});

describe('larder record export', () => {
  it('writes what was imported, without logins unless asked', async () => {
    await importRows(IMAGES);
    const masked = IMAGES.map((image) => ({ ...image, registry_username: null, registry_password: null }));
    expect(JSON.parse((await record(['export'])).out)).toEqual(masked);
    expect(JSON.parse((await record(['export', '--with-credentials'])).out)).toEqual(IMAGES);
  });

  it('prints a table for people', async () => {
    await importRows([FIRST]);
    const { out } = await record(['export', '-o', 'table']);
    expect(out.split('\n')[0]).toMatch(/^PK +NAME +VERSION +URL$/);
  });
});
