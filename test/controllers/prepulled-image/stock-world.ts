/** One PrepulledImage between a fake registry, a fake API server and nodes whose coverage the test decides. */

import type { PrepulledImage } from '../../../src/api/prepulled-image.ts';
import { AccessReader } from '../../../src/controllers/access.ts';
import { prepulledImageType } from '../../../src/controllers/kinds.ts';
import { prepulledImageReconciler } from '../../../src/controllers/prepulled-image/controller.ts';
import { wantOf } from '../../../src/controllers/want.ts';
import { Circuits } from '../../../src/domain/circuits.ts';
import { Coverage } from '../../../src/domain/coverage.ts';
import type { NodeFacts } from '../../../src/domain/node.ts';
import { StockIndex } from '../../../src/domain/stock-index.ts';
import type { Want } from '../../../src/domain/want.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import type { Reconciler } from '../../../src/kube/controller.ts';
import type { RawObject } from '../../../src/kube/resource.ts';
import type { Result } from '../../../src/kube/result.ts';
import type { Transport } from '../../../src/kube/transport.ts';
import { RegistryClient } from '../../../src/registry/client.ts';
import { prepulledImage } from '../../support/builders.ts';
import { FakeApiServer } from '../../support/fake-api-server.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeRegistry, type FakeRegistryOptions } from '../../support/fake-registry.ts';
import { nodeFacts } from '../../support/stock-builders.ts';
import {
  conditionWords,
  editSpec,
  PREPULLED_IMAGES,
  phaseContext,
  storeLister,
  takeRequests,
  writeDownEvents,
} from '../fixtures.ts';

export const REPOSITORY = 'sciplat/lab';
const KEY = 'default/lab';
const SECRETS = { group: '', version: 'v1', plural: 'secrets' };
const OTHER_IMAGE = { names: ['registry.k8s.io/pause:3'], sizeBytes: 1 };

type SpecOverrides = NonNullable<NonNullable<Parameters<typeof prepulledImage>[0]>['spec']>;

export class StockWorld implements AsyncDisposable {
  readonly registry: FakeRegistry;
  readonly server: FakeApiServer;
  readonly clock = new FakeClock();
  /** `type reason: message` of each event. */
  readonly events: string[] = [];
  readonly coverage = new Coverage();
  readonly circuits = new Circuits(() => 0);
  /** Above the limits of the namespace, if set, and why. */
  refusal: string | undefined;
  readonly index = new StockIndex(this, () => this.clock.monotonic());
  nodes: readonly NodeFacts[] = [nodeFacts('n1'), nodeFacts('n2')];
  readonly #client: KubeClient;
  readonly #transport: Transport;
  readonly #registryClient: RegistryClient;
  readonly #reconciler: Reconciler;

  private constructor(registry: FakeRegistry, server: FakeApiServer) {
    this.registry = registry;
    this.server = server;
    ({ client: this.#client, transport: this.#transport } = server.connect(this.clock));
    this.#registryClient = new RegistryClient({ clock: this.clock });
    this.#reconciler = this.#build();
  }

  /** The image is `sciplat/lab:w_2026_47`, pushed for amd64; `{image}` in the spec is given the host of the registry. */
  static async start(spec: SpecOverrides = {}, options: FakeRegistryOptions = {}): Promise<StockWorld> {
    const world = new StockWorld(await FakeRegistry.start(options), await FakeApiServer.start());
    world.registry.putImage(REPOSITORY, 'w_2026_47');
    const image = world.reference('w_2026_47');
    const object = prepulledImage({
      metadata: { name: 'lab' },
      spec: { image, access: { plainHTTP: true }, ...spec },
    });
    world.server.store.put(PREPULLED_IMAGES, object);
    return world;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#registryClient.close();
    await this.registry[Symbol.asyncDispose]();
    await this.#transport.close();
    await this.server.close();
  }

  reference(tag: string): string {
    return `${this.registry.host}/${REPOSITORY}:${tag}`;
  }

  reconcile(): Promise<Result> {
    this.#follow();
    const key = { namespace: 'default', name: 'lab' };
    const events = writeDownEvents(this.events);
    return this.#reconciler.reconcile(key, phaseContext({ key, now: this.clock.now(), events }));
  }

  /** A person or another controller sets annotations. */
  annotate(annotations: Readonly<Record<string, string>>): void {
    const { metadata, ...rest } = this.object;
    this.server.store.put(PREPULLED_IMAGES, { ...rest, metadata: { ...metadata, annotations } });
  }

  /** A pull secret in the namespace of the object. */
  putSecret(name: string, type: string, data: Readonly<Record<string, string>>): void {
    const encoded = Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString('base64')]);
    const metadata = { name, namespace: 'default' };
    this.server.store.put(SECRETS, { metadata, type, data: Object.fromEntries(encoded) as object });
  }

  /** A docker config for the registry of this world. */
  putDockerConfig(name: string, username: string, password: string): void {
    const auths = { [this.registry.host]: { username, password } };
    this.putSecret(name, 'kubernetes.io/dockerconfigjson', {
      '.dockerconfigjson': JSON.stringify({ auths }),
    });
  }

  /** What the caches of the operator have brought to the index by now. */
  #follow(): void {
    for (const node of this.nodes) {
      // Short, so that it proves by its silence what is not there.
      this.coverage.observeNode({ ...node, images: [...node.images, OTHER_IMAGE] });
      this.index.putNode(node);
    }
    const object = this.server.store.find(PREPULLED_IMAGES, KEY) as unknown as PrepulledImage | undefined;
    const want = object === undefined ? undefined : wantOf(object);
    if (want === undefined) this.index.removeWant(KEY);
    else this.index.putWant(want);
  }

  get object(): PrepulledImage {
    return this.server.store.get(PREPULLED_IMAGES, KEY) as unknown as PrepulledImage;
  }

  get status(): NonNullable<PrepulledImage['status']> {
    return this.object.status ?? {};
  }

  /** `status/reason` of each condition. */
  get conditions(): Readonly<Record<string, string>> {
    return conditionWords(this.status);
  }

  message(type: string): string {
    return this.status.conditions?.find((condition) => condition.type === type)?.message ?? '';
  }

  edit(spec: Partial<PrepulledImage['spec']>): void {
    editSpec(this.server, PREPULLED_IMAGES, KEY, spec);
  }

  get want(): Want {
    const want = wantOf(this.object);
    if (want === undefined) throw new Error('the object wants nothing yet');
    return want;
  }

  /** A pull pod has brought the image to these nodes. */
  stock(...names: readonly string[]): void {
    for (const name of names) {
      for (const { key } of this.want.pulls) {
        this.coverage.addReceipt(
          { name, uid: `uid-of-${name}` },
          { key, proof: 'pod' },
          this.clock.monotonic(),
        );
      }
    }
  }

  /** A pull pod is at work on the node, or is no more. */
  pulling(name: string, isAtWork: boolean): void {
    const state = { reason: 'Pulling', message: 'The node is pulling' } as const;
    const keys = isAtWork ? this.want.pulls.map(({ key }) => [key, state] as const) : [];
    this.coverage.setPulling({ name, uid: `uid-of-${name}` }, new Map(keys));
  }

  fail(name: string, message: string, reason = 'ImageNotFound'): void {
    const now = this.clock.now();
    const failure = {
      reason,
      message,
      attempts: 2,
      lastAttempt: now,
      notBefore: this.clock.monotonic() + 60_000,
    };
    this.coverage.setFailure({ name, uid: `uid-of-${name}` }, this.want, failure);
  }

  get writes(): number {
    return this.server.count('apply', 'prepulledimages');
  }

  /** `GET w_1` and the like, without what was asked before the last call. */
  takeRequests(): readonly string[] {
    return takeRequests(this.registry);
  }

  #build(): Reconciler {
    return prepulledImageReconciler({
      client: this.#client,
      source: {
        type: prepulledImageType,
        lister: storeLister<PrepulledImage>(this.server, PREPULLED_IMAGES),
        project: (raw: RawObject) => raw as unknown as PrepulledImage,
      },
      registry: this.#registryClient,
      access: new AccessReader(this.#client),
      clock: this.clock,
      circuits: this.circuits,
      index: this.index,
      refusal: () => this.refusal,
    });
  }
}
