/**
 * The operator as an `Operator` of `@dot-i/k8s-operator`: that package's class is the outer shell, started by `start`
 * and stopped by `stop`. Every method of it that would do I/O is overridden and routed to this runtime: its watch
 * loop ends the process on a reset connection and its queue loses exceptions.
 */

import { readFile } from 'node:fs/promises';
import type { V1CustomResourceDefinitionVersion } from '@kubernetes/client-node';
import { parse } from 'yaml';
import type { Clock } from '../clock.ts';
import type { KubeClient } from './client.ts';
import type { Controller } from './controller.ts';
import type { CredentialSource } from './credentials.ts';
import { addFinalizer, hasFinalizer, removeFinalizer } from './finalizer.ts';
import type { Informer } from './informer.ts';
import { Lifecycle, type LifecycleOptions, type LifecyclePhase } from './lifecycle.ts';
import type { Logger } from './logger.ts';
import {
  muteKubeConfig,
  PackageOperator,
  type ResourceEvent,
  ResourceEventType,
  type ResourceMeta,
} from './operator-package.ts';
import { metaOf, packageWatch, resourceId } from './package-watch.ts';
import { apiVersionOf, type RawObject, type ResourceType, resourcePath } from './resource.ts';

/** What an operator is given from outside: it makes neither connections nor clocks itself. */
export interface OperatorRuntime {
  readonly client: KubeClient;
  readonly credentials: CredentialSource;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What a concrete operator is made of; `clock` and `log` come from its runtime. */
export type Composition = Omit<LifecycleOptions, 'clock' | 'log'>;

type DefinitionVersions = V1CustomResourceDefinitionVersion[];

interface CustomResourceDefinition extends RawObject {
  readonly spec: {
    readonly group: string;
    readonly names: { readonly plural: string };
    readonly versions: DefinitionVersions;
  };
}

const DEFINITIONS: ResourceType<CustomResourceDefinition> = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  plural: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
  namespaced: false,
};

/**
 * The package's `Operator` over this runtime. Subclasses implement `compose` and are run by `start`,
 * `finished` and `stop`.
 */
export abstract class BaseOperator extends PackageOperator {
  readonly #runtime: OperatorRuntime;
  readonly #stop: AbortController;
  readonly #types: Map<string, ResourceType<RawObject>>;
  readonly #watched: { caches: Informer<RawObject>[]; controllers: Controller[] };
  #lifecycle: Lifecycle | undefined;
  #finished: Promise<void> | undefined;

  constructor(runtime: OperatorRuntime) {
    const unmute = muteKubeConfig();
    super(runtime.log);
    unmute();
    this.#runtime = runtime;
    this.#stop = new AbortController();
    this.#types = new Map();
    this.#watched = { caches: [], controllers: [] };
  }

  /** Builds caches, controllers and what else lives as long as the operator; `watchResource` may be called here. */
  protected abstract compose(): Promise<Composition> | Composition;

  get phase(): LifecyclePhase {
    return this.#lifecycle?.phase ?? 'new';
  }

  get isReady(): boolean {
    return this.#lifecycle?.isReady ?? false;
  }

  get isHealthy(): boolean {
    return this.#lifecycle?.isHealthy ?? true;
  }

  /** Settles with `Lifecycle.run` once started: resolves after a stop, rejects with why the operator had to end. */
  get finished(): Promise<void> {
    return this.#finished ?? Promise.reject(new Error('operator was not started'));
  }

  /** Called by the package's `start`; returns while the operator runs. See `finished`. */
  protected override async init(): Promise<void> {
    const { clock, log } = this.#runtime;
    const composition = await this.compose();
    this.#lifecycle = new Lifecycle({
      ...composition,
      caches: [...composition.caches, ...this.#watched.caches],
      controllers: [...composition.controllers, ...this.#watched.controllers],
      clock,
      log,
    });
    this.#finished = this.#lifecycle.run(this.#stop.signal);
    // Whoever awaits `finished` gets the rejection; nobody awaiting it must not end the process.
    this.#finished.catch(() => undefined);
  }

  /** Begins the orderly stop; `finished` says when it is over. Never exits the process. */
  override stop(): void {
    this.#runtime.log.info('stopping');
    this.#stop.abort(new Error('operator stopped'));
  }

  /** Applies a CRD from a YAML file as plain JSON, so that no `x-kubernetes-*` field is lost. */
  protected override async registerCustomResourceDefinition(
    crdFile: string,
  ): Promise<{ group: string; versions: DefinitionVersions; plural: string }> {
    const definition = parse(await readFile(crdFile, 'utf8')) as CustomResourceDefinition;
    if (definition.apiVersion !== apiVersionOf(DEFINITIONS)) {
      throw new Error(`registering ${crdFile}: expected ${apiVersionOf(DEFINITIONS)}`);
    }
    await this.#runtime.client.apply(DEFINITIONS, definition);
    const { group, names, versions } = definition.spec;
    return { group, versions, plural: names.plural };
  }

  protected override getCustomResourceApiUri(
    group: string,
    version: string,
    plural: string,
    namespace?: string,
  ): string {
    const type: ResourceType = { group, version, plural, kind: '', namespaced: namespace !== undefined };
    const base = this.#runtime.credentials.endpoint.server.href.replace(/\/$/, '');
    return `${base}${resourcePath(type, { namespace })}`;
  }

  /** Follows a resource from the start of the operator on; see `packageWatch`. Call it from `compose`. */
  protected override watchResource(
    ...[group, version, plural, onEvent, namespace]: WatchArguments
  ): Promise<void> {
    const { client, clock, log } = this.#runtime;
    // Objects say themselves whether they have a namespace.
    const type: ResourceType<RawObject> = { group, version, plural, kind: '', namespaced: true };
    const { cache, controller } = packageWatch({ client, clock, log, type, namespace, onEvent });
    this.#types.set(resourceId(type), type);
    this.#watched.caches.push(cache);
    this.#watched.controllers.push(controller);
    return Promise.resolve();
  }

  /** Replaces the status by server-side apply. */
  protected override async setResourceStatus(meta: ResourceMeta, status: unknown): Promise<ResourceMeta> {
    const type = this.#typeOf(meta);
    const { name, namespace, resourceVersion } = meta;
    const written = await this.#runtime.client.applyStatus(
      { ...type, kind: meta.kind },
      { metadata: { name, namespace, resourceVersion }, status },
    );
    return metaOf(type, written);
  }

  /** Merge patch of the status. */
  protected override async patchResourceStatus(meta: ResourceMeta, status: unknown): Promise<ResourceMeta> {
    const type = this.#typeOf(meta);
    const written = await this.#runtime.client.patch(type, meta, { status }, { subresource: 'status' });
    return metaOf(type, written);
  }

  /** As in the package, but under an optimistic lock, and a lost lock is an error that is tried again. */
  protected override async handleResourceFinalizer(
    event: ResourceEvent,
    finalizer: string,
    deleteAction: (event: ResourceEvent) => Promise<void>,
  ): Promise<boolean> {
    if (event.type === ResourceEventType.Deleted) return false;
    const type = this.#typeOf(event.meta);
    const object = event.object as unknown as RawObject;
    const isOurs = hasFinalizer(object, finalizer);
    if (object.metadata.deletionTimestamp === undefined) {
      if (!isOurs) await addFinalizer(this.#runtime.client, type, object, { finalizer });
      return !isOurs;
    }
    if (isOurs) {
      await deleteAction(event);
      await removeFinalizer(this.#runtime.client, type, object, { finalizer });
    }
    return true;
  }

  /** Replaces the whole list; refused if the object changed since `meta` was taken. */
  protected override async setResourceFinalizers(meta: ResourceMeta, finalizers: string[]): Promise<void> {
    const patch = { metadata: { finalizers, resourceVersion: meta.resourceVersion } };
    await this.#runtime.client.patch(this.#typeOf(meta), meta, patch);
  }

  protected override async applyAxiosKubeConfigAuth(request: PackageRequest): Promise<void> {
    await this.#authorize(request);
  }

  protected override async applyGaxiosKubeConfigAuth(request: PackageRequest): Promise<void> {
    await this.#authorize(request);
  }

  /** Headers only: connections are the transport's, no agent is handed out. */
  async #authorize(request: PackageRequest): Promise<void> {
    const { headers } = await this.#runtime.credentials.current();
    request.headers = { ...request.headers, ...headers };
  }

  #typeOf(meta: ResourceMeta): ResourceType<RawObject> {
    const type = this.#types.get(meta.id);
    if (type === undefined) throw new Error(`resource ${meta.id} is not watched`);
    return type;
  }
}

interface PackageRequest {
  headers?: Record<string, string>;
}

/** Parameters of the package's `watchResource`. */
type WatchArguments = [
  group: string,
  version: string,
  plural: string,
  onEvent: (event: ResourceEvent) => Promise<void>,
  namespace?: string,
];
