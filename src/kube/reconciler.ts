/**
 * The one outer block around every kind of ours: fetch, not found, deletion and finalizer, suspend, phases,
 * conditions, one status write. A kind brings only its phases. Endings and what follows: `result.ts`.
 */

import { isConflict, WriteFencedError } from './api-error.ts';
import type { Lister } from './cache.ts';
import type { KubeClient } from './client.ts';
import {
  type CommonStatus,
  conclude,
  type Draft,
  type PassOutcome,
  RETRYING,
  type Summary,
} from './conclusion.ts';
import { findCondition } from './condition.ts';
import type { ReconcileContext, Reconciler } from './controller.ts';
import { addFinalizer, hasFinalizer, removeFinalizer } from './finalizer.ts';
import { pendingRequest } from './reconcile-request.ts';
import {
  formatKey,
  type KubeObject,
  keyOf,
  type ObjectKey,
  type RawObject,
  type ResourceType,
} from './resource.ts';
import { done, minResult, PostponedError, type Result } from './result.ts';
import { writeStatus } from './status-writer.ts';
import { UnwrittenStatuses } from './unwritten.ts';

/** An object of a kind with a status subresource. */
export interface StatusObject<S extends CommonStatus> extends KubeObject {
  readonly status?: S | undefined;
}

/** Where objects are read from; an `Informer` is one. */
export interface ObjectSource<T> {
  readonly type: ResourceType;
  readonly lister: Pick<Lister<T>, 'get'>;
  /** Brings an object off the wire into the shape of the cache. */
  project(raw: RawObject): T;
}

/** What a phase is given besides object and draft. */
export interface PhaseContext extends ReconcileContext {
  readonly key: ObjectKey;
  /** True if an annotation asks for an immediate pass that has not been answered yet. */
  readonly requested: boolean;
}

/**
 * One step of a pass. Reads listers, calls ports, edits the draft; never writes the status, sleeps or remembers.
 * Returns when it wants to be looked at again, or throws; later phases then do not run.
 */
export type Phase<T, S extends CommonStatus> = (
  object: T,
  draft: Draft<S>,
  context: PhaseContext,
) => Promise<Result> | Result;

/** A kind, as the outer block sees it. */
export interface ObjectReconcilerOptions<T extends StatusObject<S>, S extends CommonStatus> {
  readonly source: ObjectSource<T>;
  readonly client: KubeClient;
  readonly phases: readonly Phase<T, S>[];
  /** Ready after a pass in which nothing was thrown. */
  readonly summarise: (object: T, draft: Draft<S>) => Summary;
  /** Condition types the phases set; others in the stored status belong to somebody else and are left to them. */
  readonly ownedConditions: readonly string[];
  readonly isSuspended?: ((object: T) => boolean) | undefined;
  /** Runs instead of the phases while suspended. */
  readonly suspend?: Phase<T, S> | undefined;
  /** Kept on every object while `finalize` has work to do at its deletion. */
  readonly finalizer?: string | undefined;
  /** False: the object may go at any time, and a finalizer of ours on it is taken off. Absent: all are held. */
  readonly needsFinalizer?: ((object: T) => boolean) | undefined;
  /** Undoes what the phases did outside; asking for a requeue means that it has not ended. Its draft is written. */
  readonly finalize?: Phase<T, S> | undefined;
  /** The object is gone: drop what is kept in memory for it. */
  readonly forget?: ((key: ObjectKey) => void) | undefined;
  /** Annotations whose new value asks for an immediate pass. */
  readonly requestAnnotations?: readonly string[] | undefined;
}

/** Our last write, used in place of the cached object as long as the cache still shows what we wrote upon. */
interface OwnWrite<T> {
  /** Of the object before each write of ours (finalizer, status) that the cache has not gone beyond. */
  readonly baseVersions: readonly string[];
  readonly object: T;
}

/**
 * The reconciler of a kind. A pass begins with what the one before has found out, although its status may not have been
 * written: a phase that remembers to have asked need not remember the answer. Deletion: `finalize` runs while our
 * finalizer is there, then the finalizer is removed.
 */
export function objectReconciler<T extends StatusObject<S>, S extends CommonStatus>(
  options: ObjectReconcilerOptions<T, S>,
): Reconciler {
  return new ObjectReconciler(options);
}

class ObjectReconciler<T extends StatusObject<S>, S extends CommonStatus> implements Reconciler {
  readonly #options: ObjectReconcilerOptions<T, S>;
  readonly #ownWrites = new Map<string, OwnWrite<T>>();
  readonly #unwritten: UnwrittenStatuses<S>;

  constructor(options: ObjectReconcilerOptions<T, S>) {
    this.#options = options;
    this.#unwritten = new UnwrittenStatuses(options.ownedConditions);
  }

  async reconcile(key: ObjectKey, context: ReconcileContext): Promise<Result> {
    const found = this.#find(key);
    if (found === undefined) {
      this.#ownWrites.delete(formatKey(key));
      this.#unwritten.forget(key);
      this.#options.forget?.(key);
      return done;
    }
    if (found.metadata.deletionTimestamp !== undefined) return this.#delete(found, key, context);
    return this.#act(await this.#ensureFinalizer(found, context), key, context);
  }

  /** The cached object, or our own newer write of it if the watch has not brought that back yet. */
  #find(key: ObjectKey): T | undefined {
    const cached = this.#options.source.lister.get(key);
    const own = this.#ownWrites.get(formatKey(key));
    if (own?.baseVersions.includes(cached?.metadata.resourceVersion ?? '') === true) return own.object;
    this.#ownWrites.delete(formatKey(key));
    return cached;
  }

  async #act(object: T, key: ObjectKey, context: ReconcileContext): Promise<Result> {
    const { phases, suspend, summarise, isSuspended } = this.#options;
    if (isSuspended?.(object) === true) {
      return this.#pass(object, key, context, {
        phases: suspend === undefined ? [] : [suspend],
        conclude: () => ({ kind: 'suspended' }),
      });
    }
    return this.#pass(object, key, context, {
      phases,
      conclude: (draft) => ({ kind: 'concluded', summary: summarise(object, draft) }),
    });
  }

  /** Runs the phases and writes the status once, whatever they ended with; then passes their ending on. */
  async #pass(object: T, key: ObjectKey, context: ReconcileContext, plan: Plan<T, S>): Promise<Result> {
    const draft = this.#unwritten.startDraft(object);
    const { lastHandledReconcileAt } = draft as Draft<CommonStatus>;
    const annotations = this.#options.requestAnnotations ?? [];
    const request = pendingRequest(object, annotations, lastHandledReconcileAt);
    const phaseContext: PhaseContext = { ...context, key, requested: request !== undefined };
    const ending = await runPhases(plan.phases, object, draft, phaseContext);
    this.#unwritten.note(object, draft);
    if (ending.failed && ending.error instanceof PostponedError)
      return { requeueAfterMs: ending.error.requeueAfterMs };
    if (ending.failed && isInterrupted(ending.error, context.signal)) throw ending.error;
    if (request !== undefined) (draft as Draft<CommonStatus>).lastHandledReconcileAt = request;
    const outcome: PassOutcome = ending.failed
      ? { kind: 'failed', error: ending.error }
      : plan.conclude(draft);
    conclude(draft, object, outcome, context.now);
    await this.#store(object, draft, context);
    if (ending.failed) throw ending.error;
    return ending.result;
  }

  async #delete(object: T, key: ObjectKey, context: ReconcileContext): Promise<Result> {
    const { client, source, finalizer, finalize } = this.#options;
    if (finalizer === undefined || !hasFinalizer(object, finalizer)) return done;
    const draft = this.#unwritten.startDraft(object);
    const phaseContext: PhaseContext = { ...context, key, requested: false };
    const ending = await runPhases(finalize === undefined ? [] : [finalize], object, draft, phaseContext);
    if (ending.failed) {
      if (isInterrupted(ending.error, context.signal)) throw ending.error;
      conclude(draft, object, { kind: 'failed', error: ending.error }, context.now);
      await this.#store(object, draft, context);
      throw ending.error;
    }
    if ((ending.result.requeueAfterMs ?? 0) > 0) {
      await this.#store(object, draft, context);
      return ending.result;
    }
    await removeFinalizer(client, source.type, object, { finalizer, signal: context.signal });
    return done;
  }

  async #ensureFinalizer(object: T, context: ReconcileContext): Promise<T> {
    const { client, source, finalizer, needsFinalizer } = this.#options;
    const isNeeded = needsFinalizer?.(object) !== false;
    if (finalizer === undefined || hasFinalizer(object, finalizer) === isNeeded) return object;
    const change = isNeeded ? addFinalizer : removeFinalizer;
    const updated = await change(client, source.type, object, { finalizer, signal: context.signal });
    return updated === undefined ? object : this.#remember(object, source.project(updated));
  }

  /** Writes the status if it changed, and tells people if what Ready says has changed. */
  async #store(object: T, draft: Draft<S>, context: ReconcileContext): Promise<void> {
    const { client, source, ownedConditions } = this.#options;
    const write = { draft, ownedConditions, signal: context.signal };
    const written = await writeStatus(client, source.type, object, write);
    this.#unwritten.forget(keyOf(object));
    if (written === undefined) return;
    this.#remember(object, source.project(written));
    announce(source.type, object, draft, context);
  }

  #remember(base: T, object: T): T {
    const key = formatKey(keyOf(object));
    // In a chain of own writes the cache may show any of them before it shows the last.
    const earlier = this.#ownWrites.get(key)?.baseVersions ?? [];
    const { resourceVersion } = base.metadata;
    if (resourceVersion !== undefined)
      this.#ownWrites.set(key, { baseVersions: [...earlier, resourceVersion], object });
    return object;
  }
}

interface Plan<T, S extends CommonStatus> {
  readonly phases: readonly Phase<T, S>[];
  readonly conclude: (draft: Draft<S>) => PassOutcome;
}

type Ending =
  | { readonly failed: false; readonly result: Result }
  | { readonly failed: true; readonly error: unknown };

async function runPhases<T, S extends CommonStatus>(
  phases: readonly Phase<T, S>[],
  object: T,
  draft: Draft<S>,
  context: PhaseContext,
): Promise<Ending> {
  try {
    const results: Result[] = [];
    for (const phase of phases) results.push(await phase(object, draft, context));
    return { failed: false, result: minResult(...results) };
  } catch (error) {
    return { failed: true, error };
  }
}

/** We were told to stop, or looked at something old: neither is news about the object. */
function isInterrupted(error: unknown, signal: AbortSignal): boolean {
  return signal.aborted || error instanceof WriteFencedError || isConflict(error);
}

/** One event per change of what Ready says; a changed message alone is not one. */
function announce(
  type: ResourceType,
  object: StatusObject<CommonStatus>,
  draft: CommonStatus,
  context: ReconcileContext,
): void {
  const before = findCondition(object.status, 'Ready');
  const after = findCondition(draft, 'Ready');
  if (after === undefined || (before?.status === after.status && before.reason === after.reason)) return;
  context.events.record(
    { type, object },
    {
      type: after.status === 'False' && isTrouble(draft) ? 'Warning' : 'Normal',
      reason: after.reason,
      action: 'Reconcile',
      message: after.message,
    },
  );
}

function isTrouble(draft: CommonStatus): boolean {
  return (
    findCondition(draft, 'Stalled') !== undefined || findCondition(draft, 'Reconciling')?.reason === RETRYING
  );
}
