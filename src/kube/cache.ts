/** The objects of one kind as last seen, by key and by index. Frozen: readers share them. */

import { formatKey, type KubeObject, keyOf, type ObjectKey } from './resource.ts';

/** Maps an object to the values it is found under in one index. */
export type IndexFunction<T> = (object: T) => readonly string[];

/** Read access to a cache. Nothing returned may be changed; results are in no particular order. */
export interface Lister<T> {
  get(key: ObjectKey): T | undefined;
  list(namespace?: string): readonly T[];
  /** Objects whose index function yields `value`. @throws Error if there is no such index. */
  byIndex(name: string, value: string): readonly T[];
  readonly size: number;
}

/** What became of the cache by one event or one list. */
export type Change<T> =
  | { readonly kind: 'add'; readonly object: T }
  | { readonly kind: 'update'; readonly object: T; readonly old: T }
  | { readonly kind: 'delete'; readonly object: T };

/** A list on its way into the cache. One that is abandoned leaves behind what it brought, which is newer anyway. */
export interface Replacement<T> {
  /** Takes a part of the list, whatever versions were known before. */
  add(objects: readonly T[]): readonly Change<T>[];
  /** Removes what the list did not have. */
  finish(): readonly Change<T>[];
}

/** Deletions remembered against late events of the deleted object. */
const TOMBSTONES = 1024;

/** The store behind an informer; written by its reflector only. */
export class Cache<T extends KubeObject> implements Lister<T> {
  readonly #objects = new Map<string, T>();
  readonly #indexFunctions: Readonly<Record<string, IndexFunction<T>>>;
  readonly #indexes = new Map<string, Map<string, Set<string>>>();
  readonly #byNamespace = new Map<string, Set<string>>();
  /** Key to the resourceVersion of the deletion, oldest first. */
  readonly #tombstones = new Map<string, string>();

  constructor(indexes: Readonly<Record<string, IndexFunction<T>>> = {}) {
    this.#indexFunctions = indexes;
    for (const name of Object.keys(indexes)) this.#indexes.set(name, new Map());
  }

  get size(): number {
    return this.#objects.size;
  }

  get(key: ObjectKey): T | undefined {
    return this.#objects.get(formatKey(key));
  }

  list(namespace?: string): readonly T[] {
    if (namespace === undefined) return [...this.#objects.values()];
    return this.#resolve(this.#byNamespace.get(namespace));
  }

  byIndex(name: string, value: string): readonly T[] {
    const index = this.#indexes.get(name);
    if (index === undefined) throw new Error(`no index ${name} in this cache`);
    return this.#resolve(index.get(value));
  }

  /**
   * Takes a list for the whole truth, in parts: one of 50,000 objects at a time would stop everything else for long.
   * Objects that did not change keep their identity and cause no change.
   */
  beginReplace(): Replacement<T> {
    const listed = new Set<string>();
    return {
      add: (objects) =>
        objects.flatMap((object) => {
          const key = formatKey(keyOf(object));
          listed.add(key);
          return this.#put(key, object);
        }),
      finish: () => {
        this.#tombstones.clear();
        const gone = [...this.#objects.keys()].filter((key) => !listed.has(key));
        return gone.flatMap((key) => this.#remove(key));
      },
    };
  }

  /** Takes an ADDED or MODIFIED event. Replays and events older than what is known change nothing. */
  upsert(object: T): readonly Change<T>[] {
    const key = formatKey(keyOf(object));
    const version = object.metadata.resourceVersion;
    if (isOlder(version, this.#objects.get(key)?.metadata.resourceVersion)) return [];
    if (isOlder(version, this.#tombstones.get(key))) return [];
    return this.#put(key, object);
  }

  /** Takes a DELETED event; its object carries the resourceVersion of the deletion. */
  delete(object: T): readonly Change<T>[] {
    const key = formatKey(keyOf(object));
    const known = this.#objects.get(key);
    const version = object.metadata.resourceVersion;
    if (known !== undefined && isOlder(version, known.metadata.resourceVersion)) return [];
    if (version !== undefined && !isOlder(version, this.#tombstones.get(key))) this.#bury(key, version);
    return this.#remove(key);
  }

  #put(key: string, object: T): Change<T>[] {
    const old = this.#objects.get(key);
    if (old !== undefined && isSame(old, object)) return [];
    const frozen = deepFreeze(object);
    if (old !== undefined) this.#unindex(key, old);
    this.#objects.set(key, frozen);
    this.#index(key, frozen);
    if (old === undefined) return [{ kind: 'add', object: frozen }];
    if (old.metadata.uid === object.metadata.uid) return [{ kind: 'update', object: frozen, old }];
    // Deleted and created again while we looked away: two facts, not an update.
    return [
      { kind: 'delete', object: old },
      { kind: 'add', object: frozen },
    ];
  }

  #remove(key: string): Change<T>[] {
    const object = this.#objects.get(key);
    if (object === undefined) return [];
    this.#unindex(key, object);
    this.#objects.delete(key);
    return [{ kind: 'delete', object }];
  }

  #bury(key: string, version: string): void {
    this.#tombstones.delete(key);
    this.#tombstones.set(key, version);
    if (this.#tombstones.size <= TOMBSTONES) return;
    for (const oldest of this.#tombstones.keys()) {
      this.#tombstones.delete(oldest);
      break;
    }
  }

  #resolve(keys: ReadonlySet<string> | undefined): readonly T[] {
    const found: T[] = [];
    for (const key of keys ?? []) {
      const object = this.#objects.get(key);
      if (object !== undefined) found.push(object);
    }
    return found;
  }

  #index(key: string, object: T): void {
    const { namespace } = object.metadata;
    if (namespace !== undefined) addTo(this.#byNamespace, namespace, key);
    for (const [name, index] of this.#indexes) {
      for (const value of this.#valuesOf(name, object)) addTo(index, value, key);
    }
  }

  #unindex(key: string, object: T): void {
    const { namespace } = object.metadata;
    if (namespace !== undefined) removeFrom(this.#byNamespace, namespace, key);
    for (const [name, index] of this.#indexes) {
      for (const value of this.#valuesOf(name, object)) removeFrom(index, value, key);
    }
  }

  #valuesOf(name: string, object: T): readonly string[] {
    return this.#indexFunctions[name]?.(object) ?? [];
  }
}

function addTo(index: Map<string, Set<string>>, value: string, key: string): void {
  const keys = index.get(value);
  if (keys === undefined) index.set(value, new Set([key]));
  else keys.add(key);
}

function removeFrom(index: Map<string, Set<string>>, value: string, key: string): void {
  const keys = index.get(value);
  keys?.delete(key);
  if (keys?.size === 0) index.delete(value);
}

function isSame(left: KubeObject, right: KubeObject): boolean {
  const version = left.metadata.resourceVersion;
  return (
    version !== undefined &&
    version === right.metadata.resourceVersion &&
    left.metadata.uid === right.metadata.uid
  );
}

/** Resource versions of one kind are ordered decimals (KEP-5504); anything else is taken in the order of arrival. */
export function isOlder(version: string | undefined, known: string | undefined): boolean {
  if (version === undefined || known === undefined) return false;
  if (!/^\d+$/.test(version) || !/^\d+$/.test(known)) return false;
  return version.length === known.length ? version < known : version.length < known.length;
}

/** Freezes the value and everything in it; what is frozen already is taken as frozen to the bottom. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const member of Object.values(value)) deepFreeze(member);
  return value;
}
