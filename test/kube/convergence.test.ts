import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sleep } from '../../src/clock.ts';
import { Controller } from '../../src/kube/controller.ts';
import { silentEvents } from '../../src/kube/events.ts';
import { Informer } from '../../src/kube/informer.ts';
import { silentLogger } from '../../src/kube/logger.ts';
import { objectReconciler, type Phase } from '../../src/kube/reconciler.ts';
import { ignoreStatusChanges, watchInformer } from '../../src/kube/watch-source.ts';
import { FakeApiServer, type FaultAction } from '../support/fake-api-server.ts';
import { eventually, FakeClock } from '../support/fake-clock.ts';
import { WIDGET_REF, WIDGETS, type Widget, type WidgetStatus, widget } from './fixtures.ts';

const FINALIZER = 'test.dev/cleanup';

type Step =
  | { readonly kind: 'put'; readonly name: string; readonly size: number }
  | { readonly kind: 'delete'; readonly name: string }
  | { readonly kind: 'advance'; readonly ms: number }
  | { readonly kind: 'fault'; readonly action: FaultAction; readonly times: number; readonly verb: string }
  | { readonly kind: 'reset' | 'freeze' | 'thaw' | 'restart' | 'compact' | 'end' | 'restart-process' };

const names = fc.constantFrom('a', 'b', 'c');

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('put' as const), name: names, size: fc.nat({ max: 5 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('delete' as const), name: names }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('advance' as const), ms: fc.nat({ max: 60_000 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('fault' as const),
      verb: fc.constantFrom('list', 'watch', 'apply', 'patch'),
      times: fc.integer({ min: 1, max: 3 }),
      action: fc.constantFrom<FaultAction>(
        { kind: 'reset' },
        { kind: 'lose-answer' },
        { kind: 'truncate' },
        { kind: 'text', text: '<html>' },
        { kind: 'status', code: 429 },
        { kind: 'status', code: 429, retryAfter: 2 },
        { kind: 'status', code: 409, reason: 'Conflict' },
        { kind: 'status', code: 410, reason: 'Expired' },
        { kind: 'status', code: 500 },
        { kind: 'status', code: 503 },
      ),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        ...(['reset', 'freeze', 'thaw', 'restart', 'compact', 'end', 'restart-process'] as const),
      ),
    }),
  },
);

/** How long a registry takes to answer: the watch goes on meanwhile. */
const ANSWER_MS = 5;

/** Asks once for each spec, remembers that it has asked, and leaves the answer to the status alone. */
function askPhase(clock: FakeClock): Phase<Widget, WidgetStatus> {
  const asked = new Map<string, string>();
  return async ({ metadata, spec }, draft) => {
    const question = `${metadata.uid ?? ''} ${metadata.generation ?? 0}`;
    if (asked.get(metadata.name) === question) return {};
    await sleep(clock, ANSWER_MS);
    draft.note = answerTo(spec?.size);
    asked.set(metadata.name, question);
    return {};
  };
}

function answerTo(size: number | undefined): string {
  return `size ${size ?? 0}`;
}

/** An operator that copies spec.size into the status, and asks for its name, under a finalizer. */
function operate(server: FakeApiServer, clock: FakeClock) {
  const { client, transport } = server.connect(clock);
  const stop = new AbortController();
  const informer = new Informer<Widget>({ client, type: WIDGETS, clock, random: () => 0.5 });
  const reconciler = objectReconciler<Widget, WidgetStatus>({
    source: informer,
    client,
    ownedConditions: [],
    finalizer: FINALIZER,
    phases: [
      askPhase(clock),
      (object, draft) => {
        draft.size = object.spec?.size ?? 0;
        return {};
      },
    ],
    summarise: () => ({ status: 'True', reason: 'Copied', message: 'copied' }),
  });
  const controller = new Controller({
    name: 'copy',
    workers: 2,
    watches: [watchInformer(informer, { predicate: ignoreStatusChanges })],
    reconciler,
    clock,
    log: silentLogger,
    events: silentEvents,
  });
  const running = [informer.run(stop.signal), controller.run({ stop: stop.signal, abort: stop.signal })];
  return {
    async stop(): Promise<void> {
      stop.abort(new Error('stop'));
      await Promise.all(running);
      await transport.close();
    },
  };
}

/** Both answers stand in the status, and are about the spec as it is. */
function isTold({ spec, status, metadata }: Widget): boolean {
  const { size, note, observedGeneration } = status ?? {};
  const isOfSpec = size === spec?.size && note === answerTo(spec?.size);
  return isOfSpec && observedGeneration === metadata.generation;
}

function isCopied(server: FakeApiServer): boolean {
  return server.store.list(WIDGET_REF).every((each) => {
    const object = each as unknown as Widget;
    const { deletionTimestamp, finalizers = [] } = object.metadata;
    return deletionTimestamp === undefined && finalizers.includes(FINALIZER) && isTold(object);
  });
}

describe('any interleaving of changes, faults and restarts', () => {
  it('ends with every status equal to its spec, and deleted objects gone', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
        const server = await FakeApiServer.start();
        const clock = new FakeClock();
        let process = operate(server, clock);
        const acts: { [K in Step['kind']]: (each: Extract<Step, { kind: K }>) => unknown } = {
          put: ({ name, size }) => {
            const old = server.store.find(WIDGET_REF, `default/${name}`);
            if (old === undefined) server.store.put(WIDGET_REF, widget(name, { size }));
            else server.store.mergePatch(WIDGET_REF, `default/${name}`, { spec: { size } }, undefined);
          },
          delete: ({ name }) => {
            const key = `default/${name}`;
            if (server.store.find(WIDGET_REF, key) !== undefined) server.store.delete(WIDGET_REF, key);
          },
          advance: ({ ms }) => clock.advance(ms),
          fault: ({ action, times, verb }) => {
            if (verb === 'watch' && (action.kind === 'lose-answer' || action.kind === 'truncate')) return;
            server.fail({ when: (request) => request.verb === verb, action, times });
          },
          reset: () => {
            server.resetConnections();
          },
          freeze: () => {
            server.freeze();
          },
          thaw: () => {
            server.thaw();
          },
          restart: async () => {
            await server.down();
            await clock.advance(1_000);
            await server.up();
          },
          compact: () => {
            server.store.compact();
          },
          end: () => {
            for (const watch of server.watches) watch.end();
          },
          'restart-process': async () => {
            server.thaw();
            await process.stop();
            process = operate(server, clock);
          },
        };
        for (const each of steps) {
          await (acts[each.kind] as (argument: Step) => unknown)(each);
          await clock.advance(20);
        }
        server.thaw();
        server.clearFaults();
        await clock.advanceUntil(() => isCopied(server), { stepMs: 500, limitMs: 1_800_000 });
        await process.stop();
        await eventually(() => server.watches.length === 0);
        expect(clock.pendingTimers).toBe(0);
        await server.close();
      }),
      {
        numRuns: 60,
        interruptAfterTimeLimit: 60_000,
        // Down in the middle of a TLS handshake.
        examples: [[[{ kind: 'put', name: 'b', size: 0 }, { kind: 'restart' }]]],
      },
    );
  }, 120_000);
});
