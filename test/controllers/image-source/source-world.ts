/** One ImageSource between a fake registry and a fake API server, reconciled for real; restarts lose the memory. */

import type { ImageSource } from '../../../src/api/image-source.ts';
import type { PrepulledImage, PrepulledImageStatus } from '../../../src/api/prepulled-image.ts';
import { AccessReader } from '../../../src/controllers/access.ts';
import { imageSourceReconciler } from '../../../src/controllers/image-source/controller.ts';
import { ScanMemory } from '../../../src/controllers/image-source/scan-memory.ts';
import { imageSourceType } from '../../../src/controllers/kinds.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import type { Reconciler } from '../../../src/kube/controller.ts';
import type { RawObject } from '../../../src/kube/resource.ts';
import type { Result } from '../../../src/kube/result.ts';
import type { Transport } from '../../../src/kube/transport.ts';
import { RegistryClient } from '../../../src/registry/client.ts';
import { imageSource } from '../../support/builders.ts';
import { FakeApiServer } from '../../support/fake-api-server.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeRegistry } from '../../support/fake-registry.ts';
import { steppedThrough } from '../../support/registry-failure.ts';
import {
  conditionWords,
  editSpec,
  IMAGE_SOURCES,
  PREPULLED_IMAGES,
  phaseContext,
  storeLister,
  takeRequests,
  writeDownEvents,
} from '../fixtures.ts';

export const REPOSITORY = 'sciplat/lab';
/** Ten more than the status has room for. */
export const SIXTY_VERSIONS = Array.from({ length: 60 }, (_, index) => `1.0.${String(index)}`);
const KEY = 'default/lab';

type SpecOverrides = NonNullable<NonNullable<Parameters<typeof imageSource>[0]>['spec']>;

export class SourceWorld implements AsyncDisposable {
  readonly registry: FakeRegistry;
  readonly server: FakeApiServer;
  readonly clock = new FakeClock();
  /** What the leader remembers; new after a restart. */
  memory = new ScanMemory();
  /** `type reason: message` of each event. */
  readonly events: string[] = [];
  readonly #client: KubeClient;
  readonly #transport: Transport;
  #registryClient: RegistryClient;
  #reconciler: Reconciler;

  private constructor(registry: FakeRegistry, server: FakeApiServer) {
    this.registry = registry;
    this.server = server;
    ({ client: this.#client, transport: this.#transport } = server.connect(this.clock));
    this.#registryClient = new RegistryClient({ clock: this.clock });
    this.#reconciler = this.#build();
  }

  /** All of SIXTY_VERSIONS are selected and stocked. */
  static startBeyondStatus(): Promise<SourceWorld> {
    return SourceWorld.start(SIXTY_VERSIONS, {
      tags: { grammar: 'SemVer' },
      select: [{ name: 'all', semver: '*', newest: 60 }],
      prepull: {},
    });
  }

  /** The repository holds an image for each tag; tags written `a=b` share the content of b. */
  static async start(tags: readonly string[], spec: SpecOverrides = {}): Promise<SourceWorld> {
    const world = new SourceWorld(await FakeRegistry.start(), await FakeApiServer.start());
    world.push(...tags);
    const image = `${world.registry.host}/${REPOSITORY}`;
    const source = imageSource({
      spec: { image, access: { plainHTTP: true }, tags: { grammar: 'RSP' }, ...spec },
    });
    world.server.store.put(IMAGE_SOURCES, source);
    return world;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#registryClient.close();
    await this.registry[Symbol.asyncDispose]();
    await this.#transport.close();
    await this.server.close();
  }

  push(...tags: readonly string[]): void {
    for (const text of tags) {
      const [tag = '', seed = tag] = text.split('=');
      this.registry.putImage(REPOSITORY, tag, { seed });
    }
  }

  /** One pass at the present time of the clock. */
  reconcile(): Promise<Result> {
    const key = { namespace: 'default', name: 'lab' };
    const events = writeDownEvents(this.events);
    return this.#reconciler.reconcile(key, phaseContext({ key, now: this.clock.now(), events }));
  }

  /** One pass during which requests are tried again, with the pauses that this takes. */
  reconcileThroughRetries(): Promise<Result> {
    return steppedThrough(this.reconcile(), this.clock);
  }

  /** A new process: nothing is remembered but what the API server has. */
  async restart(): Promise<void> {
    await this.#registryClient.close();
    this.#registryClient = new RegistryClient({ clock: this.clock });
    this.memory = new ScanMemory();
    this.#reconciler = this.#build();
  }

  get source(): ImageSource {
    return this.server.store.get(IMAGE_SOURCES, KEY) as unknown as ImageSource;
  }

  get status(): NonNullable<ImageSource['status']> {
    return this.source.status ?? {};
  }

  /** `status/reason` of each condition. */
  get conditions(): Readonly<Record<string, string>> {
    return conditionWords(this.status);
  }

  /** A person edits the spec. */
  edit(spec: Partial<ImageSource['spec']>): void {
    editSpec(this.server, IMAGE_SOURCES, KEY, spec);
  }

  annotate(annotations: Readonly<Record<string, string>>): void {
    const { metadata, ...rest } = this.source;
    this.server.store.put(IMAGE_SOURCES, { ...rest, metadata: { ...metadata, annotations } });
  }

  get children(): readonly PrepulledImage[] {
    return storeLister<PrepulledImage>(this.server, PREPULLED_IMAGES).list();
  }

  /** Tags of the children, sorted. */
  get childTags(): readonly string[] {
    return this.children.map(({ spec }) => /:([^:@/]+)@/.exec(spec.image)?.[1] ?? spec.image).sort();
  }

  child(tag: string): PrepulledImage {
    const found = this.children.find(({ spec }) => spec.image.includes(`:${tag}@`));
    if (found === undefined) throw new Error(`no child for ${tag}`);
    return found;
  }

  /** What the prepulled-image controller would report. */
  report(tag: string, status: PrepulledImageStatus): void {
    const child = this.child(tag);
    const [reference = '', digest = ''] = child.spec.image.split('@');
    const image = { reference, digest, registry: this.registry.host, repository: REPOSITORY };
    this.server.store.put(PREPULLED_IMAGES, { ...child, status: { image, ...status } });
  }

  /** `HEAD w_1` and the like, without what was asked before the last call. */
  takeRequests(): readonly string[] {
    return takeRequests(this.registry);
  }

  #build(): Reconciler {
    return imageSourceReconciler({
      client: this.#client,
      source: {
        type: imageSourceType,
        lister: storeLister<ImageSource>(this.server, IMAGE_SOURCES),
        project: (raw: RawObject) => raw as unknown as ImageSource,
      },
      memory: this.memory,
      registry: this.#registryClient,
      access: new AccessReader(this.#client),
      clock: this.clock,
      random: () => 0,
      images: storeLister<PrepulledImage>(this.server, PREPULLED_IMAGES),
    });
  }
}
