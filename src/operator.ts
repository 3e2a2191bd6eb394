/** The composition root: clients, caches, the three controllers and what connects them. */

import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { ImageSource } from './api/image-source.ts';
import type { PrepulledImage } from './api/prepulled-image.ts';
import { type Clock, systemClock } from './clock.ts';
import { AccessReader } from './controllers/access.ts';
import { CHILDREN_BY_OWNER } from './controllers/image-source/children.ts';
import { imageSourceReconciler } from './controllers/image-source/controller.ts';
import { imageSourceType, prepulledImageType } from './controllers/kinds.ts';
import { type NodeObject, nodeType, projectNode } from './controllers/node.ts';
import { nodeStocker, PODS_BY_NODE } from './controllers/node-stocker/controller.ts';
import { Expectations } from './controllers/node-stocker/expectations.ts';
import {
  PULL_POD_SELECTOR,
  type PullPod,
  podType,
  projectPullPod,
} from './controllers/node-stocker/pull-pod.ts';
import { prepulledImageReconciler } from './controllers/prepulled-image/controller.ts';
import { Stock } from './controllers/stock.ts';
import type { Wants } from './controllers/wants.ts';
import { CLUSTER_CLAIM, PullBudget } from './domain/pull-budget.ts';
import { BaseOperator, type Composition, type OperatorRuntime } from './kube/base-operator.ts';
import { KubeClient } from './kube/client.ts';
import { Controller, type Reconciler } from './kube/controller.ts';
import { KubeConfigCredentials, loadKubeConfig } from './kube/credentials.ts';
import { EventWriter } from './kube/events.ts';
import { Informer, type InformerOptions } from './kube/informer.ts';
import { LeaderElector } from './kube/leader-election.ts';
import { leaseOnServer } from './kube/lease.ts';
import { controllerOf } from './kube/owner-reference.ts';
import type { KubeObject } from './kube/resource.ts';
import { Transport } from './kube/transport.ts';
import { ignoreStatusChanges, type WatchSource, watchInformer } from './kube/watch-source.ts';
import { createLogging } from './logging.ts';
import type { OperatorOptions } from './options.ts';
import { RegistryClient } from './registry/client.ts';
import { type CloudSettings, openCloudKeychains, readCloudSettings } from './registry/providers/cloud.ts';
import { startHealthServer } from './server/health.ts';
import { createMetrics, type Metrics } from './server/metrics.ts';
import { USER_AGENT } from './version.ts';

const LEASE_NAME = 'larder';
const FIELD_MANAGER = 'larder';
const EVENT_CONTROLLER = 'larder.dev/operator';

/** What exists once per process, made before anything else. */
interface Process {
  readonly options: OperatorOptions;
  readonly identity: string;
  readonly transport: Transport;
  readonly metrics: Metrics;
  readonly cloudSettings: CloudSettings;
}

interface Caches {
  readonly sources: Informer<ImageSource>;
  readonly images: Informer<PrepulledImage>;
  readonly nodes: Informer<NodeObject>;
  readonly pods: Informer<PullPod>;
}

/**
 * Builds an operator that has not done anything yet. `environment` tells the cloud the pod runs in, if any.
 * @throws Error if there is no usable kubeconfig
 */
export function createOperator(
  options: OperatorOptions,
  environment: Readonly<Record<string, string | undefined>> = {},
  clock: Clock = systemClock,
): LarderOperator {
  const log = createLogging({ level: options.logLevel, format: options.logFormat, clock });
  const metrics = createMetrics();
  const credentials = new KubeConfigCredentials(clock, () => loadKubeConfig({ file: options.kubeconfig }));
  const { qps, burst } = options;
  const transport = new Transport({
    clock,
    credentials,
    metrics: metrics.runtime,
    userAgent: USER_AGENT,
    rate: qps === 0 ? { qps: Number.POSITIVE_INFINITY, burst: Number.POSITIVE_INFINITY } : { qps, burst },
  });
  const client = new KubeClient({ transport, fieldManager: FIELD_MANAGER });
  const identity = options.identity ?? `${hostname()}-${randomBytes(4).toString('hex')}`;
  const cloudSettings = readCloudSettings(environment);
  return new LarderOperator(
    { client, credentials, clock, log },
    { options, identity, transport, metrics, cloudSettings },
  );
}

export class LarderOperator extends BaseOperator {
  readonly #runtime: OperatorRuntime;
  readonly #process: Process;

  constructor(runtime: OperatorRuntime, process: Process) {
    super(runtime);
    this.#runtime = runtime;
    this.#process = process;
  }

  protected override async compose(): Promise<Composition> {
    const { log, clock } = this.#runtime;
    const { options, identity, transport, metrics } = this.#process;
    const caches = this.#caches();
    const elector = options.leaderElect ? this.#elector() : undefined;
    const client =
      elector === undefined ? this.#runtime.client : this.#runtime.client.fenced(() => elector.holdsLease());
    const registry = new RegistryClient({
      clock,
      allowedCIDRs: options.allowedCIDRs,
      allowedRealms: options.allowedRealms,
      userAgent: USER_AGENT,
    });
    const events = new EventWriter({ client, clock, controller: EVENT_CONTROLLER, instance: identity, log });
    const { healthHost: host, healthPort: port } = options;
    const checks = { isHealthy: () => this.isHealthy, isReady: () => this.isReady };
    const health = await startHealthServer({ checks, metrics, host, port });
    log.info('larder is starting', { version: USER_AGENT, identity, healthPort: health.port });
    const { nodeStatusMaxImages } = options;
    const stock = new Stock({ ...caches, clock, random: Math.random, nodeStatusMaxImages });
    return {
      caches: Object.values(caches),
      controllers: [stock, ...this.#controllers({ client, registry, events, caches, stock })],
      elector,
      drainMs: options.drainMs,
      // Before the lease is given back: what was decided while leading is told while leading.
      flush: () => events.flush(),
      closers: [() => health.close(), () => registry.close(), () => transport.close()],
    };
  }

  #caches(): Caches {
    return {
      sources: this.#informer({ type: imageSourceType }),
      images: this.#informer({
        type: prepulledImageType,
        indexes: { [CHILDREN_BY_OWNER]: (image) => [controllerOf(image)?.uid ?? ''] },
      }),
      nodes: this.#informer({ type: nodeType, project: projectNode }),
      pods: this.#informer({
        type: podType,
        project: projectPullPod,
        labelSelector: PULL_POD_SELECTOR,
        indexes: { [PODS_BY_NODE]: ({ spec }) => [spec.nodeName ?? ''] },
      }),
    };
  }

  #informer<T extends KubeObject>(
    options: Pick<InformerOptions<T>, 'type' | 'project' | 'labelSelector' | 'indexes'>,
  ): Informer<T> {
    const { client, clock, log } = this.#runtime;
    return new Informer({ client, clock, log, metrics: this.#process.metrics.runtime, ...options });
  }

  #elector(): LeaderElector {
    const { client, clock, log } = this.#runtime;
    const { options, identity, metrics } = this.#process;
    const store = leaseOnServer(client, { namespace: options.namespace, name: LEASE_NAME });
    return new LeaderElector({ store, identity, clock, name: LEASE_NAME, log, metrics: metrics.runtime });
  }

  #controllers({ client, registry, events, caches, stock }: Parts): readonly Controller[] {
    const { clock } = this.#runtime;
    const { sources, images, nodes, pods } = caches;
    const { coverage, circuits } = stock;
    const clouds = openCloudKeychains(this.#process.cloudSettings, clock);
    const access = new AccessReader(client, clouds);
    const random = Math.random;
    const controller = (name: string, reconciler: Reconciler, watches: readonly WatchSource[]): Controller =>
      this.#controller({ name, reconciler, watches, events });
    return [
      controller(
        'image-source',
        imageSourceReconciler({
          client,
          source: sources,
          registry,
          access,
          clock,
          random,
          images: images.lister,
        }),
        [
          watchInformer(sources, { predicate: ignoreStatusChanges }),
          watchInformer(images, { map: ownersOf }),
        ],
      ),
      controller(
        'prepulled-image',
        prepulledImageReconciler({
          client,
          source: images,
          registry,
          access,
          clock,
          coverage,
          circuits,
          nodes: () => nodes.lister.list().map(({ facts }) => facts),
        }),
        [watchInformer(images, { predicate: ignoreStatusChanges }), stock.imageTrigger],
      ),
      controller('node-stocker', this.#nodeStocker(client, caches, stock), [
        watchInformer(nodes),
        watchInformer(pods, { map: nodeOf }),
        stock.nodeTrigger,
      ]),
    ];
  }

  #nodeStocker(client: KubeClient, { nodes, pods }: Caches, stock: Stock): Reconciler {
    const { coverage, circuits, wants } = stock;
    return nodeStocker({
      client,
      nodes: nodes.lister,
      pods: pods.lister,
      wants,
      coverage,
      circuits,
      budget: this.#budget(wants),
      expectations: new Expectations(),
      clock: this.#runtime.clock,
      random: Math.random,
      isSettled: () => stock.isSettled(),
      wake: (name) => {
        stock.nodeTrigger.fire({ name });
      },
      maxKeptPods: this.#process.options.maxKeptPods,
      warmGate: this.#process.options.warmGate,
    });
  }

  #budget(wants: Wants): PullBudget {
    const { pullSlots } = this.#process.options;
    return new PullBudget((claim) => {
      if (claim === CLUSTER_CLAIM) return pullSlots === 0 ? Number.POSITIVE_INFINITY : pullSlots;
      return wants.limitOf(claim);
    });
  }

  #controller(
    parts: Pick<ConstructorParameters<typeof Controller>[0], 'name' | 'reconciler' | 'watches' | 'events'>,
  ): Controller {
    const { clock, log } = this.#runtime;
    const { options, metrics } = this.#process;
    return new Controller({ ...parts, workers: options.workers, clock, log, metrics: metrics.runtime });
  }
}

interface Parts {
  readonly client: KubeClient;
  readonly registry: RegistryClient;
  readonly events: EventWriter;
  readonly caches: Caches;
  readonly stock: Stock;
}

function ownersOf(
  image: PrepulledImage,
): readonly { readonly namespace?: string | undefined; readonly name: string }[] {
  const owner = controllerOf(image);
  return owner?.kind === imageSourceType.kind
    ? [{ namespace: image.metadata.namespace, name: owner.name }]
    : [];
}

function nodeOf({ spec }: PullPod): readonly { readonly name: string }[] {
  return spec.nodeName === undefined ? [] : [{ name: spec.nodeName }];
}
