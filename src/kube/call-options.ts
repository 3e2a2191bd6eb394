/** What the calls of `KubeClient` take and return. */

import type { ObjectMeta } from './resource.ts';

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** Whole time allowed, retries included; default 30 s. */
  readonly timeoutMs?: number | undefined;
  /** How often to send at most; default 5. Callers that have a backoff of their own say 1. */
  readonly maxAttempts?: number | undefined;
}

export interface ListOptions extends CallOptions {
  /** Absent: all namespaces. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}

export interface PageOptions extends ListOptions {
  readonly limit?: number | undefined;
  readonly continueToken?: string | undefined;
}

export interface ListResult<T> {
  readonly items: readonly T[];
  /** Of the whole list: a watch may start here. */
  readonly resourceVersion: string;
  /** Present while there are more pages. */
  readonly continueToken?: string | undefined;
}

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

export interface CreateOptions extends CallOptions {
  readonly dryRun?: boolean | undefined;
}

export interface ApplyOptions extends CreateOptions {
  /** Takes fields over from other managers; default true. */
  readonly force?: boolean | undefined;
  readonly fieldManager?: string | undefined;
  readonly subresource?: string | undefined;
}

export interface PatchOptions extends CallOptions {
  readonly subresource?: string | undefined;
}

/** RFC 7386: null removes, arrays are replaced. */
export type MergePatch = Readonly<Record<string, unknown>>;

export interface JsonPatchOperation {
  readonly op: 'add' | 'remove' | 'replace' | 'test';
  readonly path: string;
  readonly value?: unknown;
}

/** RFC 6902. */
export type JsonPatch = readonly JsonPatchOperation[];

export interface DeleteOptions extends CallOptions {
  readonly preconditions?: {
    readonly uid?: string | undefined;
    readonly resourceVersion?: string | undefined;
  };
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan' | undefined;
  readonly gracePeriodSeconds?: number | undefined;
}

/** `?a=1&b=2`, or nothing if every value is absent. */
export function queryText(query: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  if (pairs.length === 0) return '';
  return `?${new URLSearchParams(pairs.map(([name, value]): [string, string] => [name, String(value)])).toString()}`;
}
