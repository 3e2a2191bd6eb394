/** Nodes, wants and a fake API server between which the node-stocker works; the test plays the kubelets. */

import type { PrepulledImage } from '../../../src/api/prepulled-image.ts';
import type { NodeObject } from '../../../src/controllers/node.ts';
import { nodeStocker } from '../../../src/controllers/node-stocker/controller.ts';
import { Expectations } from '../../../src/controllers/node-stocker/expectations.ts';
import { PODS_BY_NODE } from '../../../src/controllers/node-stocker/judged-pod.ts';
import { type PullPod, pullKeys } from '../../../src/controllers/node-stocker/pull-pod.ts';
import { projectPullPod } from '../../../src/controllers/node-stocker/pull-pod-projection.ts';
import type { RegistryVerdict } from '../../../src/controllers/node-stocker/registry-check.ts';
import { endedIndex, PODS_ENDED } from '../../../src/controllers/node-stocker/rest.ts';
import { Wants } from '../../../src/controllers/wants.ts';
import { Circuits } from '../../../src/domain/circuits.ts';
import { Coverage } from '../../../src/domain/coverage.ts';
import type { NodeFacts } from '../../../src/domain/node.ts';
import { PullBudget } from '../../../src/domain/pull-budget.ts';
import { claimLimit, type PullLimits } from '../../../src/domain/pull-claim.ts';
import { QuotaLimits } from '../../../src/domain/quota-limits.ts';
import type { Want } from '../../../src/domain/want.ts';
import { formatTime } from '../../../src/kube/condition.ts';
import type { Reconciler } from '../../../src/kube/controller.ts';
import { formatKey, type ObjectKey } from '../../../src/kube/resource.ts';
import type { Result } from '../../../src/kube/result.ts';
import type { Transport } from '../../../src/kube/transport.ts';
import { prepulledImage } from '../../support/builders.ts';
import { FakeApiServer } from '../../support/fake-api-server.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { nodeFacts } from '../../support/stock-builders.ts';
import { PODS, phaseContext } from '../fixtures.ts';

type Overrides = NonNullable<Parameters<typeof prepulledImage>[0]>;

export interface StockerSettings
  extends Partial<Pick<PullLimits, 'slots' | 'slotsPerHost' | 'slotsPerImage'>> {
  readonly maxKeptPods?: number;
  readonly warmGate?: boolean;
}

export interface ImageSettings {
  readonly namespace?: string;
  /** Compressed; default 1 MiB. */
  readonly bytes?: number;
  /** Of the digest; default: one of its own for each name. */
  readonly seed?: string;
  readonly spec?: NonNullable<Overrides['spec']>;
}

/** As in the informer. */
const INDEXES: Readonly<Record<string, (pod: PullPod) => readonly string[]>> = {
  [PODS_BY_NODE]: ({ spec }) => [spec.nodeName ?? ''],
  [PODS_ENDED]: endedIndex,
};

export class StockerWorld implements AsyncDisposable {
  readonly server: FakeApiServer;
  readonly clock = new FakeClock();
  readonly coverage = new Coverage();
  readonly circuits = new Circuits(() => 0);
  readonly wants = new Wants();
  readonly expectations = new Expectations();
  readonly budget: PullBudget;
  readonly quotas = new QuotaLimits();
  /** Nodes that were asked to be looked at again. */
  readonly woken: string[] = [];
  /** Reasons of failures, as counted. */
  readonly failures: string[] = [];
  /** Pods whose events are to be read. */
  readonly finished: string[] = [];
  isSettled = true;
  /** Images are known to be coming. */
  isPending = false;
  /** What the registry says itself of images that could not be pulled; by their names. */
  readonly registrySays = new Map<string, RegistryVerdict>();
  /** What the watch has brought last, while it brings nothing new. */
  staleCache: readonly PullPod[] | undefined;
  readonly #transport: Transport;
  readonly #nodes = new Map<string, NodeObject>();
  readonly #reconciler: Reconciler;

  private constructor(
    server: FakeApiServer,
    { maxKeptPods = 100, warmGate = false, ...limits }: StockerSettings,
  ) {
    this.server = server;
    const { client, transport } = server.connect(this.clock);
    this.#transport = transport;
    const ofImage = (id: string): number | undefined => this.wants.limitOf(id);
    const all = {
      slots: 50,
      slotsPerHost: Infinity,
      slotsPerImage: Infinity,
      ...limits,
      ofImage,
      ofNamespace: (namespace: string) => this.quotas.limit(namespace),
      hasOldNodes: () => true,
    };
    this.budget = new PullBudget((claim) => claimLimit(claim, all));
    const cached = (): readonly PullPod[] => this.staleCache ?? this.pods();
    this.#reconciler = nodeStocker({
      client,
      nodes: { get: ({ name }) => this.#nodes.get(name) },
      pods: {
        byIndex: (index, value) => cached().filter((pod) => INDEXES[index]?.(pod).includes(value) === true),
        get size() {
          return cached().length;
        },
      },
      wants: this.wants,
      coverage: this.coverage,
      circuits: this.circuits,
      budget: this.budget,
      quotas: this.quotas,
      expectations: this.expectations,
      clock: this.clock,
      random: () => 0,
      isPending: () => this.isPending,
      isSettled: () => this.isSettled,
      observer: {
        pulled: () => undefined,
        failed: (reason) => {
          this.failures.push(reason);
        },
      },
      events: {
        finished: ({ metadata }) => {
          this.finished.push(metadata.name);
        },
      },
      askRegistry: ({ id }) => Promise.resolve(this.registrySays.get(id.split('/')[1] ?? '')),
      wake: (node) => {
        this.woken.push(node);
      },
      maxKeptPods,
      warmGate,
    });
  }

  /** The nodes are ready and take everything. */
  static async start(nodes: readonly string[], settings: StockerSettings = {}): Promise<StockerWorld> {
    const world = new StockerWorld(await FakeApiServer.start(), settings);
    for (const name of nodes) world.setNode(name);
    return world;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#transport.close();
    await this.server.close();
  }

  /** An old node unless told since when it is there, in milliseconds since the epoch. */
  setNode(name: string, overrides: Partial<NodeFacts> = {}, since = 0): void {
    const facts = nodeFacts(name, overrides);
    const creationTimestamp = formatTime(since);
    this.#nodes.set(name, { metadata: { name, uid: facts.uid, creationTimestamp }, facts });
    this.coverage.observeNode(facts);
  }

  node(name: string): NodeFacts {
    const node = this.#nodes.get(name);
    if (node === undefined) throw new Error(`there is no node ${name}`);
    return node.facts;
  }

  removeNode(name: string): void {
    this.#nodes.delete(name);
    this.coverage.removeNode(name);
  }

  /** A PrepulledImage that is resolved, by digest. */
  want(
    name: string,
    { namespace = 'default', bytes = 2 ** 20, seed = name, spec = {} }: ImageSettings = {},
  ): Want {
    const registry = 'registry.example.org';
    const digest = `sha256:${Buffer.from(seed).toString('hex').padEnd(64, '0')}`;
    const image = `${registry}/lab:${name}@${digest}`;
    const object: PrepulledImage = {
      ...prepulledImage({ metadata: { name, namespace }, spec: { image, ...spec } }),
      status: {
        image: { reference: `${registry}/lab:${name}`, digest, registry, repository: 'lab', size: bytes },
      },
    };
    this.wants.put(object);
    const want = this.wants.list().find(({ id }) => id === formatKey({ namespace, name }));
    if (want === undefined) throw new Error(`${name} wants nothing`);
    return want;
  }

  drop(name: string, namespace = 'default'): void {
    this.wants.remove(prepulledImage({ metadata: { name, namespace } }));
  }

  reconcile(node: string): Promise<Result> {
    return this.#reconciler.reconcile({ name: node }, phaseContext({ now: this.clock.now() }));
  }

  /** One pull from its beginning to its end: the node is looked at, pulls, and is looked at again. */
  async pullThrough(node: string, failing: Readonly<Record<string, string>> = {}): Promise<Result> {
    await this.reconcile(node);
    this.finish(node, failing);
    return this.reconcile(node);
  }

  /** As the informer shows them, oldest first. */
  pods(node?: string): readonly PullPod[] {
    const all = this.server.store.list(PODS).map((stored) => projectPullPod(stored));
    return all.filter(({ spec }) => node === undefined || spec.nodeName === node);
  }

  /** The only pull pod of the node. */
  pod(node: string): PullPod {
    const [pod, ...others] = this.pods(node);
    if (pod === undefined || others.length > 0)
      throw new Error(`${node} has ${String(others.length)} more pods`);
    return pod;
  }

  /** Names of the images that a pod pulls, in its order. */
  pulls(pod: PullPod): readonly string[] {
    const keys = [...pullKeys(pod).values()];
    return keys.map((key) => Buffer.from(key.replace('sha256:', ''), 'hex').toString().replaceAll('\0', ''));
  }

  /** A pull pod of the node that an earlier leader has left: it has brought nothing, and goes. */
  addPod(node: string): void {
    const uid = `uid-of-${node}`;
    const ownerReferences = [{ apiVersion: 'v1', kind: 'Node', name: node, uid }];
    const metadata = { name: `larder-left-on-${node}`, namespace: 'default', ownerReferences };
    this.server.store.put(PODS, { metadata, spec: { nodeName: node, containers: [] } });
  }

  /** Somebody deletes the pod. */
  erase(pod: ObjectKey): void {
    this.server.store.delete(PODS, formatKey(pod));
  }

  /** The newest pod of the node was made then, by the clock of the API server. */
  date(node: string, at: number): void {
    const pod = this.pods(node).at(-1);
    if (pod === undefined) throw new Error(`${node} has no pod`);
    const stored = this.server.store.get(PODS, formatKey(pod.metadata));
    const metadata = { ...stored.metadata, creationTimestamp: formatTime(at) };
    this.server.store.put(PODS, { ...stored, metadata });
  }

  /** The kubelet has taken note of the pod and pulls. */
  begin(node: string): void {
    this.#report(this.pod(node), (name) => ({
      name,
      imageID: '',
      state: { waiting: { reason: 'ContainerCreating' } },
    }));
  }

  /** Everything was pulled, and what it runs does not end. */
  run(node: string, startedAt: string): void {
    this.#report(this.pod(node), (name) => ({
      name,
      imageID: 'registry.example.org/lab@sha256:other',
      state: { running: { startedAt } },
    }));
  }

  /** Everything was pulled and has run; images in `failing` could not be pulled, for the given cause. */
  finish(node: string, failing: Readonly<Record<string, string>> = {}): void {
    const pod = this.pods(node).at(-1);
    if (pod === undefined) throw new Error(`${node} has no pod`);
    const names = this.pulls(pod);
    const statusOf = (name: string, index: number): object => {
      const message = failing[names[index] ?? ''];
      if (message !== undefined)
        return { name, imageID: '', state: { waiting: { reason: 'ErrImagePull', message } } };
      const finishedAt = formatTime(this.clock.now());
      return {
        name,
        imageID: 'registry.example.org/lab@sha256:other',
        state: { terminated: { finishedAt } },
      };
    };
    // A container that cannot be pulled never ends.
    this.#report(pod, statusOf, names.some((name) => name in failing) ? 'Pending' : 'Succeeded');
  }

  #report(
    pod: PullPod,
    statusOf: (container: string, index: number) => object,
    phase: 'Pending' | 'Running' | 'Succeeded' = 'Pending',
  ): void {
    const stored = this.server.store.get(PODS, formatKey(pod.metadata));
    const containers = [...pullKeys(pod).keys()];
    const startTime = pod.status?.startTime ?? formatTime(this.clock.now());
    const status = { phase, startTime, containerStatuses: containers.map(statusOf) };
    this.server.store.put(PODS, { ...stored, status });
  }
}
