import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { DockerImageRecord } from '../../src/api/docker-image-record.ts';
import { parseDockerImageRecord } from '../../src/api/parse.ts';
import { type CliInput, type CliRun, larder } from '../support/cli-io.ts';
import { digestOf } from '../support/selections.ts';

type Item = Readonly<Record<string, unknown>>;

interface SourceItem extends Item {
  readonly digest_specs: readonly (readonly [digest: string, mediaType: string])[];
  readonly tag_specs: readonly (readonly [reference: string, mediaTypes: readonly string[]])[];
}

const { pushsource } = JSON.parse(
  readFileSync(join(import.meta.dirname, '../cases/data/ufdl-pushsource-cases.json'), 'utf8'),
) as { readonly pushsource: Readonly<Record<string, readonly { id: string; observed: unknown }[]>> };

/** What the catalogue must say of a runnable image, and pushsource does not know. */
const SPEC = 'framework: {name: none, version: "1"}\ndomain: od\nlicence: GPL3\ncpu: true\n';
const LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';
const MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
const REPOSITORY = { registry: 'reg.io', repository: 'a/b' };

function observed(group: string, id: string): readonly Item[] {
  return pushsource[group]?.find((row) => row.id === id)?.observed as readonly Item[];
}

/** The case names digests d1, d2, d3, and specs in short. */
function registryItems(id: string): readonly Item[] {
  const items = observed('registrySource', id) as readonly SourceItem[];
  return items.map(({ digest_specs, tag_specs, ...item }) => ({
    ...item,
    pull_info: {
      tag_specs: tag_specs.map(([reference, media_types]) => ({
        ...REPOSITORY,
        tag: reference.split(':')[1],
        media_types,
      })),
      digest_specs: digest_specs.map(([digest, media_type]) => ({
        ...REPOSITORY,
        digest: digestOf(Number(digest.slice(1))),
        media_type,
      })),
    },
  }));
}

function convert(stdin: string | readonly unknown[], ...argv: readonly string[]): Promise<CliRun> {
  const text = typeof stdin === 'string' ? stdin : JSON.stringify(stdin);
  return convertWith({ stdin: text, files: { 'spec.yaml': SPEC } }, '-', '--spec', 'spec.yaml', ...argv);
}

function convertWith(input: CliInput, ...argv: readonly string[]): Promise<CliRun> {
  return larder(['record', 'convert', ...argv], input);
}

/** The records of the output as the API server would store them; every one must be valid. */
function recordsOf({ out }: CliRun): readonly DockerImageRecord[] {
  return parseAllDocuments(out).map((document) => {
    const record = parseDockerImageRecord((document as { toJS: () => unknown }).toJS());
    if (!record.ok) throw new Error(record.error.join('\n'));
    return record.value;
  });
}

function image(more: Item = {}, tag = '1', digest = 1): Item {
  const digest_specs = [{ ...REPOSITORY, digest: digestOf(digest), media_type: LIST }];
  return { build: 'app-1.0-2', pull_info: { tag_specs: [{ ...REPOSITORY, tag }], digest_specs }, ...more };
}

describe('larder record convert, on builds of koji', () => {
  it('makes one record of an image for four architectures', async () => {
    const run = await convert(observed('kojiBuild', 'multi-arch-operator-metadata'));
    expect([run.code, run.error]).toEqual([0, 'left out: 1 of type OperatorManifestPushItem, no images\n']);
    const repository =
      'registry-proxy.engineering.redhat.com/rh-osbs/openshift-ose-cluster-logging-operator-metadata';
    const tags = [
      'rhaos-4.3-rhel-7-candidate-20098-20200707075056-aarch64',
      'rhaos-4.3-rhel-7-candidate-78708-20200707075057-x86_64',
      'rhaos-4.3-rhel-7-candidate-13969-20200707075057-s390x',
      'rhaos-4.3-rhel-7-candidate-40827-20200707075058-ppc64le',
    ];
    const [record, ...more] = recordsOf(run);
    expect(more).toEqual([]);
    expect(record?.spec).toMatchObject({
      name: 'cluster-logging-operator-metadata-container',
      version: 'v4.3.28.202006290519.p0.prod-1',
      image: `${repository}:rhaos-4.3-rhel-7-candidate-56520-20200707074906@sha256:e38da0971a67c6b3d4261edd9bd679de1be15d0716d208cddf54b0478a73f0a2`,
      contentKind: 'Runnable',
      deletionPolicy: 'Protect',
      licence: 'GPL3',
      platforms: ['arm64', 'amd64', 's390x', 'ppc64le'].map((architecture) => ({
        os: 'linux',
        architecture,
      })),
      provenance: {
        build: 'cluster-logging-operator-metadata-container-v4.3.28.202006290519.p0.prod-1',
        sourceTags: tags.join(', '),
      },
    });
    expect(record?.metadata.name).toMatch(
      /^cluster-logging-operator-metadata-container-v4-3-28-202006290519-p0-prod-1-[0-9a-f]{8}$/,
    );
  });

  it('makes a record of an operator bundle, which the schema calls Runnable', async () => {
    const [record] = recordsOf(await convert(observed('kojiBuild', 'operator-bundle')));
    expect(record?.spec).toMatchObject({
      name: 'security-profiles-operator-bundle-container',
      version: '0.5.2-2',
      contentKind: 'Runnable',
      platforms: [{ architecture: 'amd64' }],
    });
    expect(record?.spec.image).toMatch(/-20230301150354@sha256:4df4eec/);
  });

  it('takes one object a line, and one object alone', async () => {
    const items = observed('kojiBuild', 'multi-arch-operator-metadata');
    const [whole, lines, one] = [
      await convert(items),
      await convert(`\n${items.map((item) => JSON.stringify(item)).join('\r\n')}\n`),
      await convert(JSON.stringify(items[0], null, 2)),
    ];
    expect(lines).toEqual(whole);
    expect(recordsOf(one)[0]?.spec.platforms).toEqual([{ os: 'linux', architecture: 'arm64' }]);
  });
});

describe('larder record convert, on items of a registry', () => {
  it('names the record by repository and tag, and does not take the first platform of a list for all', async () => {
    const [record] = recordsOf(await convert(registryItems('three-manifests')));
    expect(record?.spec).toMatchObject({
      name: 'a/b',
      version: '1',
      image: `reg.io/a/b:1@${digestOf(3)}`,
      provenance: { sourceTags: '1' },
    });
    expect(record?.spec.platforms).toBeUndefined();
  });

  it('reads the architecture of a single image', async () => {
    const items = registryItems('404-one-type-skipped').map((item) => ({ ...item, arch: 'x86_64' }));
    const labelled = items.map((item) => ({ ...item, arch: null, labels: { architecture: 'aarch64' } }));
    expect(recordsOf(await convert(items))[0]?.spec.platforms).toMatchObject([{ architecture: 'amd64' }]);
    expect(recordsOf(await convert(labelled))[0]?.spec.platforms).toMatchObject([{ architecture: 'arm64' }]);
  });

  it('marks a source image, which needs nothing of the catalogue, and takes prepull from it', async () => {
    const stdin = JSON.stringify(registryItems('source-image'));
    const bare = await convertWith({ stdin }, '-');
    expect([bare.code, bare.error]).toEqual([0, '']);
    expect(recordsOf(bare)[0]?.spec).toMatchObject({ version: '1-src', contentKind: 'Source' });
    const files = { 'p.yaml': 'prepull: {}\nlicence: GPL3\n' };
    const [record] = recordsOf(await convertWith({ stdin, files }, '-', '--spec', 'p.yaml'));
    expect(record?.spec.prepull).toBeUndefined();
    expect(record?.spec.licence).toBe('GPL3');
  });
});

describe('larder record convert', () => {
  it('says where an image comes from and who should sign it, whatever item tells it', async () => {
    const told = { origin: 'RHBA-2020:2807', product_name: 'OpenShift', arch: 'amd64' };
    const run = await convert([
      image({ ...told, dest: ['ns/app:v4.3', 'ns/app:v4'], dest_signing_key: '199E2F91FD431D51' }),
      image({ ...told, dest: ['ns/app:v4'], dest_signing_key: 'AA', signing_key: 'f21541eb' }),
    ]);
    const [record, ...more] = recordsOf(run);
    expect(more).toEqual([]);
    expect(record?.spec).toMatchObject({
      platforms: [{ architecture: 'amd64' }],
      signing: { keys: ['199e2f91fd431d51', 'aa', 'f21541eb'] },
      provenance: {
        dest: 'ns/app:v4.3, ns/app:v4',
        origin: 'RHBA-2020:2807',
        product: 'OpenShift',
        build: 'app-1.0-2',
      },
    });
  });

  it('names no platforms if the architecture of one item is not known', async () => {
    const [record] = recordsOf(await convert([image({ arch: 'amd64' }), image()]));
    expect(record?.spec.platforms).toBeUndefined();
  });

  it('takes the best digest with the first tag of its own repository', async () => {
    const other = { registry: 'reg.io', repository: 'other' };
    const digest_specs = [
      { ...other, digest: digestOf(1), media_type: MANIFEST },
      { ...REPOSITORY, digest: digestOf(2), media_type: LIST },
    ];
    const tags = [
      { ...other, tag: 'o' },
      { ...REPOSITORY, tag: 't' },
    ];
    const imagesOf = async (pull_info: Item): Promise<readonly string[]> =>
      recordsOf(await convert([image({ pull_info })])).map(({ spec }) => spec.image);
    expect(await imagesOf({ tag_specs: tags, digest_specs })).toEqual([`reg.io/a/b:t@${digestOf(2)}`]);
    expect(await imagesOf({ tag_specs: [tags[0]], digest_specs })).toEqual([`reg.io/a/b@${digestOf(2)}`]);
    expect(await imagesOf({ tag_specs: tags })).toEqual(['reg.io/other:o']);
  });

  it('leaves out what does not fit into provenance, and says so', async () => {
    const dest = Array.from({ length: 30 }, (_, index) => `namespace/app:${index}`);
    const run = await convert([image({ dest })]);
    const kept = recordsOf(run)[0]?.spec.provenance?.['dest']?.split(', ') ?? [];
    expect(kept).toEqual(dest.slice(0, kept.length));
    expect(run).toMatchObject({
      code: 0,
      error: `items[0]: provenance.dest lacks ${30 - kept.length} entries, it has at most 256 characters\n`,
    });
  });

  it('writes texts that kubectl reads as texts, a List as JSON, and a table for people', async () => {
    const items = [image({ build: null }, '2022_11')];
    expect((await convert(items)).out).toContain('version: "2022_11"');
    const list = JSON.parse((await convert(items, '-o', 'json')).out) as unknown;
    expect(list).toMatchObject({ kind: 'List', items: [{ spec: { version: '2022_11' } }] });
    const { out } = await convert(items, '-o', 'table');
    expect(out).toMatch(/^NAME +VERSION +IMAGE\na\/b +2022_11 +reg\.io/);
  });

  it('prints nothing of no items', async () => {
    expect(await convert('')).toEqual({ code: 0, out: '', error: '' });
    expect(await convert('[]')).toEqual({ code: 0, out: '', error: '' });
  });
});

describe('larder record convert, on items it cannot take', () => {
  it.each<[unknown, string]>([
    [7, 'it is not a JSON object'],
    [image({ name: 1 }), 'name must be a string'],
    [image({ sha256sum: 'AB' }), 'sha256sum has 2 characters, not 64'],
    [image({ build: 'nover' }), 'build "nover" is not name-version-release'],
    [image({ state: 'NOTFOUND' }), 'state is NOTFOUND: there is no such image'],
    [image({ pull_info: null }), 'pull_info is missing'],
    [image({ pull_info: {} }), 'pull_info has neither tag_specs nor digest_specs'],
    [
      image({ build: null, pull_info: { digest_specs: [{ ...REPOSITORY, digest: digestOf(2) }] } }),
      'build is missing, and pull_info has no tag to be the version',
    ],
    [
      image({ type: 'SourceContainerImagePushItem' }),
      'build or type differs from items[0], which is the same image',
    ],
    [image({ build: 'app-1.0-3' }), 'build or type differs from items[0], which is the same image'],
    [
      image({}, '1', 2),
      `pull_info is another image than that of items[0], which has the same name and version: reg.io/a/b:1@${digestOf(2)} and reg.io/a/b:1@${digestOf(1)}`,
    ],
    [image({ build: `app-1.0-${'9'.repeat(40)}` }, '3', 3), 'spec.version: must have 0 to 32 characters'],
    [
      image({ build: 'b-1-1', dest_signing_key: 'k'.repeat(65) }, '4', 4),
      'spec.signing.keys[0]: must have 1 to 64',
    ],
  ])('refuses %j, and prints the others', async (bad, reason) => {
    const run = await convert([image(), bad, image({ build: 'z-1-1' }, '9', 9)]);
    expect(recordsOf(run).map(({ spec }) => spec.name)).toEqual(['app', 'z']);
    expect(run.code).toBe(1);
    expect(run.error).toContain(`items[1]: ${reason}`);
    expect(run.error).toMatch(/larder: 1 of 3 push items were refused\n$/);
  });

  it('invents nothing of the catalogue, and says which items lack it', async () => {
    const archs = ['amd64', 'arm64', 's390x', 'ppc64le', '386', 'riscv64'];
    const stdin = JSON.stringify(archs.map((arch) => image({ arch })));
    const { code, out, error } = await convertWith({ stdin }, '-');
    expect([code, out]).toEqual([1, '']);
    expect(error).toContain(
      'items[0], items[1], items[2], items[3] and 2 more: spec: minHardwareGeneration is required unless cpu is true; ',
    );
    expect(error).toContain('spec: licence is required unless contentKind is Source\n');
    expect(error).toContain('6 of 6 push items were refused; what no push item tells comes from --spec\n');
  });

  it('speaks of --spec only if that would help', async () => {
    const { error } = await convertWith({ stdin: '[7]' }, '-');
    expect(error).toBe('items[0]: it is not a JSON object\nlarder: 1 of 1 push items were refused\n');
  });

  it('counts a line that is no JSON', async () => {
    const run = await convert(`${JSON.stringify(image())}\n{"name": \n`);
    expect(run.error).toContain('items[1]: it is not a JSON object\n');
    expect(recordsOf(run)).toHaveLength(1);
  });

  it.each<[string, CliInput, readonly string[], string]>([
    ['broken JSON', { stdin: '[{' }, ['-'], 'larder: -: '],
    ['other text', { stdin: 'name: x' }, ['-'], 'neither a JSON list of push items nor one object a line'],
    [
      'too many items',
      { stdin: JSON.stringify(Array.from({ length: 20_001 }, () => 0)) },
      ['-'],
      'more than 20000 items',
    ],
    ['too much', { stdin: ' '.repeat(32 * 1024 * 1024 + 1) }, ['-'], 'more than 33554432 characters'],
    [
      'standard input twice',
      { stdin: '[]' },
      ['-', '--spec', '-'],
      'standard input is taken by the push items',
    ],
    [
      'a name for all',
      { stdin: '[]', files: { s: 'name: x' } },
      ['-', '--spec', 's'],
      's: name: is told by the push items',
    ],
    [
      'a field that there is not',
      { stdin: '[]', files: { s: 'constructor: x' } },
      ['-', '--spec', 's'],
      's: constructor: is no field of the spec of a DockerImageRecord',
    ],
    ['a list of fields', { stdin: '[]', files: { s: '[]' } }, ['-', '--spec', 's'], 's: not one object'],
    ['broken YAML', { stdin: '[]', files: { s: 'a: [' } }, ['-', '--spec', 's'], 's:1:'],
  ])('takes %s for bad input', async (_, input, argv, problem) => {
    const run = await convertWith(input, ...argv);
    expect([run.code, run.out]).toEqual([2, '']);
    expect(run.error).toContain(problem);
  });

  it('prints only what the API server takes, whatever comes', async () => {
    const field = fc.constantFrom(
      'state',
      'dest',
      'build',
      'arch',
      'labels',
      'origin',
      'pull_info',
      'source_tags',
      'signing_key',
    );
    const anything = fc.oneof(fc.jsonValue(), fc.string({ unit: 'binary' }), fc.array(fc.string()));
    const entry = fc
      .tuple(field, anything, fc.nat(3))
      .map(([name, value, at]) => image({ [name]: value }, `t${at}`, at));
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { maxLength: 6 }), async (items) => {
        const run = await convert(items);
        expect([0, 1]).toContain(run.code);
        const records = recordsOf(run);
        expect(run.out).not.toMatch(/(?!\n)\p{Cc}/u);
        expect(new Set(records.map(({ metadata }) => metadata.name)).size).toBe(records.length);
        expect(run.code === 0 || run.error.includes('items[')).toBe(true);
      }),
      { numRuns: 100 },
    );
  });
});
