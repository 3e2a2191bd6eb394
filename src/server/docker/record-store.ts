/** Records of the one namespace that the facade serves, read and written at the API server itself. */

import type { DockerImageRecord, DockerImageRecordSpec } from '../../api/docker-image-record.ts';
import { LABELS } from '../../api/group-version.ts';
import { highestPk, pkOf } from '../../api/record-counter.ts';
import type { RecordReference } from '../../api/record-status.ts';
import { type Clock, sleep } from '../../clock.ts';
import { isAlreadyExists, isConflict } from '../../kube/api-error.ts';
import type { KubeClient } from '../../kube/client.ts';
import { findCondition, isConditionTrue } from '../../kube/condition.ts';
import type { ResourceType } from '../../kube/resource.ts';
import { formatFieldSelector, formatLabelSelector } from '../../kube/selectors.ts';
import { changedMeanwhile, notFound, notUnique, refuse } from './answer.ts';
import { recordName } from './record-name.ts';

/** Gives out primary keys; see `Counter`. */
export interface PrimaryKeys {
  next(series: string, floor: number, options: { readonly signal: AbortSignal }): Promise<number>;
}

/** Who refers to a record, asked anew. */
export type FindReferences = (
  record: DockerImageRecord,
  signal: AbortSignal,
) => Promise<readonly RecordReference[]>;

/** Which records, and what it takes to write them. */
export interface RecordStoreOptions {
  readonly client: KubeClient;
  readonly type: ResourceType<DockerImageRecord>;
  readonly namespace: string;
  readonly primaryKeys: PrimaryKeys;
  readonly findReferences: FindReferences;
  readonly clock: Clock;
}

/** A record to be. */
export interface NewRecord {
  readonly spec: DockerImageRecordSpec;
  /** Completes the spec, once it is known that there is no such image yet. */
  readonly prepare: () => Promise<DockerImageRecordSpec>;
  /** Of an image that brings its own. */
  readonly pk?: number;
}

/** What is unique in the namespace. */
type NameAndVersion = Pick<DockerImageRecordSpec, 'name' | 'version'>;

/** What a change makes of a record; undefined: nothing is to be changed. */
export type ChangeRecord = (record: DockerImageRecord) => Promise<DockerImageRecordSpec | undefined>;

/** What a record is called in answers. */
export const MODEL = 'DockerImage';

/** How often a change meets another one before it gives up. */
const MAX_ROUNDS = 5;
/** Names that are tried when a renamed record still has the one that a new record would have. */
const MAX_NAMES = 10;
/** A record that is being deleted is gone within a second, once nothing refers to it. */
const GOING_MS = 5_000;
const GOING_POLL_MS = 100;

/** Keeps nothing between calls: every replica sees what any has written. */
export class RecordStore {
  readonly #options: RecordStoreOptions;

  constructor(options: RecordStoreOptions) {
    this.#options = options;
  }

  get namespace(): string {
    return this.#options.namespace;
  }

  /** Served records with these values of selectable fields, such as `spec.domain`. */
  async list(
    fields: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<readonly DockerImageRecord[]> {
    return (await this.#list({ fieldSelector: formatFieldSelector(fields) }, signal)).filter(isServed);
  }

  async find(pk: number, signal: AbortSignal): Promise<DockerImageRecord | undefined> {
    const labelSelector = formatLabelSelector({ matchLabels: { [LABELS.pk]: String(pk) } });
    const found = await this.#list({ labelSelector }, signal);
    return found.filter(isServed).find((record) => pkOf(record) === pk);
  }

  /** @throws RefusedRequest if there is an image of this name and version */
  async create({ spec, prepare, pk }: NewRecord, signal: AbortSignal): Promise<DockerImageRecord> {
    const { namespace, primaryKeys } = this.#options;
    // All of them, if the highest key must be known.
    const fieldSelector = pk === undefined ? '' : formatFieldSelector(twinFields(spec));
    const found = await this.#list({ fieldSelector }, signal);
    if (found.filter(isServed).some((record) => isTwin(record.spec, spec))) throw notUnique();
    const complete = await prepare();
    const number = pk ?? (await primaryKeys.next(namespace, highestPk(found), { signal }));
    return this.#createNamed(complete, number, signal);
  }

  /** Repeats `change` on the newest state until nobody else has changed it meanwhile. @throws RefusedRequest */
  async change(
    record: DockerImageRecord,
    change: ChangeRecord,
    signal: AbortSignal,
  ): Promise<DockerImageRecord> {
    const { client, type } = this.#options;
    let current = record;
    for (let round = 1; ; round += 1) {
      const spec = await change(current);
      if (spec === undefined) return current;
      await this.#requireUnique(current, spec, signal);
      try {
        return await client.update(type, { ...current, spec }, { signal });
      } catch (error) {
        if (!isConflict(error)) throw error;
        if (round >= MAX_ROUNDS) throw changedMeanwhile();
      }
      current = (await client.get(type, current.metadata, { signal })) ?? throwGone();
    }
  }

  /** Deletes the record unless something refers to it; who does, if so. @throws RefusedRequest */
  async delete(record: DockerImageRecord, signal: AbortSignal): Promise<readonly RecordReference[]> {
    const { client, type, findReferences } = this.#options;
    let current = record;
    for (let round = 1; ; round += 1) {
      const isProtected = current.spec.deletionPolicy === 'Protect';
      const holders = isProtected ? await findReferences(current, signal) : [];
      if (holders.length > 0) return holders;
      const { uid, resourceVersion } = current.metadata;
      try {
        await client.delete(type, current.metadata, { preconditions: { uid, resourceVersion }, signal });
        return [];
      } catch (error) {
        if (!isConflict(error)) throw error;
        if (round >= MAX_ROUNDS) throw changedMeanwhile();
      }
      const found = await client.get(type, current.metadata, { signal });
      if (found === undefined) return [];
      current = found;
    }
  }

  /** Undoes a creation that could not be completed. */
  async discard({ metadata }: DockerImageRecord, signal: AbortSignal): Promise<void> {
    const { client, type } = this.#options;
    await client.delete(type, metadata, { preconditions: { uid: metadata.uid }, signal });
  }

  /** The name tells name and version, so that writers on other replicas are met as a conflict. */
  async #createNamed(
    spec: DockerImageRecordSpec,
    pk: number,
    signal: AbortSignal,
  ): Promise<DockerImageRecord> {
    const { client, type, namespace } = this.#options;
    const base = recordName(spec.name, spec.version);
    for (let index = 1; index <= MAX_NAMES; ) {
      const name = index === 1 ? base : `${base}-${index}`;
      const metadata = { namespace, name, labels: { [LABELS.pk]: String(pk) } };
      try {
        return await client.create<DockerImageRecord>(type, { metadata, spec }, { signal });
      } catch (error) {
        if (!isAlreadyExists(error)) throw error;
      }
      // Another name only if the holder was renamed since; if it is gone, the same name again.
      if (await this.#isHeld(name, spec, signal)) index += 1;
    }
    throw refuse(409, `The names of ${MAX_NAMES} objects for this image are taken; try again.`);
  }

  /** Whether a record of another name and version has the object name. @throws RefusedRequest if it is the twin */
  async #isHeld(name: string, spec: DockerImageRecordSpec, signal: AbortSignal): Promise<boolean> {
    const { client, type, namespace, clock } = this.#options;
    for (let waited = 0; waited < GOING_MS; waited += GOING_POLL_MS) {
      const holder = await client.get(type, { namespace, name }, { signal });
      if (holder === undefined) return false;
      if (!isTwin(holder.spec, spec)) return true;
      if (isServed(holder)) throw notUnique();
      await sleep(clock, GOING_POLL_MS, signal);
    }
    throw refuse(409, 'An image of this name and version is still being deleted; try again.');
  }

  async #requireUnique(
    { metadata, spec: before }: DockerImageRecord,
    spec: DockerImageRecordSpec,
    signal: AbortSignal,
  ): Promise<void> {
    if (isTwin(before, spec)) return;
    const twins = await this.list(twinFields(spec), signal);
    if (twins.some((twin) => twin.metadata.uid !== metadata.uid)) throw notUnique();
  }

  async #list(
    selectors: { readonly fieldSelector?: string; readonly labelSelector?: string },
    signal: AbortSignal,
  ): Promise<readonly DockerImageRecord[]> {
    const { client, type, namespace } = this.#options;
    return (await client.list(type, { namespace, ...selectors, signal })).items;
  }
}

function twinFields({ name, version }: NameAndVersion): Readonly<Record<string, string>> {
  return { 'spec.name': name, 'spec.version': version };
}

function isTwin(left: NameAndVersion, right: NameAndVersion): boolean {
  return left.name === right.name && left.version === right.version;
}

/**
 * Not served: records that the controller refuses (the younger of two with one name and version, say), and those that
 * are about to vanish. A record that is to be deleted but is still referred to is there, and is served.
 */
function isServed({ metadata, status }: DockerImageRecord): boolean {
  if (findCondition(status, 'Accepted')?.status === 'False') return false;
  return metadata.deletionTimestamp === undefined || isConditionTrue(status, 'DeletionBlocked');
}

function throwGone(): never {
  throw notFound(MODEL);
}
