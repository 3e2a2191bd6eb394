import { describe, expect, it } from 'vitest';
import type { PrepulledImage, PrepulledImageStatus } from '../../src/api/prepulled-image.ts';
import type { NodeObject } from '../../src/controllers/node.ts';
import { restoreStock } from '../../src/controllers/restore.ts';
import { wantOf } from '../../src/controllers/want.ts';
import { Circuits, hostCircuit, imageCircuit } from '../../src/domain/circuits.ts';
import { Coverage } from '../../src/domain/coverage.ts';
import type { NodeFacts } from '../../src/domain/node.ts';
import { verifyPeriodMs } from '../../src/domain/verification.ts';
import { DIGEST_A, prepulledImage } from '../support/builders.ts';
import { nodeFacts } from '../support/stock-builders.ts';
import { NOW } from './fixtures.ts';

const PROVEN = '2026-01-01T00:00:00Z';
const BEFORE = '2025-12-31T00:00:00Z';
const AFTER = '2026-01-01T00:00:01Z';
/** The clock that never jumps, when this process starts. */
const STARTED = 1_000;

function node(name: string, creationTimestamp = BEFORE, facts: Partial<NodeFacts> = {}): NodeObject {
  return { metadata: { name, uid: `uid-of-${name}`, creationTimestamp }, facts: nodeFacts(name, facts) };
}

interface Told {
  readonly presentOn?: readonly string[];
  readonly present?: number;
  readonly notPresent?: PrepulledImageStatus['notPresent'];
  readonly truncated?: boolean;
  readonly backoff?: PrepulledImageStatus['backoff'];
  readonly observedGeneration?: number;
}

/** A PrepulledImage whose status was written by an operator that is gone. */
function image({
  presentOn = [],
  present,
  notPresent,
  truncated,
  backoff,
  observedGeneration = 1,
}: Told): PrepulledImage {
  const object = prepulledImage();
  return {
    ...object,
    status: {
      coverageTime: PROVEN,
      image: {
        reference: 'registry.example.org/sciplat/lab:w_2026_40',
        digest: DIGEST_A,
        registry: 'registry.example.org',
        repository: 'sciplat/lab',
      },
      conditions: [
        {
          type: 'Prepulled',
          status: 'False',
          reason: 'NodesMissing',
          message: '',
          lastTransitionTime: PROVEN,
          observedGeneration,
        },
      ],
      nodes: {
        eligible: 0,
        present: present ?? presentOn.length,
        unknown: 0,
        pulling: 0,
        waiting: 0,
        failed: 0,
        skipped: 0,
      },
      presentOn: [...presentOn],
      ...(notPresent !== undefined && { notPresent }),
      ...(truncated !== undefined && { truncated }),
      ...(backoff !== undefined && { backoff }),
    },
  };
}

function missing(name: string, state: 'Waiting' | 'Failed' = 'Waiting', rest = {}) {
  return { node: name, state, reason: state === 'Failed' ? 'ImageNotFound' : 'Queued', ...rest } as const;
}

/** Names of the nodes that count as having the image after a restart. */
function restored(
  object: PrepulledImage,
  nodes: readonly NodeObject[],
  coverage = new Coverage(),
  circuits = new Circuits(() => 0),
): string[] {
  restoreStock({ coverage, circuits }, [object], nodes, { now: NOW, monotonic: STARTED, random: () => 0 });
  const want = wantOf(object);
  if (want === undefined) return [];
  return nodes.map(({ facts }) => facts.name).filter((name) => coverage.isPresent(name, want));
}

describe('after a restart a node has the image', () => {
  it('if the status names it', () => {
    const object = image({ presentOn: ['n1', 'n2'], notPresent: [missing('n3')] });
    expect(
      restored(
        object,
        ['n1', 'n2', 'n3'].map((name) => node(name)),
      ),
    ).toEqual(['n1', 'n2']);
  });

  it("and not if it was none of the image's business when the status was written", () => {
    expect(restored(image({ presentOn: ['n1'] }), [node('n1'), node('relabelled')])).toEqual(['n1']);
  });

  it('if the list of those who have it is cut and it is not among those who lack it', () => {
    const object = image({ presentOn: ['n1'], present: 3, notPresent: [missing('n4')] });
    const nodes = ['n1', 'n2', 'n3', 'n4'].map((name) => node(name));
    expect(restored(object, nodes)).toEqual(['n1', 'n2', 'n3']);
  });

  it('only if it is named, where both lists are cut and more are left than had it', () => {
    const object = image({ presentOn: ['n1'], present: 3, notPresent: [missing('n4')], truncated: true });
    const nodes = ['n1', 'n2', 'n3', 'n4', 'n5'].map((name) => node(name));
    expect(restored(object, nodes)).toEqual(['n1']);
  });

  it('if both lists are cut by nodes that are skipped, such as those of a tainted pool', () => {
    const object = image({ presentOn: ['n1'], present: 3, notPresent: [missing('gpu1')], truncated: true });
    const nodes = ['n1', 'n2', 'n3', 'gpu1'].map((name) => node(name));
    const taints = [{ key: 'gpu', effect: 'NoSchedule' as const }];
    expect(restored(object, [...nodes, node('gpu2', BEFORE, { taints })])).toEqual(['n1', 'n2', 'n3']);
  });

  it('unless it is younger than the figures: another node of the name', () => {
    const object = image({ presentOn: ['n1', 'n2'] });
    expect(restored(object, [node('n1', AFTER), node('n2', PROVEN)])).toEqual([]);
  });

  it('unless it is not eligible now', () => {
    expect(restored(image({ presentOn: ['n1'] }), [node('n1', BEFORE, { ready: false })])).toEqual([]);
  });

  it.each([
    ['the figures are about an older generation', image({ presentOn: ['n1'], observedGeneration: 0 })],
    [
      'the object is suspended',
      { ...image({ presentOn: ['n1'] }), spec: prepulledImage({ spec: { suspend: true } }).spec },
    ],
    ['there is no status', prepulledImage()],
  ])('unless %s', (_why, object) => {
    expect(restored(object, [node('n1')])).toEqual([]);
  });

  it('with receipts of an age spread over the verify interval, the same for all images of a node', () => {
    const first = image({ presentOn: ['n1', 'n2'] });
    const second = { ...first, metadata: { ...first.metadata, name: 'second' } };
    const wants = [first, second].flatMap((object) => wantOf(object) ?? []);
    const coverage = new Coverage();
    const shares = [0, 0.5, 0.1, 0.2];
    const nodes = [node('n1'), node('n2')];
    restoreStock({ coverage, circuits: new Circuits(() => 0) }, [first, second], nodes, {
      now: NOW,
      monotonic: STARTED,
      random: () => shares.shift() ?? 0,
    });
    expect(wants).toHaveLength(2);
    for (const want of wants) {
      const half = verifyPeriodMs({ uid: 'uid-of-n2' }, want) / 2;
      const unverified = (name: string, maxAgeMs: number): boolean =>
        coverage.isUnverified(name, want, { monotonic: STARTED, maxAgeMs });
      expect(unverified('n1', 1)).toBe(false);
      expect([unverified('n2', half), unverified('n2', half + 1)]).toEqual([true, false]);
    }
  });
});

describe('after a restart a failure', () => {
  const lastAttempt = '2025-12-31T23:59:30Z';

  it('goes on with its attempts and backoff', () => {
    const coverage = new Coverage();
    const entry = missing('n1', 'Failed', { message: 'manifest unknown', attempts: 2, lastAttempt });
    expect(restored(image({ notPresent: [entry] }), [node('n1')], coverage)).toEqual([]);
    expect(coverage.failure('n1', 'default/lab-w-2026-40')).toEqual({
      reason: 'ImageNotFound',
      message: 'manifest unknown',
      attempts: 2,
      lastAttempt: Date.parse(lastAttempt),
      notBefore: STARTED + 30_000,
    });
  });

  it('waits no longer than a new one would, whatever the clock was then', () => {
    const coverage = new Coverage();
    const entry = missing('n1', 'Failed', { attempts: 2, lastAttempt: '2027-01-01T00:00:00Z' });
    restored(image({ notPresent: [entry] }), [node('n1')], coverage);
    expect(coverage.failure('n1', 'default/lab-w-2026-40')?.notBefore).toBe(STARTED + 60_000);
  });

  it.each([
    ['without an attempt', missing('n1', 'Failed', { lastAttempt })],
    ['without a time', missing('n1', 'Failed', { attempts: 2 })],
    ['that is none', missing('n1', 'Waiting', { attempts: 2, lastAttempt })],
  ])('%s holds nothing back', (_what, entry) => {
    const coverage = new Coverage();
    restored(image({ notPresent: [entry] }), [node('n1')], coverage);
    expect(coverage.failure('n1', 'default/lab-w-2026-40')).toBeUndefined();
  });
});

describe('after a restart what was held back everywhere', () => {
  const held = { attempts: 3, nextAttempt: '2026-01-01T00:01:00Z' };
  const notPresent = [
    missing('n1', 'Failed', { message: 'manifest unknown', attempts: 3, lastAttempt: BEFORE }),
  ];

  function circuitsAfter(told: Told): Circuits {
    const circuits = new Circuits(() => 0);
    restored(image(told), [node('n1')], new Coverage(), circuits);
    return circuits;
  }

  it.each([
    ['Image', imageCircuit('default/lab-w-2026-40'), hostCircuit('registry.example.org')],
    ['Registry', hostCircuit('registry.example.org'), imageCircuit('default/lab-w-2026-40')],
  ] as const)('stays so: %s', (cause, key, other) => {
    const circuits = circuitsAfter({ notPresent, backoff: { ...held, class: cause } });
    expect(circuits.blocks(key, 'n999', STARTED + 59_999)).toBe(true);
    expect(circuits.blocks(key, 'n999', STARTED + 60_000)).toBe(false);
    expect(circuits.findOpen(key)).toMatchObject({ attempts: 3, message: 'manifest unknown' });
    expect(circuits.findOpen(other)).toBeUndefined();
  });

  it('waits no longer than was left when that was written, whatever the clock says now', () => {
    const backoff = { ...held, class: 'Image' as const };
    const circuits = new Circuits(() => 0);
    restoreStock({ coverage: new Coverage(), circuits }, [image({ notPresent, backoff })], [node('n1')], {
      now: NOW - 86_400_000,
      monotonic: STARTED,
      random: () => 0,
    });
    const key = imageCircuit('default/lab-w-2026-40');
    expect(circuits.blocks(key, 'n999', STARTED + 60_000)).toBe(false);
    expect(circuits.findOpen(key)).toBeDefined();
  });

  it('says why in the words of the circuit, not in those of a node with a trouble of its own', () => {
    const full = missing('n0', 'Failed', { message: 'no space left', attempts: 1, lastAttempt: BEFORE });
    const waiting = { ...missing('n2'), reason: 'CircuitOpen' as const, message: 'manifest unknown' };
    const backoff = { ...held, class: 'Image' as const };
    const circuits = circuitsAfter({ notPresent: [full, waiting], backoff });
    expect(circuits.findOpen(imageCircuit('default/lab-w-2026-40'))?.message).toBe('manifest unknown');
  });

  it('is forgotten if the spec has changed since', () => {
    const told = { notPresent, backoff: { ...held, class: 'Image' as const }, observedGeneration: 0 };
    expect(circuitsAfter(told).findOpen(imageCircuit('default/lab-w-2026-40'))).toBeUndefined();
  });
});

describe('after a restart nodes that no list had room for', () => {
  const lastAttempt = '2025-12-31T23:59:50Z';
  const failed = missing('n1', 'Failed', { message: 'exceeded quota', attempts: 2, lastAttempt });
  const backoff = { class: 'Admission' as const, attempts: 2, nextAttempt: '2026-01-01T00:00:50Z' };
  const object = image({ presentOn: ['n2'], present: 1, notPresent: [failed], truncated: true, backoff });

  it('try no sooner than the status says, and not all at once', () => {
    const [coverage, circuits] = [new Coverage(), new Circuits(() => 0)];
    const nodes = ['n1', 'n2', 'n3', 'n4'].map((name) => node(name));
    const shares = [0, 0, 0, 0.5];
    restoreStock({ coverage, circuits }, [object], nodes, {
      now: NOW,
      monotonic: STARTED,
      random: () => shares.shift() ?? 0,
    });
    const until = (name: string) => coverage.failure(name, 'default/lab-w-2026-40')?.notBefore;
    expect(['n1', 'n2', 'n3', 'n4'].map(until)).toEqual([
      STARTED + 50_000,
      undefined,
      STARTED + 50_000,
      STARTED + 80_000,
    ]);
    expect(coverage.failure('n3', 'default/lab-w-2026-40')).toMatchObject({
      message: 'exceeded quota',
      attempts: 2,
    });
    expect(circuits.findOpen(imageCircuit('default/lab-w-2026-40'))).toBeUndefined();
  });

  it('are not said to fail if they list the image', () => {
    const coverage = new Coverage();
    const images = [{ names: [`x@${DIGEST_A}`], sizeBytes: 1 }];
    const nodes = [node('n2'), node('n3', BEFORE, { images }), node('n4')];
    for (const { facts } of nodes) coverage.observeNode(facts);
    expect(restored(object, nodes, coverage)).toEqual(['n2', 'n3']);
    expect(coverage.failure('n3', 'default/lab-w-2026-40')).toBeUndefined();
  });
});
