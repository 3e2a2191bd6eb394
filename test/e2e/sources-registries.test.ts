/** Registries that cannot be reached or say no, and credentials that change, with the operator as a process of its own. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Daemon } from '../../hack/dev-cluster/daemon.ts';
import { startImageRegistry } from '../../hack/dev-cluster/image-registry.ts';
import { ImageWriter } from '../../hack/dev-cluster/image-writer.ts';
import { startOperator } from '../../hack/dev-cluster/operator-process.ts';
import type { ImageSource, ImageSourceManifest } from '../../src/api/image-source.ts';
import { imageSourceManifest, type Overrides } from '../support/builders.ts';
import { createAuthority, issueCertificate } from '../support/certificate.ts';
import {
  apply,
  conditionOf,
  eventually,
  getSource,
  listImages,
  listPods,
  type Stage,
  startStage,
} from '../support/dev-cluster.ts';
import { FakeRegistry } from '../support/fake-registry.ts';
import { sendError } from '../support/registry-exchange.ts';

// bcrypt of the password below; made once, because the registry takes nothing weaker.
const PASSWORD = 'planted-secret-1';
const HTPASSWD = 'puller:$2b$05$abcdefghijklmnopqrstuuSfbUZg.euCvqlApOwRH5Crn/gVaJfha\n';

interface StoredEvent {
  readonly reason: string;
  readonly involvedObject: { readonly uid: string };
}

let stage: Stage;
let operator: Daemon;
let host: string;

beforeAll(async () => {
  stage = await startStage({ logFolder: join('reports', 'e2e-sources-registries') });
  const { cluster } = stage;
  const folder = await cluster.subfolder('private');
  await writeFile(join(folder, 'htpasswd'), HTPASSWD);
  const registry = await startImageRegistry({ folder, htpasswd: join(folder, 'htpasswd') });
  cluster.adopt(registry.daemon);
  ({ host } = registry);
  const credentials = { username: 'puller', password: PASSWORD };
  await new ImageWriter(host, 'private/lab', credentials).push({ seed: 'private' }, ['v1']);
  const reader = ['create', 'rolebinding', 'larder-credentials', '-n', 'default'];
  const account = '--serviceaccount=larder-system:larder';
  await cluster.kubectl([...reader, '--clusterrole=larder-credential-reader', account]);
  operator = await startOperator(cluster);
});

afterEach(async () => {
  await stage.cluster.kubectl(['delete', 'imagesources', '--all', '--wait=true']);
  await stage.cluster.kubectl(['delete', 'ppi', '--all', '--wait=true']);
});

afterAll(async () => {
  await stage.cluster.stop({ keepLogs: true });
});

function source(image: string, spec: Overrides<ImageSourceManifest['spec']> = {}): ImageSourceManifest {
  return imageSourceManifest({
    metadata: { name: 'lab', namespace: 'default' },
    spec: {
      image,
      interval: '10s',
      access: { plainHTTP: true },
      tags: { grammar: 'Plain' },
      prepull: {},
      ...spec,
    },
  });
}

function get(): Promise<ImageSource> {
  return getSource(stage.cluster, 'default', 'lab');
}

async function untilReady(status: string, reason: string): Promise<ImageSource> {
  await eventually(async () => {
    expect(conditionOf(await get(), 'Ready')).toMatchObject({ status, reason });
  });
  return get();
}

async function setPassword(password: string): Promise<void> {
  const auths = { [host]: { username: 'puller', password } };
  const data = { '.dockerconfigjson': JSON.stringify({ auths }) };
  const type = 'kubernetes.io/dockerconfigjson';
  await apply(stage.cluster, {
    apiVersion: 'v1',
    kind: 'Secret',
    type,
    metadata: { name: 'regcred', namespace: 'default' },
    stringData: data,
  });
}

async function ask(): Promise<void> {
  const annotation = `larder.dev/reconcile-requested-at=${performance.now()}`;
  await stage.cluster.kubectl(['annotate', '--overwrite', 'imagesource', 'lab', annotation]);
  await stage.cluster.kubectl(['annotate', '--overwrite', 'ppi', '--all', annotation]);
}

describe('a registry that cannot be reached or says no', () => {
  const registries: FakeRegistry[] = [];

  afterEach(async () => {
    for (const registry of registries.splice(0)) await registry[Symbol.asyncDispose]();
  });

  async function fake(options: Parameters<typeof FakeRegistry.start>[0] = {}): Promise<FakeRegistry> {
    const registry = await FakeRegistry.start(options);
    registries.push(registry);
    return registry;
  }

  async function withUnknownCertificate(): Promise<string> {
    const { certificate, key } = issueCertificate(createAuthority(), '127.0.0.1');
    return (await fake({ tls: { cert: certificate, key } })).host;
  }

  async function forbidding(): Promise<string> {
    const registry = await fake();
    registry.intercept = (_request, response) => {
      sendError(response, 403, 'DENIED');
      return true;
    };
    return registry.host;
  }

  it.each<readonly [string, () => Promise<string> | string, boolean, string, RegExp]>([
    ['has no name', () => 'registry.invalid', true, 'RegistryUnreachable', /ENOTFOUND|EAI_AGAIN/],
    ['refuses connections', () => '127.0.0.1:1', true, 'RegistryUnreachable', /ECONNREFUSED/],
    ['has an unknown certificate', withUnknownCertificate, false, 'CertificateInvalid', /caBundleRef/],
    ['wants credentials', () => host, true, 'Unauthorized', /pullSecretRefs/],
    ['forbids', forbidding, true, 'Forbidden', /grant them pull/],
    ['has no such repository', () => stage.registry.host, true, 'RepositoryNotFound', /spec\.image/],
  ])('and %s is named by its cause, asked less and less, and makes no pods', async (...row) => {
    const [, at, plainHTTP, reason, words] = row;
    await apply(stage.cluster, source(`${await at()}/no/such`, { access: { plainHTTP } }));
    const { status } = await untilReady('False', reason);
    expect(conditionOf({ status } as ImageSource, 'Ready')?.message).toMatch(words);
    expect(conditionOf({ status } as ImageSource, 'Reconciling')?.status).toBe('True');
    await eventually(async () => {
      const { failedScans = 0, nextScanTime = '' } = (await get()).status ?? {};
      expect(failedScans).toBeGreaterThanOrEqual(2);
      expect(Date.parse(nextScanTime)).toBeGreaterThan(Date.now());
    });
    expect(await listImages(stage.cluster, 'default')).toEqual([]);
    const pods = (await listPods(stage.cluster)).flatMap(({ spec }) => spec.containers);
    expect(pods.filter(({ image }) => image.includes('/no/such'))).toEqual([]);
    const { uid } = (await get()).metadata;
    const { items } = await stage.cluster.getJson<{ readonly items: readonly StoredEvent[] }>(['events']);
    const told = items.filter((event) => event.involvedObject.uid === uid && event.reason === reason);
    expect(told).toHaveLength(1);
  });
});

describe('a pull secret', () => {
  it('that is rotated counts at once, for scans and for new pulls, and is copied nowhere', async () => {
    const access = { plainHTTP: true, pullSecretRefs: [{ name: 'regcred' }] };
    await setPassword('wrong');
    const select = [{ name: 'v1', tags: ['v1'] }];
    await apply(stage.cluster, source(`${host}/private/lab`, { interval: '1h', access, select }));
    await untilReady('False', 'Unauthorized');
    await setPassword(PASSWORD);
    await ask();
    await eventually(async () => {
      expect((await get()).status?.counts).toMatchObject({ selected: 1, prepulled: 1 });
    });
    const pods = await listPods(stage.cluster);
    const ours = pods.filter(({ spec }) =>
      spec.containers.some(({ image }) => image.includes('/private/lab')),
    );
    expect(ours).toHaveLength(3);
    for (const { spec } of ours) expect(spec).toMatchObject({ imagePullSecrets: [{ name: 'regcred' }] });

    await setPassword('wrong again');
    await ask();
    await untilReady('False', 'Unauthorized');
    await eventually(async () => {
      const [image] = await listImages(stage.cluster, 'default');
      expect(image?.status).toMatchObject({ prepulled: false, nodes: { present: 3 } });
      expect(image && conditionOf(image, 'Prepulled')?.reason).toBe('Unauthorized');
    });
    await setPassword(PASSWORD);
    await ask();
    await eventually(async () => {
      expect((await get()).status?.counts?.prepulled).toBe(1);
    });

    await stage.cluster.kubectl(['delete', 'imagesource', 'lab']);
    await eventually(async () => {
      expect(await listImages(stage.cluster, 'default')).toEqual([]);
    });
    const { stdout } = await stage.cluster.kubectl(['get', 'secrets', '-A', '-o', 'name']);
    expect(stdout.trim().split('\n')).toEqual(['secret/regcred']);
    expect(await operator.hasLogged(PASSWORD)).toBe(false);
  });
});
