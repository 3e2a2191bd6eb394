import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { ApiError, WriteFencedError } from '../../src/kube/api-error.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { findCondition, setCondition } from '../../src/kube/condition.ts';
import type { ReconcileContext } from '../../src/kube/controller.ts';
import type { EventNote } from '../../src/kube/events.ts';
import { Informer } from '../../src/kube/informer.ts';
import { silentLogger } from '../../src/kube/logger.ts';
import { type ObjectReconcilerOptions, objectReconciler, type Phase } from '../../src/kube/reconciler.ts';
import {
  PostponedError,
  type Result,
  TerminalError,
  TransientError,
  WaitingError,
} from '../../src/kube/result.ts';
import type { Transport } from '../../src/kube/transport.ts';
import { FakeApiServer } from '../support/fake-api-server.ts';
import { eventually } from '../support/fake-clock.ts';
import { WIDGET_REF, WIDGETS, type Widget, type WidgetStatus, widget } from './fixtures.ts';

const key = { namespace: 'default', name: 'a' };
const NOW = Date.UTC(2026, 0, 1);
const FINALIZER = 'test.dev/cleanup';

let server: FakeApiServer;
let transport: Transport;
let client: KubeClient;
let informer: Informer<Widget>;
let stop: AbortController;
let running: Promise<void>;
let notes: EventNote[];

beforeEach(async () => {
  server = await FakeApiServer.start();
  ({ transport, client } = server.connect(systemClock));
  stop = new AbortController();
  notes = [];
  informer = new Informer({ client, type: WIDGETS, clock: systemClock });
  running = informer.run(stop.signal);
  await informer.whenSynced(stop.signal);
});

afterEach(async () => {
  stop.abort();
  await running;
  await transport.close();
  await server.close();
});

function context(now = NOW, signal: AbortSignal = stop.signal): ReconcileContext {
  const events = { record: (_subject: unknown, note: EventNote) => void notes.push(note) };
  return { log: silentLogger, now, signal, reconcileId: 'id', events };
}

type Options = Partial<ObjectReconcilerOptions<Widget, WidgetStatus>>;

function build(options: Options = {}) {
  return objectReconciler<Widget, WidgetStatus>({
    source: informer,
    client,
    phases: [],
    ownedConditions: ['Sized'],
    summarise: () => ({ status: 'True', reason: 'Succeeded', message: 'all is well' }),
    ...options,
  });
}

/** Waits until the cache shows what the server has. */
async function caught(): Promise<void> {
  await eventually(() => {
    const stored = server.store.find(WIDGET_REF, 'default/a');
    return informer.lister.get(key)?.metadata.resourceVersion === stored?.metadata.resourceVersion;
  });
}

async function arrange(
  extra: Readonly<Record<string, unknown>> = {},
  meta: Readonly<Record<string, unknown>> = {},
) {
  server.store.put(WIDGET_REF, { ...widget('a'), ...extra, metadata: { ...widget('a').metadata, ...meta } });
  await caught();
}

function stored(): Widget {
  return server.store.get(WIDGET_REF, 'default/a');
}

function conditions(): Record<string, string> {
  return Object.fromEntries(
    (stored().status?.conditions ?? []).map(({ type, status, reason }) => [type, `${status}/${reason}`]),
  );
}

function failing(error: Error): Phase<Widget, WidgetStatus> {
  return () => {
    throw error;
  };
}

describe('a pass', () => {
  it('hands object, draft and context to each phase in order and writes once', async () => {
    await arrange();
    const order: string[] = [];
    const reconciler = build({
      phases: [
        (object, draft, { key: each }) => {
          order.push(`one ${each.name}`);
          draft.size = object.spec?.size ?? 0;
          return { requeueAfterMs: 9_000 };
        },
        (_object, draft) => {
          order.push(`two ${draft.size ?? 0}`);
          draft.note = 'done';
          return Promise.resolve<Result>({ requeueAfterMs: 4_000 });
        },
      ],
    });
    expect(await reconciler.reconcile(key, context())).toEqual({ requeueAfterMs: 4_000 });
    expect(order).toEqual(['one a', 'two 1']);
    expect(stored().status).toMatchObject({ size: 1, note: 'done', observedGeneration: 1 });
    expect(conditions()).toEqual({ Ready: 'True/Succeeded' });
    expect(server.count('apply')).toBe(1);
  });

  it('writes nothing if nothing changed', async () => {
    await arrange();
    const reconciler = build();
    await reconciler.reconcile(key, context());
    await caught();
    await reconciler.reconcile(key, context(NOW + 60_000));
    expect(server.count('apply')).toBe(1);
  });

  it('sees its own write before the watch has brought it', async () => {
    await arrange();
    for (const watch of server.watches) watch.freeze();
    let passes = 0;
    const reconciler = build({
      phases: [
        (_object, draft) => {
          passes += 1;
          draft.size = passes;
          return {};
        },
      ],
    });
    await reconciler.reconcile(key, context());
    await reconciler.reconcile(key, context());
    expect(stored().status?.size).toBe(2);
    for (const watch of server.watches) watch.thaw();
    await caught();
    await reconciler.reconcile(key, context());
    expect(stored().status?.size).toBe(3);
  });

  it('does nothing for an object that is not there, but to forget it', async () => {
    const forgotten: string[] = [];
    const reconciler = build({ forget: (each) => forgotten.push(each.name) });
    expect(await reconciler.reconcile(key, context())).toEqual({});
    expect(forgotten).toEqual(['a']);
    expect(server.count('apply')).toBe(0);
  });

  it('refuses to write over an object that changed meanwhile', async () => {
    await arrange();
    const reconciler = build({
      phases: [
        (_object, draft) => {
          server.store.put(WIDGET_REF, widget('a', { size: 7 }));
          draft.size = 1;
          return {};
        },
      ],
    });
    await expect(reconciler.reconcile(key, context())).rejects.toMatchObject({ reason: 'Conflict' });
    expect(stored().status).toBeUndefined();
  });

  it('refuses to write to a successor of the same name', async () => {
    await arrange();
    const reconciler = build({
      phases: [
        () => {
          server.store.delete(WIDGET_REF, 'default/a');
          server.store.put(WIDGET_REF, widget('a'));
          return {};
        },
      ],
    });
    await expect(reconciler.reconcile(key, context())).rejects.toMatchObject({ reason: 'Conflict' });
    expect(stored().status).toBeUndefined();
  });

  it('does not mind that the object went while it looked', async () => {
    await arrange();
    const reconciler = build({
      phases: [
        () => {
          server.store.delete(WIDGET_REF, 'default/a');
          return { requeueAfterMs: 5 };
        },
      ],
    });
    expect(await reconciler.reconcile(key, context())).toEqual({ requeueAfterMs: 5 });
    expect(server.store.find(WIDGET_REF, 'default/a')).toBeUndefined();
    expect(notes).toEqual([]);
  });

  it('leaves conditions of others alone', async () => {
    const foreign = { type: 'Foreign', status: 'True', reason: 'X', message: '', lastTransitionTime: 't' };
    await arrange({ status: { conditions: [foreign] } });
    await build().reconcile(key, context());
    expect(conditions()).toEqual({ Foreign: 'True/X', Ready: 'True/Succeeded' });
  });
});

describe('what a pass has found out', () => {
  /** Learns something in its first pass alone, as from a registry that is not asked each time. */
  function learner(options: Options = {}) {
    let passes = 0;
    const learn: Phase<Widget, WidgetStatus> = (_object, draft) => {
      passes += 1;
      if (passes === 1) draft.note = 'learned';
      return {};
    };
    return build({ ...options, phases: [learn, ...(options.phases ?? [])] });
  }

  it('is in the status with the next one, if it could not be written', async () => {
    await arrange();
    const reconciler = learner();
    server.refuseStatus();
    await expect(reconciler.reconcile(key, context())).rejects.toMatchObject({ status: 409 });
    expect(stored().status).toBeUndefined();
    await reconciler.reconcile(key, context(NOW + 1_000));
    expect(stored().status?.note).toBe('learned');
    expect(findCondition(stored().status, 'Ready')?.lastTransitionTime).toBe('2026-01-01T00:00:00Z');
  });

  it('is in the status with the next one, if it met somebody else in between', async () => {
    await arrange();
    let conflict: Error | undefined = new ApiError({
      status: 409,
      reason: 'Conflict',
      message: 'm',
      temporary: false,
    });
    const meet = () => {
      if (conflict !== undefined) throw conflict;
      return {};
    };
    const reconciler = learner({ phases: [meet] });
    await expect(reconciler.reconcile(key, context())).rejects.toBe(conflict);
    conflict = undefined;
    await reconciler.reconcile(key, context());
    expect(stored().status?.note).toBe('learned');
  });

  it('is not said again once it was written, nor of a successor of the same name', async () => {
    await arrange();
    const reconciler = learner();
    await reconciler.reconcile(key, context());
    await arrange({ status: {} });
    await reconciler.reconcile(key, context());
    expect(stored().status).not.toHaveProperty('note');

    const another = learner();
    server.refuseStatus();
    await expect(another.reconcile(key, context())).rejects.toMatchObject({ status: 409 });
    server.store.delete(WIDGET_REF, 'default/a');
    await arrange();
    await another.reconcile(key, context());
    expect(stored().status).not.toHaveProperty('note');
  });

  it('is not lost to a cache that shows the finalizer already and the status not yet', async () => {
    await arrange();
    const wait: Phase<Widget, WidgetStatus> = async (object) => {
      if (object.status !== undefined) return {};
      // As long as a registry takes to answer: the watch brings the first write meanwhile.
      await caught();
      for (const watch of server.watches) watch.freeze();
      return {};
    };
    const reconciler = learner({ finalizer: FINALIZER, phases: [wait] });
    await reconciler.reconcile(key, context());
    expect(stored().status?.note).toBe('learned');
    expect(informer.lister.get(key)?.status).toBeUndefined();
    await reconciler.reconcile(key, context());
    for (const watch of server.watches) watch.thaw();
    await caught();
    await reconciler.reconcile(key, context());
    expect(stored().status?.note).toBe('learned');
    expect(server.count('apply')).toBe(1);
  });

  it('answers a request once', async () => {
    await arrange({}, { annotations: { 'test.dev/reconcile': 'now' } });
    const requested: boolean[] = [];
    const reconciler = build({
      requestAnnotations: ['test.dev/reconcile'],
      phases: [
        (_object, _draft, pass) => {
          requested.push(pass.requested);
          return {};
        },
      ],
    });
    server.refuseStatus();
    await expect(reconciler.reconcile(key, context())).rejects.toMatchObject({ status: 409 });
    await reconciler.reconcile(key, context());
    expect(requested).toEqual([true, false]);
    expect(stored().status?.lastHandledReconcileAt).toBe('now');
  });
});

describe('the four bad endings', () => {
  it('an error: Ready=False, Reconciling=True, generation not observed, retried', async () => {
    await arrange();
    const reconciler = build({ phases: [failing(new TransientError('RegistryDown', 'no route'))] });
    await expect(reconciler.reconcile(key, context())).rejects.toThrow('no route');
    expect(conditions()).toEqual({ Ready: 'False/RegistryDown', Reconciling: 'True/ProgressingWithRetry' });
    expect(stored().status?.observedGeneration).toBeUndefined();
    expect(findCondition(stored().status, 'Ready')?.observedGeneration).toBe(1);
  });

  it('an error without words of its own shows its message only', async () => {
    await arrange();
    await expect(build({ phases: [failing(new Error('plain'))] }).reconcile(key, context())).rejects.toThrow(
      'plain',
    );
    expect(findCondition(stored().status, 'Ready')).toMatchObject({
      reason: 'ReconcileFailed',
      message: 'plain',
    });
  });

  it('TerminalError: Stalled=True, generation observed', async () => {
    await arrange();
    const reconciler = build({ phases: [failing(new TerminalError('InvalidImage', 'bad name'))] });
    await expect(reconciler.reconcile(key, context())).rejects.toThrow(TerminalError);
    expect(conditions()).toEqual({ Ready: 'False/InvalidImage', Stalled: 'True/InvalidImage' });
    expect(stored().status?.observedGeneration).toBe(1);
  });

  it('WaitingError: Ready=False, Reconciling=True with the reason of the wait', async () => {
    await arrange();
    const reconciler = build({ phases: [failing(new WaitingError('DependencyNotReady', 'later', 1_000))] });
    await expect(reconciler.reconcile(key, context())).rejects.toThrow(WaitingError);
    expect(conditions()).toEqual({
      Ready: 'False/DependencyNotReady',
      Reconciling: 'True/DependencyNotReady',
    });
  });

  it('PostponedError: no status at all, no failure, another look, and what was found is kept', async () => {
    await arrange({}, { annotations: { 'test.dev/reconcile': 'now' } });
    let postponed = true;
    const reconciler = build({
      requestAnnotations: ['test.dev/reconcile'],
      phases: [
        (_object, draft) => {
          if (postponed) draft.note = 'learned';
          return {};
        },
        () => {
          if (postponed) throw new PostponedError(700);
          return {};
        },
      ],
    });
    expect(await reconciler.reconcile(key, context())).toEqual({ requeueAfterMs: 700 });
    expect(stored().status).toBeUndefined();
    postponed = false;
    await reconciler.reconcile(key, context());
    expect(stored().status).toMatchObject({ note: 'learned', lastHandledReconcileAt: 'now' });
  });

  it('a conflict or a lost lease: no status at all', async () => {
    await arrange();
    const conflict = new ApiError({ status: 409, reason: 'Conflict', message: 'm', temporary: false });
    for (const error of [conflict, new WriteFencedError('no longer the leader')]) {
      await expect(build({ phases: [failing(error)] }).reconcile(key, context())).rejects.toBe(error);
    }
    const aborted = context(NOW, AbortSignal.abort());
    await expect(build({ phases: [failing(new Error('cut'))] }).reconcile(key, aborted)).rejects.toThrow(
      'cut',
    );
    expect(stored().status).toBeUndefined();
  });

  it('recovery clears what they left behind', async () => {
    await arrange();
    let error: Error | undefined = new TerminalError('InvalidImage', 'bad');
    const reconciler = build({
      phases: [
        () => {
          if (error !== undefined) throw error;
          return {};
        },
      ],
    });
    await reconciler.reconcile(key, context()).catch(() => undefined);
    await caught();
    error = new Error('x');
    await reconciler.reconcile(key, context()).catch(() => undefined);
    expect(conditions()).toEqual({
      Ready: 'False/ReconcileFailed',
      Reconciling: 'True/ProgressingWithRetry',
    });
    await caught();
    error = undefined;
    await reconciler.reconcile(key, context());
    expect(conditions()).toEqual({ Ready: 'True/Succeeded' });
  });

  it('later phases do not run, and what earlier ones learned is kept', async () => {
    await arrange();
    let ran = false;
    const reconciler = build({
      phases: [
        (_object, draft) => {
          draft.note = 'learned';
          return { requeueAfterMs: 1 };
        },
        failing(new Error('x')),
        () => {
          ran = true;
          return {};
        },
      ],
    });
    await expect(reconciler.reconcile(key, context())).rejects.toThrow('x');
    expect([ran, stored().status?.note]).toEqual([false, 'learned']);
  });
});

describe('conditions over time', () => {
  it('move their transition time only with their status', async () => {
    await arrange();
    let reason = 'First';
    const reconciler = build({ summarise: () => ({ status: 'False', reason, message: 'm' }) });
    await reconciler.reconcile(key, context());
    await caught();
    reason = 'Second';
    await reconciler.reconcile(key, context(NOW + 60_000));
    expect(findCondition(stored().status, 'Ready')).toMatchObject({
      reason: 'Second',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    });
  });

  it('say what is pending', async () => {
    await arrange();
    const progressing = { reason: 'Pulling', message: '3 of 5' };
    const summarise = () => ({ status: 'False', reason: 'Stocking', message: 'm', progressing }) as const;
    await build({ summarise }).reconcile(key, context());
    expect(conditions()).toEqual({ Ready: 'False/Stocking', Reconciling: 'True/Pulling' });
    expect(stored().status?.observedGeneration).toBeUndefined();
  });
});

describe('a pass that ends well and shows what only a person can change', () => {
  it('is Stalled, and counts as seen', async () => {
    await arrange();
    let stalled = true;
    const summarise: Options['summarise'] = () =>
      stalled
        ? { status: 'False', reason: 'Duplicate', message: 'rename it', stalled }
        : { status: 'True', reason: 'Succeeded', message: 'all is well' };
    const reconciler = build({ summarise });
    await reconciler.reconcile(key, context());
    expect(conditions()).toEqual({ Ready: 'False/Duplicate', Stalled: 'True/Duplicate' });
    expect(stored()).toMatchObject({ status: { observedGeneration: 1 } });
    stalled = false;
    await caught();
    await reconciler.reconcile(key, context());
    expect(conditions()).toEqual({ Ready: 'True/Succeeded' });
  });
});

describe('events', () => {
  it('tell each change of Ready once', async () => {
    await arrange();
    let error: Error | undefined = new TransientError('Down', 'no route');
    const reconciler = build({
      phases: [
        () => {
          if (error !== undefined) throw error;
          return {};
        },
      ],
    });
    await reconciler.reconcile(key, context()).catch(() => undefined);
    await caught();
    error = new TransientError('Down', 'no route, attempt 2');
    await reconciler.reconcile(key, context()).catch(() => undefined);
    await caught();
    error = undefined;
    await reconciler.reconcile(key, context());
    expect(notes.map(({ type, reason, message }) => `${type} ${reason} ${message}`)).toEqual([
      'Warning Down no route',
      'Normal Succeeded all is well',
    ]);
  });
});

describe('suspend', () => {
  it('runs the suspend phase instead of the others, and Ready says so', async () => {
    await arrange({ spec: { suspend: true } });
    const ran: string[] = [];
    const options: Options = {
      isSuspended: (object) => object.spec?.suspend === true,
      phases: [
        () => {
          ran.push('phase');
          return {};
        },
      ],
    };
    await build(options).reconcile(key, context());
    expect(conditions()).toEqual({ Ready: 'False/Suspended' });
    await caught();
    const suspend: Phase<Widget, WidgetStatus> = () => {
      ran.push('suspend');
      return { requeueAfterMs: 5 };
    };
    expect(await build({ ...options, suspend }).reconcile(key, context())).toEqual({ requeueAfterMs: 5 });
    expect(ran).toEqual(['suspend']);
  });
});

describe('reconcile requests', () => {
  it('are shown to the phases until answered, the newest counting', async () => {
    const annotations = { 'test.dev/at': '2026-01-02', 'other.dev/at': '2026-01-01' };
    await arrange({}, { annotations });
    const requested: boolean[] = [];
    const reconciler = build({
      requestAnnotations: Object.keys(annotations),
      phases: [
        (_object, _draft, phase) => {
          requested.push(phase.requested);
          return {};
        },
      ],
    });
    await reconciler.reconcile(key, context());
    expect(stored().status?.lastHandledReconcileAt).toBe('2026-01-02');
    await caught();
    await reconciler.reconcile(key, context());
    expect(requested).toEqual([true, false]);
  });

  it.each([
    ['1767312000', '2026-01-01T23:59:59Z', '1767312000'],
    ['2026-01-02T00:00:01.5+00:00', '1767312000', '2026-01-02T00:00:01.5+00:00'],
    ['1767312000123', '1767312000', '1767312000123'],
    ['now', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z'],
    ['first', 'second', 'second'],
  ])('of two annotations, %s and %s, are answered by the later one: %s', async (ours, other, newest) => {
    await arrange({}, { annotations: { 'test.dev/at': ours, 'other.dev/at': other } });
    const reconciler = build({ requestAnnotations: ['test.dev/at', 'other.dev/at'] });
    await reconciler.reconcile(key, context());
    expect(stored().status?.lastHandledReconcileAt).toBe(newest);
  });

  it('of any length are answered by what the status can hold', async () => {
    await arrange({}, { annotations: { 'test.dev/at': '\u{1F433}'.repeat(1_000) } });
    const requested: boolean[] = [];
    const reconciler = build({
      requestAnnotations: ['test.dev/at'],
      phases: [
        (_object, _draft, phase) => {
          requested.push(phase.requested);
          return {};
        },
      ],
    });
    await reconciler.reconcile(key, context());
    expect(stored().status?.lastHandledReconcileAt).toBe('\u{1F433}'.repeat(128));
    await caught();
    await reconciler.reconcile(key, context());
    expect(requested).toEqual([true, false]);
  });
});

describe('deletion', () => {
  const options: Options = { finalizer: FINALIZER };

  async function erase(): Promise<void> {
    server.store.delete(WIDGET_REF, 'default/a');
    await caught();
  }

  it('is preceded by the finalizer, added before the first phase', async () => {
    await arrange({}, { finalizers: ['other.dev/x'] });
    let seen: readonly string[] | undefined;
    const reconciler = build({
      ...options,
      phases: [
        (object) => {
          seen = object.metadata.finalizers;
          return {};
        },
      ],
    });
    await reconciler.reconcile(key, context());
    expect(seen).toEqual(['other.dev/x', FINALIZER]);
    expect(stored().metadata.finalizers).toEqual(['other.dev/x', FINALIZER]);
    expect(conditions()).toEqual({ Ready: 'True/Succeeded' });
  });

  it('runs finalize, then lets the object go, leaving the finalizers of others', async () => {
    await arrange({}, { finalizers: ['other.dev/x', FINALIZER] });
    await erase();
    let ran = 0;
    const finalize: Phase<Widget, WidgetStatus> = () => {
      ran += 1;
      return {};
    };
    await build({ ...options, finalize }).reconcile(key, context());
    expect([ran, stored().metadata.finalizers]).toEqual([1, ['other.dev/x']]);
    await caught();
    await build({ ...options, finalize }).reconcile(key, context());
    expect(ran).toBe(1);
  });

  it('waits while finalize asks for more time', async () => {
    await arrange({}, { finalizers: [FINALIZER] });
    await erase();
    const finalize: Phase<Widget, WidgetStatus> = () => ({ requeueAfterMs: 2_000 });
    expect(await build({ ...options, finalize }).reconcile(key, context())).toEqual({
      requeueAfterMs: 2_000,
    });
    expect(stored().metadata.finalizers).toEqual([FINALIZER]);
  });

  it('shows what finalize says while it waits', async () => {
    await arrange({}, { finalizers: [FINALIZER] });
    await erase();
    const finalize: Phase<Widget, WidgetStatus> = (_object, draft) => {
      setCondition(
        draft,
        { type: 'Sized', status: 'False', reason: 'StillUsed', message: 'by Widget b' },
        { now: NOW, generation: 1 },
      );
      return { requeueAfterMs: 2_000 };
    };
    const reconciler = build({ ...options, finalize });
    await reconciler.reconcile(key, context());
    expect(conditions()).toEqual({ Sized: 'False/StillUsed' });
    const writes = server.count('apply');
    await caught();
    await reconciler.reconcile(key, context());
    expect(server.count('apply')).toBe(writes);
  });

  it('takes the finalizer off an object that needs none any more', async () => {
    await arrange({}, { finalizers: ['other.dev/x', FINALIZER] });
    let isHeld = false;
    const reconciler = build({ ...options, needsFinalizer: () => isHeld });
    await reconciler.reconcile(key, context());
    expect(stored().metadata.finalizers).toEqual(['other.dev/x']);
    expect(conditions()).toEqual({ Ready: 'True/Succeeded' });
    isHeld = true;
    await caught();
    await reconciler.reconcile(key, context());
    expect(stored().metadata.finalizers).toEqual(['other.dev/x', FINALIZER]);
  });

  it('says why it does not get on', async () => {
    await arrange({}, { finalizers: [FINALIZER] });
    await erase();
    const finalize = failing(new TransientError('CleanupFailed', 'still there'));
    await expect(build({ ...options, finalize }).reconcile(key, context())).rejects.toThrow('still there');
    expect(conditions()).toMatchObject({ Ready: 'False/CleanupFailed' });
    const cut = failing(new WriteFencedError('lost'));
    await caught();
    await expect(build({ ...options, finalize: cut }).reconcile(key, context())).rejects.toThrow('lost');
    expect(conditions()).toMatchObject({ Ready: 'False/CleanupFailed' });
  });

  it('needs no finalize, and minds no object that is gone', async () => {
    await arrange({}, { finalizers: [FINALIZER] });
    await erase();
    for (const watch of server.watches) watch.freeze();
    server.store.mergePatch(WIDGET_REF, 'default/a', { metadata: { finalizers: null } }, undefined);
    expect(server.store.find(WIDGET_REF, 'default/a')).toBeUndefined();
    expect(await build(options).reconcile(key, context())).toEqual({});
  });

  it('loses the race for the finalizers as a conflict', async () => {
    await arrange();
    for (const watch of server.watches) watch.freeze();
    server.store.put(WIDGET_REF, widget('a', { size: 2 }));
    await expect(build(options).reconcile(key, context())).rejects.toMatchObject({
      status: 409,
      reason: 'Conflict',
    });
  });

  it('does nothing without a finalizer of ours', async () => {
    await arrange({}, { finalizers: ['other.dev/x'] });
    await erase();
    expect(await build().reconcile(key, context())).toEqual({});
    expect(server.count('apply') + server.count('patch')).toBe(0);
  });
});
