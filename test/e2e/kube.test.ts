import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Cluster } from '../../hack/dev-cluster/cluster.ts';
import { Daemon } from '../../hack/dev-cluster/daemon.ts';
import { sleep, systemClock } from '../../src/clock.ts';
import { KubeClient } from '../../src/kube/client.ts';
import { Controller } from '../../src/kube/controller.ts';
import { KubeConfigCredentials, loadKubeConfig } from '../../src/kube/credentials.ts';
import { EventWriter } from '../../src/kube/events.ts';
import { Informer } from '../../src/kube/informer.ts';
import { silentLogger } from '../../src/kube/logger.ts';
import { noMetrics, type WatchEnd } from '../../src/kube/metrics.ts';
import { objectReconciler } from '../../src/kube/reconciler.ts';
import { Transport } from '../../src/kube/transport.ts';
import { ignoreStatusChanges, watchInformer } from '../../src/kube/watch-source.ts';
import { CONFIG_MAPS, type ConfigMap, WIDGETS, type Widget, type WidgetStatus } from '../kube/fixtures.ts';
import { eventually } from '../support/fake-clock.ts';
import { fastClock } from '../support/fast-clock.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

/** Watchdogs of 100 s take 5 s. */
const clock = fastClock(20);
const LIMIT_MS = 30_000;

const WIDGET_DEFINITION = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.test.dev}
spec:
  group: test.dev
  scope: Namespaced
  names: {plural: widgets, singular: widget, kind: Widget, listKind: WidgetList}
  versions:
    - name: v1
      served: true
      storage: true
      subresources: {status: {}}
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec: {type: object, properties: {size: {type: integer}, suspend: {type: boolean}}}
            status:
              type: object
              properties:
                size: {type: integer}
                observedGeneration: {type: integer}
                conditions:
                  type: array
                  x-kubernetes-list-type: map
                  x-kubernetes-list-map-keys: [type]
                  items:
                    type: object
                    required: [type, status]
                    properties:
                      type: {type: string}
                      status: {type: string}
                      reason: {type: string}
                      message: {type: string}
                      observedGeneration: {type: integer}
                      lastTransitionTime: {type: string, format: date-time}
`;

let cluster: Cluster;
let apiServer: Daemon;
let proxy: TcpProxy;
let admin: KubeClient;
let adminTransport: Transport;
let kubeconfigFile: string;

/** The kubeconfig of the cluster, leading through the proxy. */
async function writeProxiedConfig(): Promise<void> {
  const text = await readFile(cluster.kubeconfigFile, 'utf8');
  await writeFile(kubeconfigFile, text.replaceAll(cluster.server, proxy.url));
}

function connect(file: string, time = clock): { readonly transport: Transport; readonly client: KubeClient } {
  const credentials = new KubeConfigCredentials(time, () => loadKubeConfig({ file }));
  const rate = { qps: 2_000, burst: 2_000 };
  const transport = new Transport({ clock: time, credentials, userAgent: 'larder/test', rate });
  return { transport, client: new KubeClient({ transport, fieldManager: 'larder' }) };
}

beforeAll(async () => {
  cluster = await Cluster.start();
  apiServer = cluster.daemon('kube-apiserver');
  proxy = await TcpProxy.start(new URL(cluster.server));
  kubeconfigFile = join(cluster.folder, 'proxied.kubeconfig');
  await writeProxiedConfig();
  ({ client: admin, transport: adminTransport } = connect(cluster.kubeconfigFile, systemClock));
  await cluster.kubectl(['apply', '-f', '-'], WIDGET_DEFINITION);
  await cluster.kubectl(['wait', '--for=condition=Established', 'crd/widgets.test.dev']);
});

afterAll(async () => {
  await adminTransport.close();
  await proxy.close();
  await cluster.stop();
});

/** The command line a daemon was started with. */
async function commandOf(daemon: Daemon): Promise<string[]> {
  return (await readFile(`/proc/${daemon.pid}/cmdline`, 'utf8')).split('\0').slice(0, -1);
}

/** Kills the API server, lets `meanwhile` happen, and starts it again. */
async function restartApiServer(meanwhile: () => Promise<void> = () => Promise.resolve()): Promise<void> {
  const [command = '', ...args] = await commandOf(apiServer);
  apiServer.signal('SIGKILL');
  await apiServer.exited();
  await meanwhile();
  apiServer = Daemon.start({ name: 'kube-apiserver', command, args, folder: cluster.folder });
  cluster.adopt(apiServer);
  await apiServer.waitUntil(() => readyOf(), 60_000);
}

async function readyOf(): Promise<boolean> {
  await cluster.kubectl(['get', '--raw', '/readyz']);
  return true;
}

/** Forgets all history in etcd, as the API server has it done every five minutes. */
async function compactEtcd(): Promise<void> {
  const args = await commandOf(cluster.daemon('etcd'));
  const url = args.find((arg) => arg.startsWith('--listen-client-urls='))?.split('=')[1] ?? '';
  const ask = async (path: string, body: object): Promise<{ header?: { revision?: string } }> => {
    const answer = await fetch(`${url}${path}`, { method: 'POST', body: JSON.stringify(body) });
    return (await answer.json()) as { header?: { revision?: string } };
  };
  const { header } = await ask('/v3/kv/range', { key: 'AA==' });
  await ask('/v3/kv/compaction', { revision: header?.revision, physical: true });
}

describe('a cache', () => {
  let transport: Transport;
  let informer: Informer<ConfigMap>;
  let stop: AbortController;
  let running: Promise<void>;
  let seen: string[];
  let ends: WatchEnd[];
  let requests: number;

  async function start(): Promise<void> {
    const metrics = {
      ...noMetrics,
      watchEnded: (_resource: string, end: WatchEnd) => {
        ends.push(end);
      },
      request: () => {
        requests += 1;
      },
    };
    seen = [];
    ends = [];
    requests = 0;
    stop = new AbortController();
    const credentials = new KubeConfigCredentials(clock, () => loadKubeConfig({ file: kubeconfigFile }));
    transport = new Transport({ clock, credentials, userAgent: 'larder/test', metrics });
    const client = new KubeClient({ transport, fieldManager: 'larder' });
    informer = new Informer({ client, type: CONFIG_MAPS, namespace: 'default', clock, metrics });
    running = informer.run(stop.signal);
    await informer.whenSynced(stop.signal);
    informer.subscribe({
      onUpdate: (_old, object) => seen.push(`~${object.metadata.name}`),
      onDelete: (object) => seen.push(`-${object.metadata.name}`),
    });
    await put('kept', '1');
    await put('changed', '1');
    await put('gone', '1');
    await converged();
    seen.length = 0;
  }

  async function put(name: string, value: string): Promise<void> {
    await admin.apply(CONFIG_MAPS, { metadata: { name, namespace: 'default' }, data: { value } });
  }

  /** What happens while nobody can look. */
  async function changeTheWorld(): Promise<void> {
    await put('changed', String(Math.random()));
    await admin.delete(CONFIG_MAPS, { namespace: 'default', name: 'gone' });
    await put('new', String(Math.random()));
  }

  async function isEqual(): Promise<boolean> {
    const { items } = await admin.list(CONFIG_MAPS, { namespace: 'default' });
    const text = (all: readonly ConfigMap[]): string =>
      JSON.stringify(all.map(({ metadata }) => [metadata.name, metadata.resourceVersion]).sort());
    return text(items) === text(informer.lister.list());
  }

  async function converged(): Promise<void> {
    await eventually(isEqual, LIMIT_MS);
  }

  afterEach(async () => {
    proxy.restore();
    apiServer.signal('SIGCONT');
    stop.abort();
    await running;
    await transport.close();
    await eventually(() => proxy.openConnections === 0);
  });

  function expectTheChanges(): void {
    expect(seen.filter((each) => each.endsWith('kept'))).toEqual([]);
    expect(seen).toContain('-gone');
    expect(seen).toContain('~changed');
  }

  it('survives reset connections', async () => {
    await start();
    proxy.cut();
    await changeTheWorld();
    await sleep(systemClock, 500);
    proxy.restore();
    await converged();
    expectTheChanges();
    expect(requests).toBeLessThan(30);
  });

  it('survives a half-open connection', async () => {
    await start();
    proxy.swallow();
    await changeTheWorld();
    await eventually(() => ends.includes('stalled'), LIMIT_MS);
    proxy.restore();
    await converged();
    expectTheChanges();
  });

  it('survives a killed and restarted API server', async () => {
    await start();
    await restartApiServer();
    await changeTheWorld();
    await converged();
    expectTheChanges();
    expect(requests).toBeLessThan(100);
  });

  it('survives a frozen API server', async () => {
    await start();
    apiServer.signal('SIGSTOP');
    await eventually(() => ends.includes('stalled'), LIMIT_MS);
    apiServer.signal('SIGCONT');
    await changeTheWorld();
    await converged();
    expectTheChanges();
  });

  it('lists again when etcd has forgotten its version, without false updates', async () => {
    await start();
    proxy.cut();
    await changeTheWorld();
    await compactEtcd();
    await restartApiServer();
    proxy.restore();
    await converged();
    expectTheChanges();
    expect(ends).toContain('expired');
  });

  it('reads 600 objects in pages, and stays equal under a storm of changes', async () => {
    await start();
    const names = Array.from({ length: 600 }, (_each, index) => `storm-${index}`);
    await eachOf(names, (name) => put(name, '1'));
    await converged();
    proxy.cut();
    await eachOf(names.slice(0, 250), (name) => admin.delete(CONFIG_MAPS, { namespace: 'default', name }));
    proxy.restore();
    await eachOf(names.slice(250), (name) => put(name, '2'));
    await converged();
    await eachOf(names.slice(250), (name) => admin.delete(CONFIG_MAPS, { namespace: 'default', name }));
    await converged();
  });
});

/** Eight at a time. */
async function eachOf(names: readonly string[], act: (name: string) => Promise<unknown>): Promise<void> {
  const rest = names.values();
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (const name of rest) await act(name);
    }),
  );
}

describe('an operator of widgets', () => {
  const FINALIZER = 'test.dev/cleanup';

  function operate(
    client: KubeClient,
    cleaned: string[],
  ): { readonly stop: AbortController; readonly done: Promise<unknown> } {
    const stop = new AbortController();
    const informer = new Informer<Widget>({ client, type: WIDGETS, clock });
    const events = new EventWriter({
      client,
      clock: systemClock,
      controller: 'test.dev/operator',
      instance: 'e2e',
    });
    const reconciler = objectReconciler<Widget, WidgetStatus>({
      source: informer,
      client,
      ownedConditions: [],
      finalizer: FINALIZER,
      finalize: (object) => {
        cleaned.push(object.metadata.name);
        return {};
      },
      phases: [
        (object, draft) => {
          draft.size = object.spec?.size ?? 0;
          return {};
        },
      ],
      summarise: () => ({ status: 'True', reason: 'Copied', message: 'copied' }),
    });
    const controller = new Controller({
      name: 'widget',
      workers: 4,
      watches: [watchInformer(informer, { predicate: ignoreStatusChanges })],
      reconciler,
      clock,
      log: silentLogger,
      events,
    });
    const done = Promise.all([
      informer.run(stop.signal),
      controller.run({ stop: stop.signal, abort: stop.signal }).then(() => events.flush()),
    ]);
    return { stop, done };
  }

  async function widgets(): Promise<readonly Widget[]> {
    return (await admin.list(WIDGETS)).items;
  }

  function isCopied({ spec, status, metadata }: Widget): boolean {
    return status?.size === spec?.size && status?.observedGeneration === metadata.generation;
  }

  it('brings every status up to date, once, through cuts, restarts and deletions', async () => {
    const { transport, client } = connect(kubeconfigFile);
    const cleaned: string[] = [];
    const { stop, done } = operate(client, cleaned);
    const names = Array.from({ length: 40 }, (_each, index) => `w-${index}`);
    await eachOf(names, (name) =>
      admin.create(WIDGETS, { metadata: { name, namespace: 'default' }, spec: { size: 1 } }),
    );
    await eventually(async () => (await widgets()).every(isCopied), LIMIT_MS);
    const before = (await admin.get(WIDGETS, { namespace: 'default', name: 'w-0' }))?.metadata
      .resourceVersion;
    proxy.cut();
    await eachOf(names.slice(1, 20), (name) =>
      admin.patch(WIDGETS, { namespace: 'default', name }, { spec: { size: 2 } }),
    );
    await eachOf(names.slice(30), (name) => admin.delete(WIDGETS, { namespace: 'default', name }));
    proxy.restore();
    await restartApiServer();
    await eventually(async () => {
      const all = await widgets();
      return all.length === 30 && all.every(isCopied);
    }, LIMIT_MS);
    expect(cleaned.toSorted()).toEqual(names.slice(30).toSorted());
    expect((await admin.get(WIDGETS, { namespace: 'default', name: 'w-0' }))?.metadata.resourceVersion).toBe(
      before,
    );
    const { stdout } = await cluster.kubectl(['describe', 'widget', 'w-0']);
    expect(stdout).toMatch(/Normal\s+Copied.*test\.dev\/operator\s+copied/);
    stop.abort(new Error('stop'));
    await done;
    await transport.close();
  });

  it('is told about conflicts as the runtime expects them', async () => {
    const key = { namespace: 'default', name: 'rules' };
    const metadata = { ...key };
    const first = await admin.create<Widget>(WIDGETS, { metadata, spec: { size: 1 } });
    const { uid, resourceVersion } = first.metadata;
    await admin.patch(WIDGETS, key, { spec: { size: 2 } });
    const status = { size: 1 };
    const stale = { metadata: { ...key, uid, resourceVersion }, status };
    await expect(admin.applyStatus(WIDGETS, stale)).rejects.toMatchObject({
      status: 409,
      reason: 'Conflict',
    });
    // A foreign uid counts for the object, but is ignored for its status: only the resourceVersion protects that.
    const foreign = { metadata: { ...key, uid: 'ffffffff-0000-0000-0000-000000000000' } };
    await expect(admin.apply(WIDGETS, foreign)).rejects.toMatchObject({ status: 409, reason: 'Conflict' });
    await admin.applyStatus(WIDGETS, { ...foreign, status });
    await expect(admin.create(WIDGETS, { metadata })).rejects.toMatchObject({ reason: 'AlreadyExists' });
    const unknown = { metadata: key, status: { ...status, surprise: 1 } };
    await expect(admin.applyStatus(WIDGETS, unknown)).rejects.toMatchObject({
      status: 500,
      temporary: false,
    });
    const precondition = { preconditions: { uid: 'other' } };
    await expect(admin.delete(WIDGETS, key, precondition)).rejects.toMatchObject({ status: 409 });
    expect(await admin.delete(WIDGETS, key, { preconditions: { uid } })).toBe(true);
    await expect(admin.applyStatus(WIDGETS, stale)).rejects.toMatchObject({
      status: 404,
      reason: 'NotFound',
    });
    await admin.create(WIDGETS, { metadata });
    await expect(admin.applyStatus(WIDGETS, stale)).rejects.toMatchObject({
      status: 409,
      reason: 'Conflict',
    });
  });
});

describe('two replicas', () => {
  const replicas: ChildProcess[] = [];

  function enter(identity: string): ChildProcess {
    const program = new URL('../support/candidate-process.ts', import.meta.url).pathname;
    const child = spawn(process.execPath, [program, cluster.kubeconfigFile, identity], { stdio: 'inherit' });
    replicas.push(child);
    return child;
  }

  afterEach(() => {
    for (const child of replicas) child.kill('SIGKILL');
  });

  it('never write over each other, though the leader is stopped in the middle and wakes up again', async () => {
    await admin.create(CONFIG_MAPS, {
      metadata: { name: 'journal', namespace: 'default' },
      data: { writer: '' },
    });
    const writers: string[] = [];
    const stop = new AbortController();
    const journal = new Informer<ConfigMap>({
      client: admin,
      type: CONFIG_MAPS,
      clock: systemClock,
      namespace: 'default',
      fieldSelector: 'metadata.name=journal',
    });
    journal.subscribe({
      onUpdate: (_old, object) => {
        const writer = object.data?.['writer'] ?? '';
        if (writers.at(-1) !== writer) writers.push(writer);
      },
    });
    const running = journal.run(stop.signal);
    const first = enter('first');
    await eventually(() => writers.includes('first'), LIMIT_MS);
    const second = enter('second');
    await sleep(systemClock, 3_000);
    first.kill('SIGSTOP');
    await eventually(() => writers.includes('second'), LIMIT_MS);
    first.kill('SIGCONT');
    const [code] = (await once(first, 'exit')) as [number];
    expect(code).toBe(3);
    const third = enter('third');
    await sleep(systemClock, 2_000);
    second.kill('SIGTERM');
    const [released] = (await once(second, 'exit')) as [number];
    expect(released).toBe(0);
    await eventually(() => writers.includes('third'), LIMIT_MS);
    third.kill('SIGTERM');
    await once(third, 'exit');
    expect(writers).toEqual(['first', 'second', 'third']);
    stop.abort();
    await running;
  });
});

describe('new certificates of the API server', () => {
  it('are accepted as soon as the kubeconfig knows them', async () => {
    const { transport, client } = connect(kubeconfigFile);
    const stop = new AbortController();
    const informer = new Informer<ConfigMap>({ client, type: CONFIG_MAPS, namespace: 'default', clock });
    const running = informer.run(stop.signal);
    await informer.whenSynced(stop.signal);
    const certificates = join(cluster.folder, 'certs');
    const old = await readFile(join(certificates, 'apiserver.crt'), 'utf8');
    const [command = '', ...args] = await commandOf(apiServer);
    apiServer.signal('SIGKILL');
    await apiServer.exited();
    await rm(certificates, { recursive: true });
    apiServer = Daemon.start({ name: 'kube-apiserver', command, args, folder: cluster.folder });
    cluster.adopt(apiServer);
    const fresh = async (): Promise<string> => readFile(join(certificates, 'apiserver.crt'), 'utf8');
    await apiServer.waitUntil(async () => (await fresh()).includes('END CERTIFICATE'), 60_000);
    const base64 = (text: string): string => Buffer.from(text).toString('base64');
    const config = await readFile(cluster.kubeconfigFile, 'utf8');
    expect(config).toContain(base64(old));
    await writeFile(cluster.kubeconfigFile, config.replace(base64(old), base64(await fresh())));
    await apiServer.waitUntil(() => readyOf(), 60_000);
    await writeProxiedConfig();
    await eventually(async () => {
      await client
        .apply(CONFIG_MAPS, { metadata: { name: 'rotated', namespace: 'default' } })
        .catch(() => undefined);
      return informer.lister.get({ namespace: 'default', name: 'rotated' }) !== undefined;
    }, LIMIT_MS);
    stop.abort();
    await running;
    await transport.close();
  });
});
