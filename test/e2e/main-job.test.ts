/** The main job on a real API server with a real registry; the operator runs as a process of its own, under its RBAC. */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Daemon } from '../../hack/dev-cluster/daemon.ts';
import { startImageRegistry } from '../../hack/dev-cluster/image-registry.ts';
import { ImageWriter } from '../../hack/dev-cluster/image-writer.ts';
import { startOperator } from '../../hack/dev-cluster/operator-process.ts';
import type { ImageSourceManifest } from '../../src/api/image-source.ts';
import { imageSourceManifest, type Overrides, prepulledImageManifest } from '../support/builders.ts';
import {
  apply,
  conditionOf,
  eventually,
  getSource,
  listImages,
  listPods,
  type Stage,
  startStage,
  tagOf,
} from '../support/dev-cluster.ts';

const TAGS = ['r29_0_1', 'w_2026_45', 'w_2026_46', 'w_2026_47', 'd_2026_11_20', 'd_2026_11_21'];

let stage: Stage;
let operator: Daemon;
let lab: ImageWriter;

function source(name: string, spec: Overrides<ImageSourceManifest['spec']> = {}): ImageSourceManifest {
  return imageSourceManifest({
    metadata: { name, namespace: 'default' },
    spec: {
      image: `${stage.registry.host}/sciplat/lab`,
      interval: '10s',
      access: { plainHTTP: true },
      tags: { grammar: 'RSP', aliases: ['latest_weekly'] },
      select: [{ name: 'weeklies', type: 'weekly', newest: 2 }],
      prepull: {},
      ...spec,
    },
  });
}

async function requestReconcile(name: string): Promise<void> {
  const annotation = `larder.dev/reconcile-requested-at=${performance.now()}`;
  await stage.cluster.kubectl(['annotate', '--overwrite', 'imagesource', name, annotation]);
}

beforeAll(async () => {
  stage = await startStage({ logFolder: join('reports', 'e2e-main-job') });
  lab = new ImageWriter(stage.registry.host, 'sciplat/lab');
  for (const tag of TAGS) await lab.push({ seed: tag, platforms: ['linux/amd64', 'linux/arm64'] }, [tag]);
  await lab.push({ seed: 'w_2026_47', platforms: ['linux/amd64', 'linux/arm64'] }, [
    'recommended',
    'latest_weekly',
  ]);
  operator = await startOperator(stage.cluster);
});

afterAll(async () => {
  await stage.cluster.stop({ keepLogs: true });
});

describe('the main job', () => {
  it('goes from a repository to images on every node', async () => {
    await apply(stage.cluster, source('lab', { select: undefined }));
    await eventually(async () => {
      const found = await getSource(stage.cluster, 'default', 'lab');
      expect(conditionOf(found, 'Ready')).toMatchObject({ status: 'True', reason: 'Succeeded' });
      expect(found.status?.counts).toMatchObject({ known: 8, selected: 6, prepulled: 6 });
    });
  });

  it('publishes what it has found in the words of the spawner API', async () => {
    const { status } = await getSource(stage.cluster, 'default', 'lab');
    expect(status).toMatchObject({
      recommended: {
        reference: `${stage.registry.host}/sciplat/lab:recommended`,
        tag: 'recommended',
        name: 'Recommended (Weekly 2026_47)',
        aliases: ['latest_weekly', 'w_2026_47'],
        prepulled: true,
      },
      latestWeekly: { tag: 'w_2026_47' },
      latestDaily: { tag: 'd_2026_11_21' },
      latestRelease: { tag: 'r29_0_1' },
      scan: { tags: 8, pages: 1 },
    });
  });

  it('makes one child per digest, and says where it is', async () => {
    const images = await listImages(stage.cluster, 'default');
    expect(images.map(tagOf).sort()).toEqual([
      'd_2026_11_20',
      'd_2026_11_21',
      'r29_0_1',
      'w_2026_46',
      'w_2026_47',
    ]);
    for (const image of images) {
      expect(conditionOf(image, 'Prepulled')).toMatchObject({ status: 'True', reason: 'AllNodes' });
      expect(image.status).toMatchObject({
        ready: '3/3',
        prepulled: true,
        nodes: { eligible: 3, present: 3 },
      });
      expect(image.status?.image?.platforms?.map(({ architecture }) => architecture)).toEqual([
        'amd64',
        'arm64',
      ]);
    }
  });

  it('leaves pull pods that belong to their nodes and ask by digest', async () => {
    const pods = await listPods(stage.cluster);
    expect(new Set(pods.map(({ spec }) => spec.nodeName))).toEqual(new Set(['node-1', 'node-2', 'node-3']));
    for (const { metadata, spec } of pods) {
      expect(metadata.ownerReferences).toMatchObject([{ kind: 'Node', name: spec.nodeName }]);
      for (const { image } of spec.containers) expect(image).toMatch(/\/sciplat\/lab@sha256:[0-9a-f]{64}$/);
    }
  });

  it('answers kubectl get by itself', async () => {
    const { stdout } = await stage.cluster.kubectl(['get', 'ppi', '-o', 'wide']);
    expect(stdout.split('\n', 1)[0]?.split(/\s{2,}/)).toEqual(
      expect.arrayContaining([
        'NAME',
        'IMAGE',
        'TAG',
        'TYPE',
        'READY',
        'PREPULLED',
        'SIZE',
        'AGE',
        'DIGEST',
        'ALIASES',
        'REASON',
      ]),
    );
    expect(stdout).toMatch(/sciplat\/lab\s+w_2026_47\s+weekly\s+3\/3\s+true\s+\d/);
  });

  it('stocks a new weekly, then retires the oldest', async () => {
    await lab.push({ seed: 'w_2026_48' }, ['w_2026_48', 'latest_weekly']);
    await requestReconcile('lab');
    await eventually(async () => {
      const images = await listImages(stage.cluster, 'default');
      const weeklies = images.filter((image) => tagOf(image).startsWith('w_'));
      expect(weeklies.map(tagOf).sort()).toEqual(['w_2026_47', 'w_2026_48']);
      expect(weeklies.every(({ status }) => status?.prepulled)).toBe(true);
    });
    const { status } = await getSource(stage.cluster, 'default', 'lab');
    expect(status?.latestWeekly?.tag).toBe('w_2026_48');
    expect(status?.lastHandledReconcileAt).toBeDefined();
  });

  it('brings a new node what the others have', async () => {
    await stage.cluster.addNodes([{ name: 'node-4' }]);
    await eventually(async () => {
      const images = await listImages(stage.cluster, 'default');
      expect(new Set(images.map(({ status }) => status?.ready))).toEqual(new Set(['4/4']));
    });
    await stage.cluster.kubectl(['delete', 'node', 'node-4']);
    await eventually(async () => {
      const images = await listImages(stage.cluster, 'default');
      expect(new Set(images.map(({ status }) => status?.ready))).toEqual(new Set(['3/3']));
      expect((await listPods(stage.cluster)).map(({ spec }) => spec.nodeName)).not.toContain('node-4');
    });
  });

  it('corrects a child edited by hand and makes a deleted one again', async () => {
    const [victim, other] = await listImages(stage.cluster, 'default');
    const names = [victim?.metadata.name ?? '', other?.metadata.name ?? ''];
    const patch = '{"spec":{"image":"registry.invalid/x:y"}}';
    await stage.cluster.kubectl(['patch', 'ppi', names[0] ?? '', '--type=merge', '-p', patch]);
    await stage.cluster.kubectl(['delete', 'ppi', names[1] ?? '']);
    await eventually(async () => {
      const images = await listImages(stage.cluster, 'default');
      expect(images.find(({ metadata }) => metadata.name === names[0])?.spec.image).toBe(victim?.spec.image);
      expect(images.find(({ metadata }) => metadata.name === names[1])?.status?.prepulled).toBe(true);
    });
  });

  it('does nothing while suspended, and says so', async () => {
    await apply(stage.cluster, source('idle', { suspend: true }));
    await eventually(async () => {
      const idle = await getSource(stage.cluster, 'default', 'idle');
      expect(conditionOf(idle, 'Ready')).toMatchObject({ status: 'False', reason: 'Suspended' });
      expect(idle.status?.lastScanTime).toBeUndefined();
    });
    await stage.cluster.kubectl(['delete', 'imagesource', 'idle']);
  });

  it('takes the children of a deleted source away', async () => {
    await stage.cluster.kubectl(['delete', 'imagesource', 'lab']);
    await eventually(async () => {
      expect(await listImages(stage.cluster, 'default')).toEqual([]);
    });
  });

  it('stocks an image that a person names by tag, under the tag and the digest', async () => {
    const spec = {
      image: `${stage.registry.host}/sciplat/lab:r29_0_1`,
      access: { plainHTTP: true },
      pull: { by: 'Both' as const },
    };
    await apply(stage.cluster, prepulledImageManifest({ metadata: { name: 'by-hand' }, spec }));
    await eventually(async () => {
      const image = (await listImages(stage.cluster, 'default')).find(
        ({ metadata }) => metadata.name === 'by-hand',
      );
      expect(image?.status).toMatchObject({ prepulled: true, ready: '3/3', image: { tag: 'r29_0_1' } });
      expect(image && conditionOf(image, 'Resolved')?.reason).toBe('TagResolved');
    });
    const asked = (await listPods(stage.cluster)).flatMap(({ spec: { containers } }) =>
      containers.map(({ image }) => image),
    );
    expect(asked).toContain(`${stage.registry.host}/sciplat/lab:r29_0_1`);
    await stage.cluster.kubectl(['delete', 'ppi', 'by-hand']);
  });
});

describe('what goes wrong outside', () => {
  it.each([
    ['an unknown host', 'registry.invalid/sciplat/lab', 'RegistryUnreachable'],
    ['a refused connection', '127.0.0.1:1/sciplat/lab', 'RegistryUnreachable'],
    ['an unknown repository', '@/no/such', 'RepositoryNotFound'],
  ])('%s is Ready=False with its reason', async (_case, image, reason) => {
    const name = `broken-${reason.toLowerCase()}-${image.length}`;
    await apply(stage.cluster, source(name, { image: image.replace('@', stage.registry.host) }));
    await eventually(async () => {
      const broken = await getSource(stage.cluster, 'default', name);
      expect(conditionOf(broken, 'Ready')).toMatchObject({ status: 'False', reason });
      expect(conditionOf(broken, 'Reconciling')?.status).toBe('True');
    });
    await stage.cluster.kubectl(['delete', 'imagesource', name]);
  });

  it('a malformed spec is refused by the API server in words', async () => {
    const malformed = source('malformed', {
      image: `${stage.registry.host}/sciplat/lab:w_2026_40`,
      interval: '1s',
    });
    await expect(apply(stage.cluster, malformed)).rejects.toThrow(
      /without a tag[\s\S]*spec\.interval|spec\.interval[\s\S]*without a tag/,
    );
  });

  it('a registry that goes away takes nothing with it', async () => {
    const registry = await startImageRegistry({ folder: await stage.cluster.subfolder('second') });
    await new ImageWriter(registry.host, 'sciplat/lab').push({ seed: 'x' }, ['w_2026_40']);
    await apply(stage.cluster, source('fading', { image: `${registry.host}/sciplat/lab` }));
    await eventually(async () => {
      const fading = await getSource(stage.cluster, 'default', 'fading');
      expect(fading.status?.counts?.prepulled).toBe(1);
    });
    await registry.daemon.stop();
    await requestReconcile('fading');
    await eventually(async () => {
      const fading = await getSource(stage.cluster, 'default', 'fading');
      expect(conditionOf(fading, 'Ready')).toMatchObject({ status: 'False', reason: 'RegistryUnreachable' });
      expect(fading.status?.images?.map(({ tag }) => tag)).toEqual(['w_2026_40']);
    });
    expect((await listImages(stage.cluster, 'default')).map(({ status }) => status?.prepulled)).toEqual([
      true,
    ]);
    await stage.cluster.kubectl(['delete', 'imagesource', 'fading']);
  });
});

describe('credentials', () => {
  // bcrypt of the password below; made once, because the registry takes nothing weaker.
  const PASSWORD = 'planted-secret-1';
  const HTPASSWD = 'puller:$2b$05$abcdefghijklmnopqrstuuSfbUZg.euCvqlApOwRH5Crn/gVaJfha\n';

  it('are read where a RoleBinding allows it, and appear nowhere else', async () => {
    const folder = await stage.cluster.subfolder('private');
    await writeFile(join(folder, 'htpasswd'), HTPASSWD);
    const { host, daemon } = await startImageRegistry({ folder, htpasswd: join(folder, 'htpasswd') });
    stage.cluster.adopt(daemon);
    const credentials = { username: 'puller', password: PASSWORD };
    await new ImageWriter(host, 'private/lab', credentials).push({ seed: 'p' }, ['w_2026_40']);
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'kubernetes.io/basic-auth',
      metadata: { name: 'regcred' },
    };
    await apply(stage.cluster, { ...secret, stringData: credentials });
    const access = { plainHTTP: true, pullSecretRefs: [{ name: 'regcred' }] };
    await apply(stage.cluster, source('private', { image: `${host}/private/lab`, access }));

    await eventually(async () => {
      const found = await getSource(stage.cluster, 'default', 'private');
      expect(conditionOf(found, 'Ready')).toMatchObject({ status: 'False', reason: 'SecretAccessDenied' });
      expect(conditionOf(found, 'Ready')?.message).toContain('kubectl create rolebinding larder-credentials');
    });
    const { message = '' } = conditionOf(await getSource(stage.cluster, 'default', 'private'), 'Ready') ?? {};
    const command = message.slice(message.indexOf('kubectl ') + 'kubectl '.length);
    await stage.cluster.kubectl(command.split(' '));
    await requestReconcile('private');
    await eventually(async () => {
      const found = await getSource(stage.cluster, 'default', 'private');
      expect(found.status?.counts).toMatchObject({ selected: 1, prepulled: 1 });
    });
    const { stdout } = await stage.cluster.kubectl([
      'get',
      'imagesources,ppi,pods,events',
      '-A',
      '-o',
      'json',
    ]);
    const log = await readFile(operator.logFile, 'utf8');
    expect(stdout.includes(PASSWORD) || log.includes(PASSWORD)).toBe(false);
    await stage.cluster.kubectl(['delete', 'imagesource', 'private']);
  });
});

it('config/default is accepted by the API server as a whole', async () => {
  const folder = join(import.meta.dirname, '../../config/default');
  const { stdout } = await stage.cluster.kubectl(['apply', '--dry-run=server', '-k', folder]);
  expect(stdout).toContain('deployment.apps/larder created (server dry run)');
});

it('never asked for a right it does not have, but for the Secret', async () => {
  const log = await readFile(operator.logFile, 'utf8');
  const refused = log.split('\n').filter((line) => /"status":403/.test(line));
  expect(refused).toEqual([]);
});
