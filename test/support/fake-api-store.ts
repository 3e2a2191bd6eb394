/** The objects behind the fake API server: versions, history, patches, and the refusals of the real one. */

import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';

export type Json = Record<string, unknown>;

export interface StoredObject extends Json {
  apiVersion: string;
  kind: string;
  metadata: Json & { name: string; namespace?: string; uid: string; resourceVersion: string };
}

interface ArrangedMeta {
  readonly name: string;
  readonly namespace?: string | undefined;
}

/** Any object with a name, of whatever type the test has it. */
export type Arrangement =
  | { readonly metadata: ArrangedMeta }
  | { readonly metadata: ArrangedMeta & Readonly<Json>; readonly [field: string]: unknown };

/** One resource type in one path: `''/v1/pods` or `larder.dev/v1alpha1/imagesources`. */
export interface ResourceRef {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
}

export interface HistoryEntry {
  readonly version: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly resource: string;
  readonly object: StoredObject;
  readonly old: StoredObject | undefined;
}

/** An answer that refuses: becomes a `metav1.Status`. */
export class Refusal extends Error {
  readonly code: number;
  readonly reason: string;
  readonly details: Json | undefined;

  constructor(code: number, reason: string, message: string, details?: Json) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.details = details;
  }
}

export interface ApplyRequest {
  readonly manager: string;
  readonly force: boolean;
  readonly subresource: string | undefined;
}

/** Kinds whose status is an ordinary part of the object. */
const WITHOUT_STATUS_SUBRESOURCE: ReadonlySet<string> = new Set([
  'configmaps',
  'secrets',
  'leases',
  'events',
]);

export class FakeApiStore {
  readonly #objects = new Map<string, Map<string, StoredObject>>();
  readonly #history: HistoryEntry[] = [];
  readonly #listeners = new Set<(entry: HistoryEntry) => void>();
  /** What each manager applied last, by object uid, manager and subresource. */
  readonly #applied = new Map<string, Json>();
  #version = 100;
  #compacted = 0;

  get version(): number {
    return this.#version;
  }

  /** Versions up to here are no longer known to watches and continue tokens. */
  get compacted(): number {
    return this.#compacted;
  }

  /** Forgets the history, as etcd does every five minutes. */
  compact(): void {
    this.#compacted = this.#version;
    this.#history.length = 0;
  }

  /** Lets time pass elsewhere: versions move on although nothing of interest changed. */
  skipVersions(count: number): void {
    this.#version += count;
  }

  onChange(listener: (entry: HistoryEntry) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  historySince(version: number): readonly HistoryEntry[] {
    return this.#history.filter((entry) => entry.version > version);
  }

  list(ref: ResourceRef): readonly StoredObject[] {
    return [...this.#collection(ref).entries()]
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([, object]) => object);
  }

  find(ref: ResourceRef, key: string): StoredObject | undefined {
    return this.#collection(ref).get(key);
  }

  get(ref: ResourceRef, key: string): StoredObject {
    const object = this.find(ref, key);
    if (object === undefined) throw new Refusal(404, 'NotFound', `${ref.plural} "${nameOf(key)}" not found`);
    return object;
  }

  create(ref: ResourceRef, namespace: string | undefined, body: Json): StoredObject {
    const given = (body['metadata'] ?? {}) as Json;
    const name =
      (given['name'] as string | undefined) ?? `${String(given['generateName'])}${randomUUID().slice(0, 5)}`;
    const key = keyText(namespace, name);
    if (this.#collection(ref).has(key)) {
      throw new Refusal(409, 'AlreadyExists', `${ref.plural} "${name}" already exists`);
    }
    const metadata: Json = { ...given };
    delete metadata['generateName'];
    const object = {
      ...structuredClone(body),
      metadata: {
        ...structuredClone(metadata),
        name,
        ...(namespace === undefined ? {} : { namespace }),
        uid: randomUUID(),
        generation: 1,
        creationTimestamp: '2026-01-01T00:00:00Z',
        managedFields: [{ manager: 'somebody', operation: 'Update' }],
      },
    } as unknown as StoredObject;
    if (hasStatusSubresource(ref)) delete object['status'];
    return this.#store(ref, key, object);
  }

  /** Writes an object as it is, past all rules: how tests arrange the world, status included. Creates or replaces. */
  put(ref: ResourceRef, body: Arrangement): StoredObject {
    const key = keyText(body.metadata.namespace, body.metadata.name);
    const old = this.find(ref, key);
    const object = {
      apiVersion: ref.group === '' ? ref.version : `${ref.group}/${ref.version}`,
      kind: '',
      ...structuredClone(body),
      metadata: {
        uid: old?.metadata.uid ?? randomUUID(),
        generation: nextGeneration(old, body),
        creationTimestamp: '2026-01-01T00:00:00Z',
        ...structuredClone(body.metadata),
      },
    } as unknown as StoredObject;
    return this.#store(ref, key, object);
  }

  /** PUT. */
  replace(ref: ResourceRef, key: string, body: Json, subresource: string | undefined): StoredObject {
    const old = this.get(ref, key);
    const metadata = (body['metadata'] ?? {}) as Json;
    checkPreconditions(old, metadata);
    const next =
      subresource === 'status' ? { ...old, status: body['status'] } : { ...body, status: old['status'] };
    return this.#update(ref, key, next);
  }

  mergePatch(ref: ResourceRef, key: string, patch: Json, subresource: string | undefined): StoredObject {
    const old = this.get(ref, key);
    checkPreconditions(old, (patch['metadata'] ?? {}) as Json);
    const merged = mergeObjects(old, patch);
    return this.#update(ref, key, confine(ref, old, merged, subresource));
  }

  jsonPatch(
    ref: ResourceRef,
    key: string,
    operations: readonly Json[],
    subresource: string | undefined,
  ): StoredObject {
    const old = this.get(ref, key);
    const patched = structuredClone(old) as Json;
    for (const operation of operations) applyOperation(patched, operation);
    return this.#update(ref, key, confine(ref, old, patched, subresource));
  }

  /** Server-side apply: fields the manager applied before and leaves out now are removed. */
  apply(ref: ResourceRef, namespace: string | undefined, body: Json, request: ApplyRequest): StoredObject {
    const metadata = body['metadata'] as Json & { name: string };
    const key = keyText(namespace, metadata.name);
    const existing = this.find(ref, key);
    if (existing === undefined) {
      if (request.subresource !== undefined) this.get(ref, key);
      if (metadata['uid'] !== undefined || metadata['resourceVersion'] !== undefined) {
        throw new Refusal(409, 'Conflict', `no existing object was found for ${metadata.name}`);
      }
      const created = this.create(ref, namespace, body);
      this.#applied.set(`${created.metadata.uid} ${request.manager} `, structuredClone(body));
      return created;
    }
    if (request.subresource === 'status') {
      checkPreconditions(existing, { resourceVersion: metadata['resourceVersion'] });
    } else {
      checkAppliedUid(existing, metadata);
      checkPreconditions(existing, metadata);
    }
    const id = `${existing.metadata.uid} ${request.manager} ${request.subresource ?? ''}`;
    const wanted = appliedPart(body, request.subresource);
    const pruned = prune(structuredClone(existing), this.#applied.get(id) ?? {}, wanted) as Json;
    const merged = mergeApplied(pruned, wanted) as Json;
    this.#applied.set(id, structuredClone(wanted));
    return this.#update(ref, key, confine(ref, existing, merged, request.subresource));
  }

  delete(ref: ResourceRef, key: string, options: Json = {}): StoredObject {
    const old = this.get(ref, key);
    checkPreconditions(old, (options['preconditions'] ?? {}) as Json);
    const finalizers = (old.metadata['finalizers'] ?? []) as readonly string[];
    if (finalizers.length === 0) return this.#drop(ref, key, old);
    if (old.metadata['deletionTimestamp'] !== undefined) return old;
    const metadata = {
      ...old.metadata,
      deletionTimestamp: '2026-01-01T00:00:01Z',
      deletionGracePeriodSeconds: 0,
    };
    return this.#store(ref, key, { ...old, metadata });
  }

  #update(ref: ResourceRef, key: string, next: Json): StoredObject {
    const old = this.get(ref, key);
    const metadata = {
      ...((next['metadata'] ?? {}) as Json),
      ...serverOwned(old),
      generation: nextGeneration(old, next),
    };
    const object = {
      ...next,
      apiVersion: old.apiVersion,
      kind: old.kind,
      metadata,
    } as unknown as StoredObject;
    if (isDeepStrictEqual(object, old)) return old;
    const finalizers = (object.metadata['finalizers'] ?? []) as readonly string[];
    if (object.metadata['deletionTimestamp'] !== undefined && finalizers.length === 0) {
      return this.#drop(ref, key, object);
    }
    return this.#store(ref, key, object);
  }

  #store(ref: ResourceRef, key: string, object: StoredObject): StoredObject {
    const collection = this.#collection(ref);
    const old = collection.get(key);
    this.#version += 1;
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } };
    collection.set(key, stored);
    this.#publish({
      type: old === undefined ? 'ADDED' : 'MODIFIED',
      resource: refText(ref),
      object: stored,
      old,
    });
    return stored;
  }

  #drop(ref: ResourceRef, key: string, object: StoredObject): StoredObject {
    this.#version += 1;
    this.#collection(ref).delete(key);
    const last = { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } };
    this.#publish({ type: 'DELETED', resource: refText(ref), object: last, old: object });
    return last;
  }

  #publish(entry: Omit<HistoryEntry, 'version'>): void {
    const complete = { ...entry, version: this.#version };
    this.#history.push(complete);
    for (const listener of this.#listeners) listener(complete);
  }

  #collection(ref: ResourceRef): Map<string, StoredObject> {
    const id = refText(ref);
    const known = this.#objects.get(id);
    if (known !== undefined) return known;
    const collection = new Map<string, StoredObject>();
    this.#objects.set(id, collection);
    return collection;
  }
}

/** What no client can change by writing metadata. */
function serverOwned({
  metadata,
}: StoredObject): Json & Pick<StoredObject['metadata'], 'name' | 'uid' | 'resourceVersion'> {
  const { name, namespace, uid, resourceVersion, creationTimestamp, deletionTimestamp, managedFields } =
    metadata;
  const optional = Object.entries({ namespace, creationTimestamp, deletionTimestamp, managedFields });
  return {
    name,
    uid,
    resourceVersion,
    ...Object.fromEntries(optional.filter(([, value]) => value !== undefined)),
  };
}

export function refText(ref: ResourceRef): string {
  return `${ref.group}/${ref.version}/${ref.plural}`;
}

export function keyText(namespace: string | undefined, name: string): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

function nameOf(key: string): string {
  return key.slice(key.indexOf('/') + 1);
}

function hasStatusSubresource(ref: ResourceRef): boolean {
  return !WITHOUT_STATUS_SUBRESOURCE.has(ref.plural);
}

function nextGeneration(old: StoredObject | undefined, next: Json): number {
  const before = (old?.metadata['generation'] as number | undefined) ?? 0;
  return old !== undefined && isDeepStrictEqual(old['spec'], next['spec']) ? before : before + 1;
}

function checkPreconditions(old: StoredObject, given: Json): void {
  const { uid, resourceVersion } = given;
  if (uid !== undefined && uid !== old.metadata.uid) {
    throw new Refusal(409, 'Conflict', `Precondition failed: UID in precondition: ${JSON.stringify(uid)}`);
  }
  if (resourceVersion !== undefined && resourceVersion !== old.metadata.resourceVersion) {
    throw new Refusal(409, 'Conflict', `Operation cannot be fulfilled: the object has been modified`);
  }
}

/** The real server takes a foreign uid in an apply for an attempt to change an immutable field. */
function checkAppliedUid(old: StoredObject, given: Json): void {
  if (given['uid'] === undefined || given['uid'] === old.metadata.uid) return;
  const message = 'Invalid value: field is immutable';
  const causes = [{ reason: 'FieldValueInvalid', field: 'metadata.uid', message }];
  throw new Refusal(422, 'Invalid', `${old.metadata.name} is invalid: metadata.uid: ${message}`, { causes });
}

/** A write to the object leaves the status alone; a write to the status leaves everything else alone. */
function confine(ref: ResourceRef, old: StoredObject, next: Json, subresource: string | undefined): Json {
  if (subresource === 'status') return { ...old, status: next['status'] };
  return hasStatusSubresource(ref) ? { ...next, status: old['status'] } : next;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** RFC 7386. */
function mergeObjects(target: Json, patch: Json): Json {
  const merged: Json = { ...target };
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) Reflect.deleteProperty(merged, name);
    else if (isObject(value)) merged[name] = mergeObjects(isObject(merged[name]) ? merged[name] : {}, value);
    else merged[name] = value;
  }
  return merged;
}

function badPatch(): Refusal {
  return new Refusal(422, 'Invalid', 'the server rejected our request due to an error in our request');
}

/** RFC 6902, as far as clients of this server go. A failed test is a bare 422, as on the real server. */
function applyOperation(root: Json, operation: Json): void {
  const path = String(operation['path']).split('/').slice(1);
  const parts = path.map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  const last = parts.pop() ?? '';
  const parent = parts.reduce<unknown>((value, part) => (value as Json | undefined)?.[part], root);
  if (parent === undefined) throw badPatch();
  const { op, value } = operation;
  if (op === 'test') {
    if (!isDeepStrictEqual((parent as Json)[last], value)) throw badPatch();
  } else if (Array.isArray(parent)) {
    if (op === 'remove') parent.splice(Number(last), 1);
    else parent.splice(last === '-' ? parent.length : Number(last), op === 'replace' ? 1 : 0, value);
  } else if (op === 'remove') {
    Reflect.deleteProperty(parent as Json, last);
  } else {
    (parent as Json)[last] = value;
  }
}

function appliedPart(body: Json, subresource: string | undefined): Json {
  if (subresource === 'status') return { status: body['status'] };
  const { metadata, ...rest } = body;
  delete rest['apiVersion'];
  delete rest['kind'];
  const { labels, annotations, ownerReferences, finalizers } = metadata as Json;
  const kept = Object.entries({ labels, annotations, ownerReferences, finalizers }).filter(
    ([, value]) => value !== undefined,
  );
  return { ...rest, metadata: Object.fromEntries(kept) };
}

/** Removes from `current` what `before` owned and `wanted` no longer names. Lists of typed objects go by type. */
function prune(current: unknown, before: unknown, wanted: unknown): unknown {
  if (isObject(current) && isObject(before)) {
    const rest = isObject(wanted) ? wanted : {};
    for (const [name, value] of Object.entries(before)) {
      if (!(name in rest)) Reflect.deleteProperty(current, name);
      else if (name in current) current[name] = prune(current[name], value, rest[name]);
    }
    return current;
  }
  if (isTypedList(current) && isTypedList(before) && isTypedList(wanted)) {
    const owned = new Set(before.map((item) => item['type']));
    const kept = new Set(wanted.map((item) => item['type']));
    return current.filter((item) => !owned.has(item['type']) || kept.has(item['type']));
  }
  return current;
}

function mergeApplied(current: unknown, wanted: unknown): unknown {
  if (isObject(current) && isObject(wanted)) {
    const merged: Json = { ...current };
    for (const [name, value] of Object.entries(wanted)) merged[name] = mergeApplied(merged[name], value);
    return merged;
  }
  if (isTypedList(current) && isTypedList(wanted)) {
    const byType = new Map(current.map((item) => [item['type'], item]));
    for (const item of wanted) byType.set(item['type'], mergeApplied(byType.get(item['type']), item) as Json);
    return [...byType.values()];
  }
  return structuredClone(wanted);
}

/** Conditions: of all lists here the only one that is a map by `type`. */
function isTypedList(value: unknown): value is Json[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((item) => isObject(item) && 'type' in item && 'status' in item)
  );
}
