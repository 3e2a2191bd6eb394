/** The generated CRDs on a real API server: what is accepted, what is refused with which words, what kubectl shows. */
import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { Cluster } from '../../hack/dev-cluster/cluster.ts';
import { CATALOGUE_NAME, readCatalogue } from '../../src/api/catalogue.ts';
import { DEFINITIONS, rootSchema } from '../../src/api/crd.ts';
import type { KindDefinition } from '../../src/api/crd-definition.ts';
import { API_VERSION, type Kind, PLURALS } from '../../src/api/group-version.ts';
import { FULL_OBJECTS, SOURCE_RECORD } from '../support/full-objects.ts';
import { type Json, valueAt, withValue } from '../support/json-paths.ts';
import { maximal } from '../support/maximal-objects.ts';
import { type Answer, RawApi, refusalOf } from '../support/raw-api.ts';
import { boundViolations, ruleViolations } from '../support/schema-violations.ts';

let cluster: Cluster;
let api: RawApi;

beforeAll(async () => {
  cluster = await Cluster.start();
  await cluster.kubectl(['apply', '--server-side', '-k', 'crds']);
  const names = DEFINITIONS.map(({ kind }) => `crd/${PLURALS[kind]}.larder.dev`);
  await cluster.kubectl(['wait', '--for=condition=Established', '--timeout=60s', ...names]);
  api = new RawApi(cluster.kubeconfigFile);
});

afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await cluster.stop();
});

function urlOf(kind: Kind, name?: string): string {
  const list = `/apis/${API_VERSION}/namespaces/default/${PLURALS[kind]}`;
  return name === undefined ? list : `${list}/${name}`;
}

/** What the server would say to a new object. */
function tryCreate(kind: Kind, object: Json): Promise<Answer> {
  return api.send('POST', `${urlOf(kind)}?dryRun=All`, withValue(object, ['status'], undefined));
}

/** Writes the status of `object` onto the stored object of its name. */
async function writeStatus(kind: Kind, object: Json, query = ''): Promise<Answer> {
  const name = valueAt(object, ['metadata', 'name']) as string;
  const stored = (await api.send('GET', urlOf(kind, name))).body as Json;
  const changed = withValue(stored, ['status'], valueAt(object, ['status']) ?? {});
  return api.send('PUT', `${urlOf(kind, name)}/status${query}`, changed);
}

async function mustSucceed(answer: Promise<Answer>): Promise<Json> {
  const { status, body } = await answer;
  expect(body, `HTTP ${status}`).not.toHaveProperty('reason', 'Invalid');
  expect(status).toBeLessThan(300);
  return body as Json;
}

test('the CRDs report no problem of their own', async () => {
  for (const { kind } of DEFINITIONS) {
    const crd = await cluster.getJson<{
      readonly status: { readonly conditions: readonly { readonly type: string; readonly status: string }[] };
    }>(['crd', `${PLURALS[kind]}.larder.dev`]);
    const states = crd.status.conditions.map(({ type, status }) => `${type}=${status}`).sort();
    expect(states).toEqual(['Established=True', 'NamesAccepted=True']);
  }
});

describe.each(DEFINITIONS)('$kind', (definition: KindDefinition) => {
  const { kind } = definition;
  const root = rootSchema(definition);
  const full = FULL_OBJECTS[kind];

  beforeAll(async () => {
    await mustSucceed(api.send('POST', urlOf(kind), full));
    await mustSucceed(writeStatus(kind, full));
  });

  test('the full object is stored unchanged', async () => {
    const stored = (await api.send('GET', urlOf(kind, 'full'))).body as Json;
    expect(valueAt(stored, ['spec'])).toEqual(valueAt(full, ['spec']));
    expect(valueAt(stored, ['status'])).toEqual(valueAt(full, ['status']));
  });

  test('fields that the schema lacks are pruned, and refused when asked to be strict', async () => {
    const odd = withValue(withValue(full, ['metadata', 'name'], 'odd'), ['spec', 'noSuchField'], 1);
    const stored = await mustSucceed(tryCreate(kind, odd));
    expect(valueAt(stored, ['spec', 'noSuchField'])).toBeUndefined();
    const strict = await api.send('POST', `${urlOf(kind)}?dryRun=All&fieldValidation=Strict`, odd);
    expect(refusalOf(strict)).toContain('unknown field "spec.noSuchField"');
  });

  const broken = [...boundViolations(root, full), ...ruleViolations(root, full)];
  test.each(broken)('refuses $name', async ({ part, object, says }) => {
    const fresh = withValue(object, ['metadata', 'name'], 'broken');
    const answer = await (part === 'spec'
      ? tryCreate(kind, fresh)
      : writeStatus(kind, object, '?dryRun=All'));
    expect(answer.status).toBe(422);
    expect(refusalOf(answer)).toContain(says);
  });
});

describe('rules about the whole object', () => {
  const source = FULL_OBJECTS.ImageSource;

  test('an ImageSource with a long name is refused, because the name becomes a label', async () => {
    const named = (length: number): Json => withValue(source, ['metadata', 'name'], 'n'.repeat(length));
    expect((await tryCreate('ImageSource', named(63))).status).toBe(201);
    expect(refusalOf(await tryCreate('ImageSource', named(64)))).toContain('at most 63 characters');
  });

  test('a source record needs no hardware, framework, domain or licence', async () => {
    expect((await tryCreate('DockerImageRecord', SOURCE_RECORD)).status).toBe(201);
  });

  test('contentKind cannot change, nor be dropped', async () => {
    const stored = (await api.send('GET', urlOf('DockerImageRecord', 'full'))).body as Json;
    const changed = withValue(
      withValue(stored, ['spec', 'contentKind'], 'Source'),
      ['spec', 'prepull'],
      undefined,
    );
    const answer = await api.send('PUT', `${urlOf('DockerImageRecord', 'full')}?dryRun=All`, changed);
    expect(refusalOf(answer)).toContain('contentKind is immutable');
  });

  test.each([
    ['changed', ['status', 'pk'], 16],
    ['removed', ['status', 'pk'], undefined],
    ['nulled with the whole status', ['status'], null],
    ['removed with the whole status', ['status'], undefined],
  ] as const)('a pk cannot be %s', async (_, path, value) => {
    const url = urlOf('DockerImageRecord', 'full');
    const stored = (await api.send('GET', url)).body as Json;
    const answer = await api.send('PUT', `${url}/status?dryRun=All`, withValue(stored, path, value));
    expect(refusalOf(answer)).toContain('status.pk is immutable');
  });

  test('a pattern that RE2 does not read is refused with the reason', async () => {
    const object = withValue(source, ['spec', 'tags', 'include'], ['a(?=b)']);
    const answer = await tryCreate('ImageSource', withValue(object, ['metadata', 'name'], 'regex'));
    expect(refusalOf(answer)).toContain('error parsing regexp: invalid or unsupported Perl syntax');
    expect(refusalOf(answer)).toContain('must be a regular expression in RE2 syntax');
  });

  test('a newcomer who types nginx:1.25 is told what is missing', async () => {
    const object = withValue(source, ['spec', 'image'], 'nginx:1.25');
    const message = refusalOf(
      await tryCreate('ImageSource', withValue(object, ['metadata', 'name'], 'typo')),
    );
    expect(message).toContain('image is registry/repository without a tag; choose tags with spec.select');
    expect(message).toContain("image must begin with the registry's host");
  });
});

test('every sample is accepted with strict validation', async () => {
  const files = readdirSync('config/samples').filter((name) => name !== 'kustomization.yaml');
  const apply = ['apply', '--server-side', '--dry-run=server', '--validate=strict', '-o', 'name'];
  const { stdout } = await cluster.kubectl([...apply, '-k', 'config/samples']);
  expect(stdout.trim().split('\n')).toHaveLength(files.length);
});

test('kustomize makes the ConfigMap of the catalogue, and the server takes it', async () => {
  await cluster.kubectl(['apply', '-f', 'config/manager/namespace.yaml']);
  const apply = ['apply', '--server-side', '--dry-run=server', '-o', 'json', '-k', 'config/catalogue'];
  const { stdout } = await cluster.kubectl(apply);
  const { metadata, data } = JSON.parse(stdout) as {
    readonly metadata: { readonly name: string };
    readonly data: Readonly<Record<string, string>>;
  };
  expect(metadata.name).toBe(CATALOGUE_NAME);
  expect(readCatalogue(data, parse)).toMatchObject({ ok: true });
});

describe('what kubectl shows', () => {
  test.each([
    ['imgsrc', '', 'NAME IMAGE READY RECOMMENDED IMAGES PREPULLED AGE'],
    ['imgsrc', 'wide', 'NAME IMAGE READY RECOMMENDED IMAGES PREPULLED AGE LAST SCAN NEXT SCAN TAGS STATUS'],
    ['ppi', '', 'NAME IMAGE TAG TYPE READY PREPULLED SIZE AGE'],
    ['ppi', 'wide', 'NAME IMAGE TAG TYPE READY PREPULLED SIZE AGE DIGEST ALIASES REASON'],
    ['dir', '', 'NAME NAME VERSION DOMAIN CUDA MINHW CPU INUSE AVAILABLE AGE'],
  ])('kubectl get %s -o "%s"', async (name, output, header) => {
    const { stdout } = await cluster.kubectl(['get', name, ...(output === '' ? [] : ['-o', output])]);
    expect(stdout.split('\n')[0]?.trim().split(/ +/).join(' ')).toBe(header);
  });

  test('a row answers by itself', async () => {
    const { stdout } = await cluster.kubectl(['get', 'ppi', 'full', '--no-headers']);
    expect(stdout.trim()).toMatch(/^full +sciplat\/lab +w_2026_40 +weekly +10\/12 +false +9.3 GiB +\d+s$/);
    const sources = await cluster.kubectl(['get', 'imgsrc', 'full', '--no-headers']);
    expect(sources.stdout.trim()).toMatch(
      /^full +registry.example.org:5000\/sciplat\/lab +True +w_2026_40 +6 +5 +\d+s$/,
    );
  });

  test('the category shows all kinds', async () => {
    const { stdout } = await cluster.kubectl(['get', 'larder', '-o', 'name']);
    for (const { kind } of DEFINITIONS)
      expect(stdout).toContain(`${PLURALS[kind].slice(0, -1)}.larder.dev/full`);
  });

  test.each([
    ['dir', 'spec.domain=od,spec.cpu=false,spec.cuda.version=11.1', 1],
    ['dir', 'spec.framework.name=yolo,spec.licence!=GPL3', 0],
    ['ppi', 'spec.recordRef.name=yolo-v5', 1],
    ['ppi', 'status.prepulled=true', 0],
  ])('kubectl get %s --field-selector %s finds %d', async (name, selector, count) => {
    const { stdout } = await cluster.kubectl(['get', name, '--field-selector', selector, '-o', 'name']);
    expect(stdout.split('\n').filter((line) => line !== '')).toHaveLength(count);
  });

  test('kubectl explain tells the default', async () => {
    const { stdout } = await cluster.kubectl(['explain', 'imagesource.spec.interval']);
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain('How often the registry is asked again. Default: 5m.');
  });
});

describe.each(DEFINITIONS)('the largest status of $kind', (definition) => {
  const statusSchema = rootSchema(definition).properties?.['status'];

  test('is accepted with every list full and texts of 100 characters, below 100 KB', async () => {
    const status = withValue(maximal(statusSchema ?? rootSchema(definition), { textLimit: 100 }), ['pk'], 15);
    const object = withValue(FULL_OBJECTS[definition.kind], ['status'], status);
    const stored = await mustSucceed(writeStatus(definition.kind, object));
    expect(JSON.stringify(valueAt(stored, ['status'])).length).toBeLessThan(100_000);
  });

  test('is accepted with every text at its limit, too', async () => {
    const status = withValue(maximal(statusSchema ?? rootSchema(definition)), ['pk'], 15);
    const object = withValue(FULL_OBJECTS[definition.kind], ['status'], status);
    const stored = await mustSucceed(writeStatus(definition.kind, object));
    // etcd refuses objects above 1.5 MB; this is what hostile tags and labels can do at most.
    expect(JSON.stringify(valueAt(stored, ['status'])).length).toBeLessThan(170_000);
  });
});

test('a spec with every list full stays within the cost that rules may have at run time', async () => {
  const times = <T>(length: number, make: (index: number) => T): readonly T[] =>
    Array.from({ length }, (_, index) => make(index));
  const expression = (index: number): Json => ({
    key: `node.example.org/${'k'.repeat(40)}${index}`,
    operator: 'In',
    values: times(16, (each) => `value-${each}`),
  });
  const group = 'g'.repeat(64);
  const rule = (index: number): Json => ({
    name: `rule-${index}`,
    pattern: `^(?<${group}>.*)$`.padEnd(256, 'x?'),
    orderBy: { capture: group },
    newest: 100,
    maxAge: '1h1h1h1h',
  });
  const nodes = {
    nodeSelector: Object.fromEntries(times(16, (index) => [`pool-${index}`, 'v'.repeat(63)])),
    nodeSelectorTerms: times(32, () => ({ matchExpressions: times(16, expression) })),
    tolerations: times(16, (index) => ({ key: `taint-${index}`, operator: 'Exists' })),
  };
  const patterns = times(16, (index) => `^${index}`.padEnd(256, 'y?'));
  const spec = {
    image: `registry.example.org/${'a/'.repeat(80)}a`,
    tags: { include: patterns, exclude: patterns, aliases: times(16, (index) => `alias${index}`) },
    select: times(32, rule),
    prepull: { nodes },
    access: { pullSecretRefs: times(8, (index) => ({ name: `${'s'.repeat(240)}${index}` })) },
  };
  const object = withValue(
    withValue(FULL_OBJECTS.ImageSource, ['spec'], spec),
    ['metadata', 'name'],
    'large',
  );
  expect(JSON.stringify(object).length).toBeGreaterThan(100_000);
  const answer = await tryCreate('ImageSource', object);
  expect(refusalOf(answer)).toBe('');
  expect(answer.status).toBe(201);
});
