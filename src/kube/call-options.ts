/** What the calls of `KubeClient` take and return. */

import type { ObjectMeta } from './resource.ts';

/** What every call takes. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** Whole time allowed, retries included; default 30 s. */
  readonly timeoutMs?: number | undefined;
  /** How often to send at most; default 5. Callers that have a backoff of their own say 1. */
  readonly maxAttempts?: number | undefined;
  /** Representation of the answer; default: whole objects. */
  readonly accept?: Representation | undefined;
}

/** Lists of nothing but the metadata of built-in kinds: a fraction of the bytes. */
export const METADATA_ONLY = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';
/** Other than whole objects. */
export type Representation = typeof METADATA_ONLY;

/** Which objects of a kind are meant; selectors as query text (see `selectors.ts`). */
export interface ListOptions extends CallOptions {
  /** Absent: all namespaces. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}

/** One page of a list; `continueToken` comes from the page before. */
export interface PageOptions extends ListOptions {
  readonly limit?: number | undefined;
  readonly continueToken?: string | undefined;
}

/** A page, or all pages together. */
export interface ListResult<T> {
  readonly items: readonly T[];
  /** Of the whole list: a watch may start here. */
  readonly resourceVersion: string;
  /** Present while there are more pages. */
  readonly continueToken?: string | undefined;
}

/** Where a watch begins, and when the server shall end it. */
export interface WatchOptions extends ListOptions {
  readonly resourceVersion: string;
  readonly timeoutSeconds: number;
}

interface Named {
  readonly metadata: Partial<ObjectMeta> & { readonly generateName?: string | undefined };
}

interface Addressed {
  readonly metadata: Partial<ObjectMeta> & { readonly name: string };
}

/** Any interface or literal that has at least these fields. */
type WithAnyFields<T> = T | (T & Readonly<Record<string, unknown>>);

/** Body of a new object. `apiVersion` and `kind` are set from the resource type. */
export type Manifest = WithAnyFields<Named>;

/** Body that addresses an object by name. */
export type Subject = WithAnyFields<Addressed>;

/** With `dryRun` the server checks everything and stores nothing. */
export interface CreateOptions extends CallOptions {
  readonly dryRun?: boolean | undefined;
}

/** See `KubeClient.apply`. */
export interface ApplyOptions extends CreateOptions {
  /** Takes fields over from other managers; default true. */
  readonly force?: boolean | undefined;
  readonly fieldManager?: string | undefined;
  readonly subresource?: string | undefined;
}

/** `subresource` such as `status`. */
export interface PatchOptions extends CallOptions {
  readonly subresource?: string | undefined;
}

/** RFC 7386: null removes, arrays are replaced. */
export type MergePatch = Readonly<Record<string, unknown>>;

/** `path` is a JSON pointer: `~1` stands for a slash in a name. */
export interface JsonPatchOperation {
  readonly op: 'add' | 'remove' | 'replace' | 'test';
  readonly path: string;
  readonly value?: unknown;
}

/** RFC 6902. */
export type JsonPatch = readonly JsonPatchOperation[];

/** Preconditions that do not hold are a 409; without a uid a successor of the same name may be hit. */
export interface DeleteOptions extends CallOptions {
  readonly preconditions?: {
    readonly uid?: string | undefined;
    readonly resourceVersion?: string | undefined;
  };
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan' | undefined;
  readonly gracePeriodSeconds?: number | undefined;
}

/** Query parameters; absent and empty ones are left out. */
export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** The selectors of a list. */
export function selectionQuery({ labelSelector, fieldSelector }: ListOptions): Query {
  return { labelSelector, fieldSelector };
}

/** `?a=1&b=2`, or nothing if every value is absent. */
export function queryText(query: Query): string {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  if (pairs.length === 0) return '';
  return `?${new URLSearchParams(pairs.map(([name, value]): [string, string] => [name, String(value)])).toString()}`;
}
