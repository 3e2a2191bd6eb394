/** The records facade on a real HTTP server over a fake API server, with the catalogue that is shipped. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { CATALOGUE_KEYS, type Catalogue, readCatalogue } from '../../src/api/catalogue.ts';
import type { DockerImageRecord } from '../../src/api/docker-image-record.ts';
import { RECORD_COUNTERS_NAME } from '../../src/api/record-counter.ts';
import type { RecordReference } from '../../src/api/record-status.ts';
import { systemClock } from '../../src/clock.ts';
import { dockerImageRecordType } from '../../src/controllers/kinds.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { Counter } from '../../src/kube/counter.ts';
import type { Transport } from '../../src/kube/transport.ts';
import type { Caller, ObjectAccess } from '../../src/server/authorize.ts';
import { createImage, type ImageStores } from '../../src/server/docker/create-image.ts';
import { readExportedImage } from '../../src/server/docker/exported-image.ts';
import { parseJsonText } from '../../src/server/docker/json-text.ts';
import { LoginStore } from '../../src/server/docker/login-store.ts';
import { recordsApi } from '../../src/server/docker/mount.ts';
import { RecordStore } from '../../src/server/docker/record-store.ts';
import { FakeApiServer } from './fake-api-server.ts';
import { FakeReviews, ServedGroups } from './http-server.ts';

export const RECORDS_NAMESPACE = 'records';
export const OPERATOR_NAMESPACE = 'larder-system';

export const RECORDS_REF = { group: 'larder.dev', version: 'v1alpha1', plural: 'dockerimagerecords' };
export const SECRETS_REF = { group: '', version: 'v1', plural: 'secrets' };

/** Data of the ConfigMap that config/catalogue makes. */
export function shippedCatalogueData(): Readonly<Record<string, string>> {
  const folder = join(import.meta.dirname, '../../config/catalogue');
  const files = Object.values(CATALOGUE_KEYS).map((key) => [key, readFileSync(join(folder, key), 'utf8')]);
  return Object.fromEntries(files) as Record<string, string>;
}

/** The catalogue of config/catalogue. */
export function shippedCatalogue(): Catalogue {
  const read = readCatalogue(shippedCatalogueData(), (text) => parse(text) as unknown);
  if (!read.ok) throw new Error(read.error.join('\n'));
  return read.value;
}

/** admin may do everything; everybody else what a test allows. */
export class RoleReviews extends FakeReviews {
  override reviewAccess(who: Caller, access: ObjectAccess): Promise<boolean> {
    return who.username === 'admin' ? Promise.resolve(true) : super.reviewAccess(who, access);
  }
}

/** A running facade, and the world behind it. */
export class RecordsApi implements AsyncDisposable {
  readonly api: FakeApiServer;
  readonly served: ServedGroups;
  readonly client: KubeClient;
  readonly stores: ImageStores;
  /** By metadata.name of the record. */
  readonly references: Map<string, readonly RecordReference[]>;
  catalogue: Catalogue | undefined;
  readonly #transport: Transport;

  private constructor(
    parts: Pick<RecordsApi, 'api' | 'served' | 'client' | 'stores' | 'references'>,
    transport: Transport,
  ) {
    this.api = parts.api;
    this.served = parts.served;
    this.client = parts.client;
    this.stores = parts.stores;
    this.references = parts.references;
    this.#transport = transport;
  }

  static async start(api?: FakeApiServer): Promise<RecordsApi> {
    const server = api ?? (await FakeApiServer.start());
    const { client, transport } = server.connect(systemClock);
    const references = new Map<string, readonly RecordReference[]>();
    const reviews = new RoleReviews();
    const options = {
      client,
      clock: systemClock,
      type: dockerImageRecordType,
      namespace: RECORDS_NAMESPACE,
      primaryKeys: new Counter({ client, namespace: OPERATOR_NAMESPACE, name: RECORD_COUNTERS_NAME }),
      findReferences: ({ metadata }: DockerImageRecord) =>
        Promise.resolve(references.get(metadata.name) ?? []),
    };
    const world: { current: RecordsApi | undefined } = { current: undefined };
    const groups = recordsApi({
      ...options,
      reviews,
      operatorNamespace: OPERATOR_NAMESPACE,
      catalogue: () => world.current?.catalogue,
    });
    const served = await ServedGroups.start({ groups, reviews, anonymousRead: false });
    const stores = { records: new RecordStore(options), logins: new LoginStore(options) };
    world.current = new RecordsApi({ api: server, served, client, stores, references }, transport);
    world.current.catalogue = shippedCatalogue();
    return world.current;
  }

  /** Takes over images as the original lists them, as `larder record import` does. */
  async importImages(images: readonly object[]): Promise<void> {
    const catalogue = this.catalogue ?? shippedCatalogue();
    for (const image of images) {
      const json = parseJsonText(JSON.stringify(image));
      const exported = json.ok ? readExportedImage(json.value, catalogue) : json;
      if (!exported.ok) throw new Error(exported.error);
      const { input, pk } = exported.value;
      await createImage(this.stores, input, new AbortController().signal, pk);
    }
  }

  records(): readonly DockerImageRecord[] {
    return this.api.store.list(RECORDS_REF) as unknown as readonly DockerImageRecord[];
  }

  /** Ends this replica; the API server goes on. */
  async stop(): Promise<void> {
    await this.served[Symbol.asyncDispose]();
    await this.#transport.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.api.close();
  }
}
