/** Typed calls to the API server. Bodies are plain JSON: fields we do not know survive a read and a write. */

import type { Readable } from 'node:stream';
import { isNotFound } from './api-error.ts';
import {
  type ApplyOptions,
  type CallOptions,
  type CreateOptions,
  type DeleteOptions,
  type JsonPatch,
  type ListOptions,
  type ListResult,
  type Manifest,
  type MergePatch,
  type PageOptions,
  type PatchOptions,
  type Query,
  queryText,
  type Subject,
  selectionQuery,
  type WatchOptions,
} from './call-options.ts';
import { collectPages } from './paged-list.ts';
import {
  formatKey,
  type KubeObject,
  type ObjectKey,
  type ResourceType,
  resourcePath,
  typedObject,
} from './resource.ts';
import type { ApiRequest, Method, Transport, WriteGuard } from './transport.ts';

const DEFAULT_TIMEOUT_MS = 30_000;
const PAGE_LIMIT = 500;

/** A client is a transport with a name; several may share one transport. */
export interface ClientOptions {
  readonly transport: Transport;
  /** Name under which applied fields are owned. */
  readonly fieldManager: string;
  /** Asked before every write; see `KubeClient.fenced`. */
  readonly guard?: WriteGuard | undefined;
  /** Skips the rate limit. */
  readonly unlimited?: boolean | undefined;
}

interface Call {
  readonly verb: string;
  readonly method: Method;
  readonly key?: { readonly namespace?: string | undefined; readonly name?: string | undefined };
  readonly subresource?: string | undefined;
  readonly query?: Query;
  readonly contentType?: string;
  readonly body?: unknown;
  readonly idempotent: boolean;
}

/**
 * Calls by resource type. Every call may reject with `ApiError`, `WriteFencedError` or the reason of its
 * signal.
 */
export class KubeClient {
  readonly #options: ClientOptions;
  readonly #transport: Transport;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#transport = options.transport;
  }

  /** A client over the same connections whose writes are refused, with `WriteFencedError`, when `guard` says no. */
  fenced(guard: WriteGuard): KubeClient {
    return new KubeClient({ ...this.#options, guard });
  }

  /** A client over the same connections that does not wait for the rate limit. */
  unlimited(): KubeClient {
    return new KubeClient({ ...this.#options, unlimited: true });
  }

  /** The object, or undefined if there is none. */
  async get<T extends KubeObject>(
    type: ResourceType<T>,
    key: ObjectKey,
    options: CallOptions = {},
  ): Promise<T | undefined> {
    try {
      return (await this.#call(type, { verb: 'get', method: 'GET', key, idempotent: true }, options)) as T;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  /** One page. @throws ApiError 410 if the continue token has expired. */
  async listPage<T extends KubeObject>(
    type: ResourceType<T>,
    options: PageOptions = {},
  ): Promise<ListResult<T>> {
    const call: Call = {
      verb: 'list',
      method: 'GET',
      key: { namespace: options.namespace },
      query: {
        limit: options.limit ?? PAGE_LIMIT,
        continue: options.continueToken,
        ...selectionQuery(options),
      },
      idempotent: true,
    };
    const answer = (await this.#call(type, call, options)) as {
      readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
      readonly items?: readonly T[] | null;
    };
    const { resourceVersion = '', continue: next } = answer.metadata ?? {};
    return {
      items: answer.items ?? [],
      resourceVersion,
      continueToken: next === '' ? undefined : next,
    };
  }

  /** All objects, page by page from one snapshot; starts over when the snapshot expires between pages. */
  async list<T extends KubeObject>(type: ResourceType<T>, options: ListOptions = {}): Promise<ListResult<T>> {
    return collectPages<T>((continueToken) => this.listPage(type, { ...options, continueToken }));
  }

  /** Creates the object. @throws ApiError `AlreadyExists`; after `ConnectionLost` it may exist all the same. */
  async create<T extends KubeObject>(
    type: ResourceType<T>,
    object: Manifest,
    options: CreateOptions = {},
  ): Promise<T> {
    const call: Call = {
      verb: 'create',
      method: 'POST',
      key: { namespace: object.metadata.namespace },
      query: {
        fieldManager: this.#options.fieldManager,
        dryRun: options.dryRun === true ? 'All' : undefined,
      },
      contentType: 'application/json',
      body: typedObject(type, object),
      idempotent: false,
    };
    return (await this.#call(type, call, options)) as T;
  }

  /** Replaces the whole object. Only for objects read whole by this client: what is left out is deleted. */
  async update<T extends KubeObject>(
    type: ResourceType<T>,
    object: T,
    options: CallOptions = {},
  ): Promise<T> {
    const call: Call = {
      verb: 'update',
      method: 'PUT',
      key: object.metadata,
      query: { fieldManager: this.#options.fieldManager },
      contentType: 'application/json',
      body: typedObject(type, object),
      idempotent: object.metadata.resourceVersion !== undefined,
    };
    return (await this.#call(type, call, options)) as T;
  }

  /**
   * Server-side apply: `object` is everything this field manager wants; owned fields left out are removed.
   * `metadata.uid` and `metadata.resourceVersion` act as preconditions. @throws ApiError 409 if they do not hold.
   * The uid is ignored by the status subresource of custom resources: there, send the resourceVersion.
   */
  async apply<T extends KubeObject>(
    type: ResourceType<T>,
    object: Subject,
    options: ApplyOptions = {},
  ): Promise<T> {
    const call: Call = {
      verb: 'apply',
      method: 'PATCH',
      key: object.metadata,
      subresource: options.subresource,
      query: {
        fieldManager: options.fieldManager ?? this.#options.fieldManager,
        force: options.force ?? true,
        dryRun: options.dryRun === true ? 'All' : undefined,
      },
      contentType: 'application/apply-patch+yaml',
      body: typedObject(type, object),
      idempotent: true,
    };
    return (await this.#call(type, call, options)) as T;
  }

  /** Server-side apply of the status subresource; send the whole status. */
  async applyStatus<T extends KubeObject>(
    type: ResourceType<T>,
    object: Subject & { readonly status: unknown },
    options: ApplyOptions = {},
  ): Promise<T> {
    return this.apply(type, object, { ...options, subresource: 'status' });
  }

  /** Merge patch (an object) or JSON patch (an array). A JSON patch is sent again only if it tests something. */
  async patch<T extends KubeObject>(
    type: ResourceType<T>,
    key: ObjectKey,
    patch: MergePatch | JsonPatch,
    options: PatchOptions = {},
  ): Promise<T> {
    const isJsonPatch = Array.isArray(patch);
    const call: Call = {
      verb: 'patch',
      method: 'PATCH',
      key,
      subresource: options.subresource,
      query: { fieldManager: this.#options.fieldManager },
      contentType: isJsonPatch ? 'application/json-patch+json' : 'application/merge-patch+json',
      body: patch,
      idempotent: !isJsonPatch || (patch as JsonPatch).some((operation) => operation.op === 'test'),
    };
    return (await this.#call(type, call, options)) as T;
  }

  /**
   * Deletes the object; false if there was none.
   * @throws ApiError 409 if a precondition does not hold.
   */
  async delete(type: ResourceType, key: ObjectKey, options: DeleteOptions = {}): Promise<boolean> {
    const call: Call = {
      verb: 'delete',
      method: 'DELETE',
      key,
      contentType: 'application/json',
      body: {
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        preconditions: options.preconditions,
        propagationPolicy: options.propagationPolicy,
        gracePeriodSeconds: options.gracePeriodSeconds,
      },
      // Without the uid, a second DELETE could hit a successor of the same name.
      idempotent: options.preconditions?.uid !== undefined,
    };
    try {
      await this.#call(type, call, options);
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  /** Opens a watch; the body is one JSON event a line. Aborting the signal ends it. */
  async watch(type: ResourceType, options: WatchOptions): Promise<Readable> {
    const call: Call = {
      verb: 'watch',
      method: 'GET',
      key: { namespace: options.namespace },
      query: {
        watch: true,
        resourceVersion: options.resourceVersion,
        allowWatchBookmarks: true,
        timeoutSeconds: options.timeoutSeconds,
        ...selectionQuery(options),
      },
      idempotent: true,
    };
    return this.#transport.open(this.#request(type, call, options));
  }

  #call(type: ResourceType, call: Call, options: CallOptions): Promise<unknown> {
    return this.#transport.send(this.#request(type, call, options));
  }

  #request(type: ResourceType, call: Call, options: CallOptions): ApiRequest {
    const { key = {}, subresource } = call;
    const resource = subresource === undefined ? type.plural : `${type.plural}/${subresource}`;
    const name = key.name === undefined ? (key.namespace ?? '') : formatKey({ ...key, name: key.name });
    return {
      verb: call.verb,
      method: call.method,
      path: `${resourcePath(type, { ...key, subresource })}${queryText(call.query ?? {})}`,
      resource,
      target: name === '' ? resource : `${resource} ${name}`,
      contentType: call.contentType,
      body: call.body === undefined ? undefined : JSON.stringify(call.body),
      idempotent: call.idempotent,
      timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
      maxAttempts: options.maxAttempts,
      signal: options.signal,
      accept: options.accept,
      guard: call.method === 'GET' ? undefined : this.#options.guard,
      unlimited: this.#options.unlimited,
    };
  }
}
