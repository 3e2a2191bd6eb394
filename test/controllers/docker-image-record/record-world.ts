/** DockerImageRecords between a fake registry and a fake API server, reconciled for real; restarts lose the memory. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse as parseYaml } from 'yaml';
import { CATALOGUE_KEYS } from '../../../src/api/catalogue.ts';
import type { DockerImageRecord, DockerImageRecordManifest } from '../../../src/api/docker-image-record.ts';
import { dockerImageRecordSchema } from '../../../src/api/docker-image-record.ts';
import type { PrepulledImage } from '../../../src/api/prepulled-image.ts';
import { AccessReader } from '../../../src/controllers/access.ts';
import {
  nameVersionIndex,
  pkIndex,
  RECORDS_BY_NAME_VERSION,
  RECORDS_BY_PK,
} from '../../../src/controllers/docker-image-record/accept.ts';
import { CatalogueStore } from '../../../src/controllers/docker-image-record/catalogue-store.ts';
import { dockerImageRecordReconciler } from '../../../src/controllers/docker-image-record/controller.ts';
import { ReferenceSweep } from '../../../src/controllers/docker-image-record/reference-sweep.ts';
import { IMAGES_BY_RECORD, recordIndex } from '../../../src/controllers/docker-image-record/references.ts';
import { dockerImageRecordType } from '../../../src/controllers/kinds.ts';
import { RecordReferences } from '../../../src/controllers/record-references.ts';
import { takeCensus } from '../../../src/domain/hardware-census.ts';
import type { NodeFacts } from '../../../src/domain/node.ts';
import type { Lister } from '../../../src/kube/cache.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import type { Reconciler } from '../../../src/kube/controller.ts';
import type { ConfigMap } from '../../../src/kube/core-types.ts';
import { Counter } from '../../../src/kube/counter.ts';
import type { Subscriber } from '../../../src/kube/informer.ts';
import { silentLogger } from '../../../src/kube/logger.ts';
import { formatKey, type KubeObject, type ObjectKey, type RawObject } from '../../../src/kube/resource.ts';
import type { Result } from '../../../src/kube/result.ts';
import type { Transport } from '../../../src/kube/transport.ts';
import { RegistryClient } from '../../../src/registry/client.ts';
import { dockerImageRecordManifest, type Overrides } from '../../support/builders.ts';
import { FakeApiServer } from '../../support/fake-api-server.ts';
import type { ResourceRef } from '../../support/fake-api-store.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeRegistry, type FakeRegistryOptions } from '../../support/fake-registry.ts';
import { steppedThrough } from '../../support/registry-failure.ts';
import { nodeFacts } from '../../support/stock-builders.ts';
import { conditionWords, PREPULLED_IMAGES, phaseContext, writeDownEvents } from '../fixtures.ts';

export const RECORDS: ResourceRef = {
  group: 'larder.dev',
  version: 'v1alpha1',
  plural: 'dockerimagerecords',
};
export const CONFIG_MAPS: ResourceRef = { group: '', version: 'v1', plural: 'configmaps' };
export const REPOSITORY = 'ml/yolo';

export type SpecOverrides = Overrides<DockerImageRecordManifest['spec']>;
type Index = (object: never) => readonly string[];

const INDEXES: Readonly<Record<string, Index>> = {
  [RECORDS_BY_NAME_VERSION]: nameVersionIndex,
  [RECORDS_BY_PK]: pkIndex,
  [IMAGES_BY_RECORD]: recordIndex,
};

/** The tables that config/catalogue ships. */
export function shippedCatalogue(): Readonly<Record<string, string>> {
  const folder = join(import.meta.dirname, '../../../config/catalogue');
  const files = Object.values(CATALOGUE_KEYS);
  return Object.fromEntries(files.map((file) => [file, readFileSync(join(folder, file), 'utf8')]));
}

/** An amd64 node with one GPU product, as GPU feature discovery labels it. */
export function gpuNode(name: string, [cuda, driver, compute]: readonly [string, string, string]): NodeFacts {
  const [cudaMajor = '', cudaMinor = ''] = cuda.split('.');
  const [driverMajor = '', driverMinor = '', rev = ''] = driver.split('.');
  const [computeMajor = '', computeMinor = ''] = compute.split('.');
  return nodeFacts(name, {
    labels: {
      'nvidia.com/cuda.runtime.major': cudaMajor,
      'nvidia.com/cuda.runtime.minor': cudaMinor,
      'nvidia.com/cuda.driver.major': driverMajor,
      'nvidia.com/cuda.driver.minor': driverMinor,
      'nvidia.com/cuda.driver.rev': rev,
      'nvidia.com/gpu.compute.major': computeMajor,
      'nvidia.com/gpu.compute.minor': computeMinor,
    },
  });
}

export class RecordWorld implements AsyncDisposable {
  readonly registry: FakeRegistry;
  readonly server: FakeApiServer;
  readonly clock = new FakeClock();
  /** `type reason: message` of each event. */
  readonly events: string[] = [];
  nodes: readonly NodeFacts[] = [gpuNode('gpu-1', ['12.1', '530.30.02', '8.0']), nodeFacts('cpu-1')];
  readonly client: KubeClient;
  readonly #transport: Transport;
  readonly #catalogue: Subscriber<ConfigMap>[] = [];
  #registryClient: RegistryClient;
  #reconciler: Reconciler;

  private constructor(registry: FakeRegistry, server: FakeApiServer) {
    this.registry = registry;
    this.server = server;
    ({ client: this.client, transport: this.#transport } = server.connect(this.clock));
    this.#registryClient = new RegistryClient({ clock: this.clock });
    this.#reconciler = this.#build();
    this.publishCatalogue(shippedCatalogue());
  }

  /** The registry has `ml/yolo:1`; the record `yolo` names it. */
  static async start(spec: SpecOverrides = {}, options: FakeRegistryOptions = {}): Promise<RecordWorld> {
    const world = new RecordWorld(await FakeRegistry.start(options), await FakeApiServer.start());
    world.registry.putImage(REPOSITORY, '1');
    world.put('yolo', spec);
    return world;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#registryClient.close();
    await this.registry[Symbol.asyncDispose]();
    await this.#transport.close();
    await this.server.close();
  }

  image(tag: string): string {
    return `${this.registry.host}/${REPOSITORY}:${tag}`;
  }

  /** A person makes a record, or changes the spec of one. */
  put(name: string, spec: SpecOverrides = {}, metadata: Readonly<Record<string, unknown>> = {}): void {
    const before = this.find(name);
    const manifest = dockerImageRecordManifest({
      metadata: { name, namespace: 'default' },
      spec: { name, image: this.image('1'), access: { plainHTTP: true }, ...spec },
    });
    const object = dockerImageRecordSchema.parse(manifest) as unknown as DockerImageRecord;
    const age = { creationTimestamp: '2026-01-01T00:00:00Z', uid: `uid-of-${name}` };
    const kept = before === undefined ? age : before.metadata;
    this.server.store.put(RECORDS, {
      ...object,
      ...(before?.status && { status: before.status }),
      metadata: {
        ...kept,
        ...object.metadata,
        ...metadata,
        generation: (before?.metadata.generation ?? 0) + 1,
      },
    });
  }

  find(name: string): DockerImageRecord | undefined {
    return this.server.store.find(RECORDS, `default/${name}`) as unknown as DockerImageRecord | undefined;
  }

  get(name = 'yolo'): DockerImageRecord {
    return this.server.store.get(RECORDS, `default/${name}`) as unknown as DockerImageRecord;
  }

  status(name = 'yolo'): NonNullable<DockerImageRecord['status']> {
    return this.get(name).status ?? {};
  }

  /** `status/reason` of each condition. */
  conditions(name = 'yolo'): Readonly<Record<string, string>> {
    return conditionWords(this.status(name));
  }

  message(type: string, name = 'yolo'): string {
    return this.status(name).conditions?.find((condition) => condition.type === type)?.message ?? '';
  }

  /** One pass at the present time of the clock. */
  reconcile(name = 'yolo'): Promise<Result> {
    const key = { namespace: 'default', name };
    const events = writeDownEvents(this.events);
    return this.#reconciler.reconcile(key, phaseContext({ key, now: this.clock.now(), events }));
  }

  /** One pass during which requests are tried again, with the pauses that this takes. */
  reconcileThroughRetries(name = 'yolo'): Promise<Result> {
    return steppedThrough(this.reconcile(name), this.clock);
  }

  /** The interval of the record has passed. */
  async later(name = 'yolo'): Promise<Result> {
    await this.clock.advance(300_000);
    return this.reconcile(name);
  }

  /** A new process: nothing is remembered but what the API server has. */
  async restart(): Promise<void> {
    this.#catalogue.length = 0;
    await this.#registryClient.close();
    this.#registryClient = new RegistryClient({ clock: this.clock });
    this.#reconciler = this.#build();
  }

  /** undefined: the ConfigMap is deleted. */
  publishCatalogue(data: Readonly<Record<string, string>> | undefined): void {
    const metadata = { namespace: 'larder-system', name: 'larder-catalogue' };
    for (const subscriber of this.#catalogue) {
      if (data === undefined) subscriber.onDelete?.({ metadata });
      else subscriber.onAdd?.({ metadata, data });
    }
  }

  get children(): readonly PrepulledImage[] {
    return this.#lister<PrepulledImage>(PREPULLED_IMAGES).list();
  }

  /** Somebody asks to delete it. */
  erase(name = 'yolo'): void {
    this.server.store.delete(RECORDS, `default/${name}`);
  }

  /** `HEAD 1` and the like, without what was asked before the last call. */
  takeRequests(): readonly string[] {
    const seen = this.registry.apiRequests.map(
      ({ method, path }) => `${method} ${path.split('/').at(-1) ?? ''}`,
    );
    this.registry.log.length = 0;
    return seen;
  }

  #build(): Reconciler {
    const records = this.#lister<DockerImageRecord>(RECORDS);
    const references = new RecordReferences(this.client);
    const catalogue = new CatalogueStore({
      informer: {
        subscribe: (subscriber) => {
          this.#catalogue.push(subscriber);
          return () => undefined;
        },
      },
      namespace: 'larder-system',
      parseYaml: (text): unknown => parseYaml(text),
      log: silentLogger,
    });
    return dockerImageRecordReconciler({
      client: this.client,
      source: {
        type: dockerImageRecordType,
        lister: records,
        project: (raw: RawObject) => raw as unknown as DockerImageRecord,
      },
      registry: this.#registryClient,
      access: new AccessReader(this.client),
      clock: this.clock,
      catalogue,
      counter: new Counter({
        client: this.client,
        namespace: 'larder-system',
        name: 'larder-record-counters',
      }),
      census: { current: () => takeCensus(this.nodes) },
      sweep: new ReferenceSweep({
        references,
        records,
        clock: this.clock,
        log: silentLogger,
        onChange: () => undefined,
      }),
      references,
      records,
      images: this.#lister<PrepulledImage>(PREPULLED_IMAGES),
    });
  }

  /** A cache without lag, with the indexes of the operator. */
  #lister<T extends KubeObject>(ref: ResourceRef): Pick<Lister<T>, 'get' | 'list' | 'byIndex'> {
    const list = (namespace?: string): readonly T[] =>
      (this.server.store.list(ref) as unknown as readonly T[]).filter(
        ({ metadata }) => namespace === undefined || metadata.namespace === namespace,
      );
    return {
      get: (key: ObjectKey): T | undefined =>
        this.server.store.find(ref, formatKey(key)) as unknown as T | undefined,
      list,
      byIndex: (index: string, value: string): readonly T[] =>
        list().filter((object) => INDEXES[index]?.(object as never).includes(value)),
    };
  }
}
