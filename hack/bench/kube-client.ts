/** One measured client of the runtime benchmark, in a process of its own: Larder's runtime or client-node as shipped. */

import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import {
  CoreV1Api,
  KubeConfig,
  makeInformer,
  PatchStrategy,
  setHeaderOptions,
} from '@kubernetes/client-node';

import { systemClock } from '../../src/clock.ts';
import { BaseOperator, type Composition, type OperatorRuntime } from '../../src/kube/base-operator.ts';
import { KubeClient } from '../../src/kube/client.ts';
import { Controller } from '../../src/kube/controller.ts';
import { KubeConfigCredentials } from '../../src/kube/credentials.ts';
import { EventWriter } from '../../src/kube/events.ts';
import { Informer } from '../../src/kube/informer.ts';
import type { KubeObject, RawObject, ResourceType } from '../../src/kube/resource.ts';
import { done } from '../../src/kube/result.ts';
import { Transport } from '../../src/kube/transport.ts';
import { watchInformer } from '../../src/kube/watch-source.ts';
import { createLogging } from '../../src/logging.ts';
import { createMetrics } from '../../src/server/metrics.ts';

export const ROLES = ['cache', 'cache-shipped', 'patch', 'patch-shipped', 'start'] as const;
export type Role = (typeof ROLES)[number];

/** What one run cost; members that a role does not measure are absent. */
export interface Cost {
  readonly wallMs: number;
  /** User and system, of the measured part only. */
  readonly cpuMs: number;
  readonly peakMb: number;
  /** Longest CPU time of the main thread between two turns of its loop: what else the machine does is not in it. */
  readonly stretchMs?: number;
  /** Longest time by the clock between two turns. */
  readonly stallMs?: number;
  readonly objects?: number;
  /** Process start to first reconcile. */
  readonly startMs?: number;
}

const PODS: ResourceType<PodView> = {
  group: '',
  version: 'v1',
  plural: 'pods',
  kind: 'Pod',
  namespaced: true,
};
const CONFIG_MAPS: ResourceType = {
  group: '',
  version: 'v1',
  plural: 'configmaps',
  kind: 'ConfigMap',
  namespaced: true,
};

/** What an operator like ours keeps of a pod. */
interface PodView extends KubeObject {
  readonly nodeName: string;
  readonly phase: string;
}

function projectPod(raw: RawObject): PodView {
  const { name, namespace, uid, resourceVersion } = raw.metadata;
  const spec = raw['spec'] as { readonly nodeName?: string } | undefined;
  const status = raw['status'] as { readonly phase?: string } | undefined;
  return {
    metadata: { name, namespace, uid, resourceVersion },
    nodeName: spec?.nodeName ?? '',
    phase: status?.phase ?? '',
  };
}

const { values: options } = parseArgs({
  options: {
    role: { type: 'string', default: '' },
    kubeconfig: { type: 'string', default: '' },
    count: { type: 'string', default: '0' },
    parallel: { type: 'string', default: '1' },
    result: { type: 'string', default: '' },
  },
});
const count = Number(options.count);

function loadConfig(): KubeConfig {
  const config = new KubeConfig();
  config.loadFromFile(options.kubeconfig);
  return config;
}

function connect(): OperatorRuntime & { readonly transport: Transport } {
  const credentials = new KubeConfigCredentials(systemClock, loadConfig);
  const rate = { qps: 1e6, burst: 1e6 };
  const metrics = createMetrics({ processMetrics: false }).runtime;
  const transport = new Transport({
    clock: systemClock,
    credentials,
    userAgent: 'larder/bench',
    rate,
    metrics,
  });
  const client = new KubeClient({ transport, fieldManager: 'larder' });
  const log = createLogging({ level: 'warn', format: 'json', clock: systemClock });
  return { client, credentials, clock: systemClock, log, transport };
}

/** Samples the thread's CPU time each turn of the loop, a millisecond apart at least; returns the longest difference. */
function watchStretches(): () => number {
  let longest = 0;
  let before = process.threadCpuUsage();
  setInterval(() => {
    const now = process.threadCpuUsage();
    longest = Math.max(longest, now.user + now.system - before.user - before.system);
    before = now;
  }, 1);
  return () => longest / 1_000;
}

async function measure(work: () => Promise<Partial<Cost>>): Promise<Cost> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const before = process.cpuUsage();
  const stretch = watchStretches();
  const started = performance.now();
  const extra = await work();
  const { user, system } = process.cpuUsage(before);
  delay.disable();
  return {
    wallMs: performance.now() - started,
    cpuMs: (user + system) / 1_000,
    peakMb: process.resourceUsage().maxRSS / 1_024,
    stretchMs: stretch(),
    stallMs: delay.max / 1e6,
    ...extra,
  };
}

async function cacheWithLarder(): Promise<Partial<Cost>> {
  const { client, log } = connect();
  const stop = new AbortController();
  const indexes = { node: (pod: PodView) => [pod.nodeName] };
  const informer = new Informer({
    client,
    type: PODS,
    clock: systemClock,
    project: projectPod,
    indexes,
    log,
  });
  void informer.run(stop.signal);
  await informer.whenSynced(stop.signal);
  return { objects: informer.lister.size };
}

async function cacheAsShipped(): Promise<Partial<Cost>> {
  const config = loadConfig();
  const api = config.makeApiClient(CoreV1Api);
  const informer = makeInformer(config, '/api/v1/pods', () => api.listPodForAllNamespaces());
  await informer.start();
  return { objects: informer.list().length };
}

/** Runs `act` for each index, `parallel` at a time. */
async function eachIndex(act: (index: number) => Promise<unknown>): Promise<void> {
  const rest = Array.from({ length: count }, (_each, index) => index).values();
  await Promise.all(
    Array.from({ length: Number(options.parallel) }, async () => {
      for (const index of rest) await act(index);
    }),
  );
}

async function patchWithLarder(): Promise<Partial<Cost>> {
  const { client } = connect();
  await eachIndex((index) =>
    client.patch(
      CONFIG_MAPS,
      { namespace: 'default', name: `c-${index % 100}` },
      { data: { value: String(index) } },
    ),
  );
  return { objects: count };
}

async function patchAsShipped(): Promise<Partial<Cost>> {
  const api = loadConfig().makeApiClient(CoreV1Api);
  const asMergePatch = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);
  await eachIndex((index) => {
    const body = { data: { value: String(index) } };
    return api.patchNamespacedConfigMap(
      { namespace: 'default', name: `c-${index % 100}`, body },
      asMergePatch,
    );
  });
  return { objects: count };
}

/** A complete small operator: caches, workers, events, log, metrics; ends with its first reconcile. */
async function startOperator(): Promise<Partial<Cost>> {
  const runtime = connect();
  const first = Promise.withResolvers<number>();
  class BenchOperator extends BaseOperator {
    protected override compose(): Composition {
      const { client, clock, log } = runtime;
      const cache = new Informer({ client, type: CONFIG_MAPS, clock, log });
      const controller = new Controller({
        name: 'bench',
        workers: 4,
        watches: [watchInformer(cache)],
        reconciler: {
          reconcile: () => {
            first.resolve(performance.now());
            return Promise.resolve(done);
          },
        },
        clock,
        log,
        events: new EventWriter({ client, clock, controller: 'bench', instance: 'bench' }),
      });
      return { caches: [cache], controllers: [controller] };
    }
  }
  const operator = new BenchOperator(runtime);
  await operator.start();
  // performance.now() counts from the start of the process.
  return { startMs: await first.promise };
}

const roles: Readonly<Record<Role, () => Promise<Partial<Cost>>>> = {
  cache: cacheWithLarder,
  'cache-shipped': cacheAsShipped,
  patch: patchWithLarder,
  'patch-shipped': patchAsShipped,
  start: startOperator,
};

const cost = await measure(roles[options.role as Role]);
writeFileSync(options.result, JSON.stringify(cost));
process.exit(0);
