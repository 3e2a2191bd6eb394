/** DockerImageRecords on a real API server with a real registry: the scenarios that Kubernetes adds to UFDL's. */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Daemon } from '../../hack/dev-cluster/daemon.ts';
import { startImageRegistry } from '../../hack/dev-cluster/image-registry.ts';
import { ImageWriter } from '../../hack/dev-cluster/image-writer.ts';
import { startOperator } from '../../hack/dev-cluster/operator-process.ts';
import type { DockerImageRecord, DockerImageRecordManifest } from '../../src/api/docker-image-record.ts';
import { dockerImageRecordManifest, type Overrides, prepulledImageManifest } from '../support/builders.ts';
import { apply, eventually, listImages, type Stage, startStage } from '../support/dev-cluster.ts';
import { ufdlRecords } from '../support/ufdl-records.ts';

/** Labels of GPU feature discovery for one product. */
function gpu(cuda: string, driver: string, compute: string): Readonly<Record<string, string>> {
  const numbered = (name: string, parts: readonly string[], version: string) =>
    version.split('.').map((number, index) => [`nvidia.com/${name}.${parts[index] ?? ''}`, number]);
  return Object.fromEntries([
    ...numbered('cuda.runtime', ['major', 'minor'], cuda),
    ...numbered('cuda.driver', ['major', 'minor', 'rev'], driver),
    ...numbered('gpu.compute', ['major', 'minor'], compute),
  ]) as Readonly<Record<string, string>>;
}

let stage: Stage;
let operator: Daemon;
let yolo: ImageWriter;

type Spec = Overrides<DockerImageRecordManifest['spec']>;

function record(name: string, spec: Spec = {}): DockerImageRecordManifest {
  return dockerImageRecordManifest({
    metadata: { name, namespace: 'default' },
    spec: {
      name,
      version: '1',
      image: `${stage.registry.host}/ml/yolo:${name}`,
      interval: '10s',
      access: { plainHTTP: true },
      ...spec,
    },
  });
}

async function get(name: string): Promise<DockerImageRecord> {
  return stage.cluster.getJson<DockerImageRecord>(['dir', name]);
}

async function find(name: string): Promise<DockerImageRecord | undefined> {
  const { items } = await stage.cluster.getJson<{ items: DockerImageRecord[] }>(['dir']);
  return items.find(({ metadata }) => metadata.name === name);
}

function condition(found: DockerImageRecord | undefined, type: string): string | undefined {
  const condition = found?.status?.conditions?.find((each) => each.type === type);
  return condition && `${condition.status}/${condition.reason}`;
}

function message(found: DockerImageRecord | undefined, type: string): string | undefined {
  return found?.status?.conditions?.find((each) => each.type === type)?.message;
}

/** Made and reconciled until its conditions are as wanted. */
async function settle(name: string, wanted: Readonly<Record<string, string>>): Promise<DockerImageRecord> {
  let found: DockerImageRecord | undefined;
  await eventually(async () => {
    found = await get(name);
    for (const [type, words] of Object.entries(wanted)) expect(condition(found, type), type).toBe(words);
  });
  if (found === undefined) throw new Error(`no record ${name}`);
  return found;
}

/** Times of the API have whole seconds: what comes later must be later by more than one. */
async function aSecondAfter(time: string | undefined): Promise<void> {
  await vi.waitFor(() => {
    expect(Date.now() - Date.parse(time ?? '')).toBeGreaterThan(1_100);
  }, 5_000);
}

async function requestReconcile(name: string): Promise<void> {
  const annotation = `larder.dev/reconcile-requested-at=${performance.now()}`;
  await stage.cluster.kubectl(['annotate', '--overwrite', 'dir', name, annotation]);
}

async function remove(...names: readonly string[]): Promise<void> {
  await stage.cluster.kubectl(['delete', 'dir', '--wait=false', ...names]);
  await eventually(async () => {
    for (const name of names) expect(await find(name)).toBeUndefined();
  });
}

/** A PrepulledImage that a person made, naming the record. */
function reference(name: string, recordName: string): object {
  const image = `${stage.registry.host}/ml/yolo:${recordName}`;
  return prepulledImageManifest({
    metadata: { name },
    spec: { image, recordRef: { name: recordName }, access: { plainHTTP: true } },
  });
}

beforeAll(async () => {
  stage = await startStage({ logFolder: join('reports', 'e2e-records'), nodes: 1 });
  await stage.cluster.addNodes([
    { name: 'gpu-new', labels: gpu('12.1', '530.30.02', '8.0') },
    { name: 'gpu-old', labels: gpu('10.2', '440.33', '5.2') },
    { name: 'gpu-arm', architecture: 'arm64', labels: gpu('12.1', '530.30.02', '9.0') },
  ]);
  yolo = new ImageWriter(stage.registry.host, 'ml/yolo');
  operator = await startOperator(stage.cluster);
});

afterAll(async () => {
  await stage.cluster.stop({ keepLogs: true });
});

describe('what the API server checks', () => {
  it('refuses a GPU image without hardware, and takes a CPU image without (1)', async () => {
    const bare = { minHardwareGeneration: undefined, cuda: undefined, suspend: true };
    await expect(apply(stage.cluster, record('no-hardware', bare))).rejects.toThrow(
      /minHardwareGeneration is required unless cpu is true/,
    );
    await apply(stage.cluster, record('cpu-only', { ...bare, cpu: true }));
    await remove('cpu-only');
  });

  it('keeps the key of a record, whatever is written to its status', async () => {
    await yolo.push({ seed: 'keyed' }, ['keyed']);
    await apply(stage.cluster, record('keyed'));
    const { status } = await settle('keyed', { Ready: 'True/Succeeded' });
    const pk = status?.pk ?? 0;
    expect(pk).toBeGreaterThan(0);
    for (const patch of [`{"status":{"pk":${pk + 1}}}`, '{"status":null}']) {
      await expect(
        stage.cluster.kubectl(['patch', 'dir', 'keyed', '--subresource=status', '--type=merge', '-p', patch]),
      ).rejects.toThrow(/status.pk is immutable/);
    }
    await remove('keyed');
  });
});

describe('a record', () => {
  it('is resolved, labelled, and stocked on the nodes whose hardware fits (14, 17)', async () => {
    const first = await yolo.push({ seed: 'main-1' }, ['main']);
    await apply(stage.cluster, record('main', { prepull: {} }));
    const found = await settle('main', {
      Ready: 'True/Succeeded',
      Accepted: 'True/Unique',
      Resolved: 'True/CatalogueComplete',
      CredentialsReady: 'True/NoCredentialsNeeded',
      Available: 'True/ManifestFound',
      InUse: 'False/NoReferences',
      DeletionBlocked: 'False/NotDeleting',
      Schedulable: 'True/NodesEligible',
    });
    expect(found.status).toMatchObject({
      image: { registry: stage.registry.host, repository: 'ml/yolo', tag: 'main', digest: first },
      resolved: {
        cuda: { fullVersion: '11.1.0', minDriverVersion: '455.23.05' },
        hardware: { minComputeCapability: '6.0', maxComputeCapability: '7.0' },
        domainDescription: 'Object Detection',
      },
      nodes: {
        total: 4,
        eligible: 1,
        names: ['gpu-new'],
        reasons: [
          { reason: 'ArchitectureMismatch', count: 1 },
          { reason: 'NoUsableGPU', count: 1 },
          { reason: 'CUDATooOld', count: 1 },
        ],
      },
      platforms: [{ os: 'linux', architecture: 'amd64', digest: first, sourceTags: ['main'] }],
      referenceCount: 0,
    });
    await eventually(async () => {
      const { metadata, status } = await get('main');
      expect(metadata.labels).toMatchObject({
        'larder.dev/pk': String(status?.pk),
        'larder.dev/domain': 'od',
        'larder.dev/framework': 'yolo-v5',
        'larder.dev/min-hardware': 'pascal',
        'larder.dev/licence': 'gpl3',
        'task.larder.dev/Train': '',
        'task.larder.dev/Predict': '',
      });
      expect(metadata.finalizers).toEqual(['larder.dev/reference-protection']);
    });
    await eventually(async () => {
      const [child] = await listImages(stage.cluster, 'default');
      expect(child?.spec).toMatchObject({
        image: `${stage.registry.host}/ml/yolo:main@${first}`,
        recordRef: { name: 'main' },
      });
      expect(child?.status).toMatchObject({ presentOn: ['gpu-new'], ready: '1/1', prepulled: true });
    });
  });

  it('follows its tag, says so in an Event, and its child is pulled again (14)', async () => {
    const [before] = await listImages(stage.cluster, 'default');
    const first = before?.status?.image?.digest;
    const second = await yolo.push({ seed: 'main-2' }, ['main']);
    await eventually(async () => {
      const { status } = await get('main');
      expect(status?.image).toMatchObject({ digest: second, previousDigest: first });
      const [child] = await listImages(stage.cluster, 'default');
      expect(child?.spec.image).toBe(`${stage.registry.host}/ml/yolo:main@${second}`);
      expect(child?.status).toMatchObject({ prepulled: true, image: { digest: second } });
    });
    const { stdout } = await stage.cluster.kubectl(['events', '--for', 'dockerimagerecord/main']);
    expect(stdout).toContain(`Tag main moved from ${first ?? ''} to ${second}`);
  });

  it('goes at once when only its own child refers to it, and takes that with it', async () => {
    await remove('main');
    await eventually(async () => {
      expect(await listImages(stage.cluster, 'default')).toEqual([]);
    });
  });

  it('is not schedulable where only other architectures are, and names why (17)', async () => {
    await yolo.push({ seed: 'x86' }, ['x86']);
    const spec = { cpu: true, cuda: undefined, minHardwareGeneration: undefined };
    await apply(stage.cluster, record('x86', spec));
    const { status } = await settle('x86', { Schedulable: 'True/NodesEligible' });
    expect(status?.nodes).toMatchObject({
      total: 4,
      eligible: 3,
      reasons: [{ reason: 'ArchitectureMismatch', count: 1 }],
    });
    await remove('x86');
  });

  it('without labels in its image is Runnable unless it is declared Source (16)', async () => {
    await yolo.push({ seed: 'scratch' }, ['scratch']);
    await apply(
      stage.cluster,
      record('scratch'),
      record('source', {
        image: `${stage.registry.host}/ml/yolo:scratch`,
        contentKind: 'Source',
        sourceFor: 'scratch',
        cuda: undefined,
        minHardwareGeneration: undefined,
      }),
    );
    const runnable = await settle('scratch', { Ready: 'True/Succeeded', Schedulable: 'True/NodesEligible' });
    expect(runnable.status?.source).toEqual({ isSource: false });
    const source = await settle('source', { Ready: 'True/Succeeded', Schedulable: 'False/SourceImage' });
    expect(source.status).toMatchObject({
      source: { isSource: true, confidence: 'Declared', forRecord: 'scratch' },
    });
    expect(source.status?.nodes).toBeUndefined();
    await remove('scratch', 'source');
  });
});

describe('names and keys', () => {
  it('belong to the older of two; it goes, and the younger is accepted (2)', async () => {
    await yolo.push({ seed: 'twins' }, ['twins']);
    const same = { name: 'twin', version: '1', image: `${stage.registry.host}/ml/yolo:twins` };
    await apply(stage.cluster, record('older', same));
    await settle('older', { Accepted: 'True/Unique' });
    // Ages are whole seconds.
    await aSecondAfter((await get('older')).metadata.creationTimestamp);
    await apply(stage.cluster, record('younger', same));
    const younger = await settle('younger', {
      Accepted: 'False/DuplicateNameVersion',
      Ready: 'False/DuplicateNameVersion',
      Stalled: 'True/DuplicateNameVersion',
    });
    expect(younger.status?.pk).toBeUndefined();
    expect(message(younger, 'Accepted')).toContain('Record older is twin 1 already');
    const { status } = await get('older');
    await remove('older');
    const accepted = await settle('younger', { Accepted: 'True/Unique', Ready: 'True/Succeeded' });
    expect(accepted.status?.pk).toBe((status?.pk ?? 0) + 1);
    await remove('younger');
  });

  it('survive a restore without status, by the label (10)', async () => {
    await yolo.push({ seed: 'restored' }, ['restored']);
    await apply(stage.cluster, record('restored'));
    const { status } = await settle('restored', { Ready: 'True/Succeeded' });
    await eventually(async () => {
      expect((await get('restored')).metadata.labels?.['larder.dev/pk']).toBe(String(status?.pk));
    });
    const { metadata, spec } = await get('restored');
    await remove('restored');
    const labels = { labels: metadata.labels };
    await apply(stage.cluster, { ...record('restored'), metadata: { name: 'restored', ...labels }, spec });
    const again = await settle('restored', { Ready: 'True/Succeeded' });
    expect(again.status?.pk).toBe(status?.pk);
    await remove('restored');
  });

  it('are never given twice, although the counter was lost', async () => {
    await yolo.push({ seed: 'counted' }, ['counted']);
    const spec = { image: `${stage.registry.host}/ml/yolo:counted` };
    await apply(stage.cluster, record('counted-1', spec));
    const first = await settle('counted-1', { Ready: 'True/Succeeded' });
    await stage.cluster.kubectl(['delete', 'configmap', '-n', 'larder-system', 'larder-record-counters']);
    await apply(stage.cluster, record('counted-2', spec));
    const second = await settle('counted-2', { Ready: 'True/Succeeded' });
    expect(second.status?.pk).toBe((first.status?.pk ?? 0) + 1);
    await remove('counted-1', 'counted-2');
  });
});

describe('the catalogue', () => {
  async function editCatalogue(edit: (data: Record<string, string>) => void): Promise<void> {
    const args = ['configmap', '-n', 'larder-system', 'larder-catalogue'];
    const { data } = await stage.cluster.getJson<{ data: Record<string, string> }>(args);
    edit(data);
    const patch = JSON.stringify({ data });
    await stage.cluster.kubectl(['patch', ...args, '--type=merge', '-p', patch]);
  }

  it('may lose a row that is in use: the record says so and nothing is deleted (13)', async () => {
    await yolo.push({ seed: 'licensed' }, ['licensed']);
    await apply(stage.cluster, record('licensed', { prepull: {} }));
    await settle('licensed', { Ready: 'True/Succeeded' });
    await eventually(async () => {
      expect(await listImages(stage.cluster, 'default')).toHaveLength(1);
    });
    let licences = '';
    await editCatalogue((data) => {
      licences = data['licences.yaml'] ?? '';
      const rows = licences.split('\n- ').filter((row) => !row.includes('GPL3'));
      data['licences.yaml'] = rows.join('\n- ');
    });
    const unknown = await settle('licensed', {
      Resolved: 'False/UnknownLicence',
      Ready: 'False/UnknownLicence',
    });
    expect(message(unknown, 'Resolved')).toBe('The catalogue has no licence GPL3');
    expect(await listImages(stage.cluster, 'default')).toHaveLength(1);
    await editCatalogue((data) => {
      data['licences.yaml'] = licences;
    });
    await settle('licensed', { Resolved: 'True/CatalogueComplete', Ready: 'True/Succeeded' });
  });

  it('that cannot be read is told, and the last good one holds', async () => {
    let cuda = '';
    await editCatalogue((data) => {
      cuda = data['cuda.yaml'] ?? '';
      data['cuda.yaml'] = cuda.replace('"12.1"', '12.1');
    });
    const told = await settle('licensed', { Resolved: 'True/CatalogueUnavailable', Ready: 'True/Succeeded' });
    expect(message(told, 'Resolved')).toContain('cuda.yaml row 1 version: must be text in quotes');
    await editCatalogue((data) => {
      data['cuda.yaml'] = cuda;
    });
    await settle('licensed', { Resolved: 'True/CatalogueComplete' });
    await remove('licensed');
  });
});

describe('an index that names a manifest which is not there (15)', () => {
  it('is available without that platform, and says so', async () => {
    const index = await yolo.push({ seed: 'torn', platforms: ['linux/amd64', 'linux/arm64'] }, ['torn']);
    const url = `http://${stage.registry.host}/v2/ml/yolo/manifests`;
    const accept = { accept: 'application/vnd.oci.image.index.v1+json' };
    const document = (await (await fetch(`${url}/${index}`, { headers: accept })).json()) as {
      manifests: { digest: string; platform: { architecture: string } }[];
    };
    const arm = document.manifests.find(({ platform }) => platform.architecture === 'arm64');
    expect((await fetch(`${url}/${arm?.digest ?? ''}`, { method: 'DELETE' })).status).toBe(202);
    await apply(stage.cluster, record('torn'));
    const { status } = await settle('torn', { Available: 'True/PlatformsMissing', Ready: 'True/Succeeded' });
    expect(status?.platforms?.map(({ architecture }) => architecture)).toEqual(['amd64']);
    expect(status?.pullInfo?.digestSpecs?.[0]?.digest).toBe(index);
    const { stdout } = await stage.cluster.kubectl(['events', '--for', 'dockerimagerecord/torn']);
    expect(stdout).toContain('the manifest of linux/arm64 is missing');
    await remove('torn');
  });
});

describe('a record that something refers to', () => {
  it('says who, is held when it is deleted, and goes when they are gone (3)', async () => {
    await yolo.push({ seed: 'held' }, ['held']);
    await apply(stage.cluster, record('held'), reference('by-hand', 'held'));
    const held = await settle('held', { InUse: 'True/Referenced' });
    expect(message(held, 'InUse')).toBe('PrepulledImage default/by-hand');
    expect(held.status?.references).toMatchObject([{ kind: 'PrepulledImage', fieldPath: 'spec.recordRef' }]);
    await stage.cluster.kubectl(['delete', 'dir', 'held', '--wait=false']);
    const blocked = await settle('held', { DeletionBlocked: 'True/Referenced', InUse: 'True/Referenced' });
    expect(message(blocked, 'DeletionBlocked')).toBe('Held by PrepulledImage default/by-hand');
    const { stdout } = await stage.cluster.kubectl(['events', '--for', 'dockerimagerecord/held']);
    expect(stdout).toContain('Held by PrepulledImage default/by-hand');
    await stage.cluster.kubectl(['delete', 'ppi', 'by-hand']);
    await eventually(async () => {
      expect(await find('held')).toBeUndefined();
    });
  });

  it('takes no new references once it is to go', async () => {
    await yolo.push({ seed: 'closing' }, ['closing']);
    await apply(stage.cluster, record('closing'), reference('early', 'closing'));
    await settle('closing', { InUse: 'True/Referenced' });
    await stage.cluster.kubectl(['delete', 'dir', 'closing', '--wait=false']);
    const { metadata } = await settle('closing', { DeletionBlocked: 'True/Referenced' });
    await aSecondAfter(metadata.deletionTimestamp);
    await apply(stage.cluster, reference('late', 'closing'));
    await eventually(async () => {
      const late = (await listImages(stage.cluster, 'default')).find(
        ({ metadata: { name } }) => name === 'late',
      );
      const ready = late?.status?.conditions?.find(({ type }) => type === 'Ready');
      expect(ready).toMatchObject({ status: 'False', reason: 'RecordDeleting' });
      expect(late?.status?.image).toBeUndefined();
    });
    await stage.cluster.kubectl(['delete', 'ppi', 'early']);
    await eventually(async () => {
      expect(await find('closing')).toBeUndefined();
    });
    await stage.cluster.kubectl(['delete', 'ppi', 'late']);
  });

  it('is held by annotated workloads and, if it wants, by pods with its image', async () => {
    await yolo.push({ seed: 'used' }, ['used']);
    await apply(stage.cluster, record('used', { matchByImage: true }));
    await settle('used', { InUse: 'False/NoReferences' });
    const pod = { containers: [{ name: 'main', image: `${stage.registry.host}/ml/yolo:used` }] };
    const other = { containers: [{ name: 'main', image: 'registry.example.org/other:1' }] };
    const annotations = { 'larder.dev/record': 'used' };
    const job = { template: { spec: { ...other, restartPolicy: 'Never' } }, suspend: true };
    await apply(
      stage.cluster,
      { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'by-image' }, spec: pod },
      { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'train', annotations }, spec: job },
    );
    await stage.cluster.kubectl(['delete', 'dir', 'used', '--wait=false']);
    const blocked = await settle('used', { DeletionBlocked: 'True/Referenced' });
    expect(message(blocked, 'DeletionBlocked')).toBe('Held by Job default/train, Pod default/by-image');
    await stage.cluster.kubectl(['delete', 'job', 'train']);
    await eventually(async () => {
      expect(message(await get('used'), 'DeletionBlocked')).toBe('Held by Pod default/by-image');
    });
    await stage.cluster.kubectl(['delete', 'pod', 'by-image', '--force']);
    await eventually(async () => {
      expect(await find('used')).toBeUndefined();
    });
  });

  it('goes at once with deletionPolicy Orphan, also if that is said afterwards', async () => {
    await yolo.push({ seed: 'orphan' }, ['orphan']);
    await apply(stage.cluster, record('orphan', { deletionPolicy: 'Orphan' }), reference('left', 'orphan'));
    await settle('orphan', { InUse: 'True/Referenced' });
    expect((await get('orphan')).metadata.finalizers).toBeUndefined();
    await remove('orphan');
    await apply(stage.cluster, record('orphan'));
    await settle('orphan', { InUse: 'True/Referenced' });
    await stage.cluster.kubectl(['delete', 'dir', 'orphan', '--wait=false']);
    await settle('orphan', { DeletionBlocked: 'True/Referenced' });
    const patch = '{"spec":{"deletionPolicy":"Orphan"}}';
    await stage.cluster.kubectl(['patch', 'dir', 'orphan', '--type=merge', '-p', patch]);
    await eventually(async () => {
      expect(await find('orphan')).toBeUndefined();
    });
    await stage.cluster.kubectl(['delete', 'ppi', 'left']);
  });

  it('goes although the operator was away when the last reference went (6)', async () => {
    await yolo.push({ seed: 'away' }, ['away']);
    await apply(stage.cluster, record('away'), reference('holder', 'away'));
    await settle('away', { InUse: 'True/Referenced' });
    await stage.cluster.kubectl(['delete', 'dir', 'away', '--wait=false']);
    await settle('away', { DeletionBlocked: 'True/Referenced' });
    operator.signal('SIGKILL');
    await operator.exited();
    await stage.cluster.kubectl(['delete', 'ppi', 'holder']);
    expect(await find('away')).toBeDefined();
    operator = await startOperator(stage.cluster, { name: 'operator-2' });
    await eventually(async () => {
      expect(await find('away')).toBeUndefined();
    });
  });
});

describe('with the admission policy (4)', () => {
  beforeAll(async () => {
    const folder = join(import.meta.dirname, '../../config/policy');
    await stage.cluster.kubectl(['apply', '-k', folder]);
  });

  it('a delete is refused in words, and nothing is marked', async () => {
    await yolo.push({ seed: 'policy' }, ['policy']);
    await apply(stage.cluster, record('policy'), reference('user', 'policy'));
    await settle('policy', { InUse: 'True/Referenced' });
    await eventually(async () => {
      const refusal = stage.cluster.kubectl(['delete', 'dir', 'policy', '--dry-run=server']);
      await expect(refusal).rejects.toThrow(
        /record policy is in use by PrepulledImage default\/user; remove these references first/,
      );
    });
    await expect(stage.cluster.kubectl(['delete', 'dir', 'policy', '--wait=false'])).rejects.toThrow(
      /in use/,
    );
    expect((await get('policy')).metadata.deletionTimestamp).toBeUndefined();
    await stage.cluster.kubectl(['delete', 'ppi', 'user']);
    await settle('policy', { InUse: 'False/NoReferences' });
    await remove('policy');
  });

  it('a namespace can still be deleted with everything in it', async () => {
    await stage.cluster.kubectl(['create', 'namespace', 'doomed']);
    const inside = <T extends { readonly metadata: object }>(object: T): T => ({
      ...object,
      metadata: { ...object.metadata, namespace: 'doomed' },
    });
    await yolo.push({ seed: 'doomed' }, ['doomed']);
    await apply(
      stage.cluster,
      inside(record('doomed')),
      inside(reference('user', 'doomed') as { readonly metadata: object }),
    );
    await eventually(async () => {
      const found = await stage.cluster.getJson<DockerImageRecord>(['dir', 'doomed', '-n', 'doomed']);
      expect(condition(found, 'InUse')).toBe('True/Referenced');
    });
    await stage.cluster.kubectl(['delete', 'namespace', 'doomed', '--timeout=90s']);
  });
});

describe('the shipped catalogue of 23 images', () => {
  it('answers by field selectors (12)', async () => {
    await stage.cluster.kubectl(['create', 'namespace', 'shipped']);
    const records = ufdlRecords().map((manifest) => ({
      ...manifest,
      metadata: { ...manifest.metadata, namespace: 'shipped' },
      spec: { ...manifest.spec, suspend: true },
    }));
    await apply(stage.cluster, ...records);
    const count = async (selector: string): Promise<number> => {
      const args = ['get', 'dir', '-n', 'shipped', `--field-selector=${selector}`, '-o', 'name'];
      return (await stage.cluster.kubectl(args)).stdout.trim().split('\n').length;
    };
    expect(await count('spec.domain=od')).toBe(12);
    expect(await count('spec.cpu=true')).toBe(8);
    expect(await count('spec.name=yolo,spec.licence=GPL3')).toBe(3);
    const { stdout } = await stage.cluster.kubectl(['get', 'dir', '-n', 'shipped']);
    expect(stdout.split('\n')[0]?.split(/\s{2,}/)).toEqual([
      'NAME',
      'NAME',
      'VERSION',
      'DOMAIN',
      'CUDA',
      'MINHW',
      'CPU',
      'INUSE',
      'AVAILABLE',
      'AGE',
    ]);
  });
});

describe('credentials', () => {
  // bcrypt of the password below; made once, because the registry takes nothing weaker.
  const PASSWORD = 'planted-secret-1';
  const HTPASSWD = 'puller:$2b$05$abcdefghijklmnopqrstuuSfbUZg.euCvqlApOwRH5Crn/gVaJfha\n';

  it('are read from a Secret, and appear nowhere else', async () => {
    const folder = await stage.cluster.subfolder('private');
    await writeFile(join(folder, 'htpasswd'), HTPASSWD);
    const { host, daemon } = await startImageRegistry({ folder, htpasswd: join(folder, 'htpasswd') });
    stage.cluster.adopt(daemon);
    await new ImageWriter(host, 'ml/private', { username: 'puller', password: PASSWORD }).push(
      { seed: 'p' },
      ['1'],
    );
    const access = { plainHTTP: true, pullSecretRefs: [{ name: 'regcred' }] };
    await apply(stage.cluster, record('private', { image: `${host}/ml/private:1`, access }));
    const denied = await settle('private', { CredentialsReady: 'False/SecretAccessDenied' });
    const told = message(denied, 'CredentialsReady') ?? '';
    await stage.cluster.kubectl(told.slice(told.indexOf('kubectl ') + 'kubectl '.length).split(' '));
    await requestReconcile('private');
    await settle('private', { CredentialsReady: 'False/SecretNotFound', Ready: 'False/SecretNotFound' });
    const dockerConfig = (password: string): object => ({
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'kubernetes.io/dockerconfigjson',
      metadata: { name: 'regcred' },
      stringData: {
        '.dockerconfigjson': JSON.stringify({ auths: { [host]: { username: 'puller', password } } }),
      },
    });
    await apply(stage.cluster, dockerConfig('planted-wrong-2'));
    await requestReconcile('private');
    await settle('private', { CredentialsReady: 'False/Unauthorized', Available: 'Unknown/Unauthorized' });
    await apply(stage.cluster, dockerConfig(PASSWORD));
    await requestReconcile('private');
    await settle('private', { CredentialsReady: 'True/CredentialsFound', Ready: 'True/Succeeded' });
    const { stdout } = await stage.cluster.kubectl([
      'get',
      'dir,ppi,pods,events,configmaps',
      '-A',
      '-o',
      'json',
    ]);
    const log = await readFile(operator.logFile, 'utf8');
    expect(/planted-(secret-1|wrong-2)/.test(stdout + log)).toBe(false);
    await remove('private');
  });
});

it('never asked for a right it does not have, but for the Secret', async () => {
  const log = await readFile(operator.logFile, 'utf8');
  expect(log.split('\n').filter((line) => /"status":403/.test(line))).toEqual([]);
});
