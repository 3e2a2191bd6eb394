import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoffMs, planBatch } from '../../src/domain/stock-plan.ts';
import type { Want } from '../../src/domain/want.ts';

const REST = { host: 'reg.example', timeoutMs: 1, verifyIntervalMs: 1, keepWarm: false };

function want(id: string, overrides: Partial<Want> = {}): Want {
  const pulls = [
    { key: `sha256:${id}`, reference: `reg.example/a@sha256:${id}`, policy: 'IfNotPresent' as const },
  ];
  const base = {
    id,
    namespace: 'ns',
    identity: 'ns/',
    priority: 0,
    sizeBytes: 1,
    pulls,
    scope: {},
    platforms: [],
    ...REST,
  };
  return { ...base, ...overrides };
}

function ids(wants: readonly Want[] | undefined): readonly string[] {
  return (wants ?? []).map(({ id }) => id);
}

describe('planBatch', () => {
  it('has nothing to do when nothing is missing', () => {
    expect(planBatch([])).toBeUndefined();
  });

  it('takes the highest priority first, then the smallest, then by id', () => {
    const missing = [
      want('b', { sizeBytes: 5 }),
      want('a', { sizeBytes: 5 }),
      want('small', { sizeBytes: 1 }),
      want('urgent', { sizeBytes: 9, priority: 100 }),
    ];
    const batch = planBatch(missing);
    expect(ids(batch?.wants)).toEqual(['urgent', 'small', 'a', 'b']);
    expect(batch?.pulls).toEqual(['urgent', 'small', 'a', 'b'].flatMap((id) => want(id).pulls));
  });

  it('gives a large image a pod of its own and still fills the small ones around it', () => {
    const limits = { images: 20, bytes: 10 };
    const missing = [
      want('tiny', { sizeBytes: 4 }),
      want('huge', { sizeBytes: 50 }),
      want('mid', { sizeBytes: 6 }),
    ];
    expect(ids(planBatch(missing, limits)?.wants)).toEqual(['tiny', 'mid']);
    expect(ids(planBatch([want('huge', { sizeBytes: 50 })], limits)?.wants)).toEqual(['huge']);
  });

  it('puts 20 images, or 2 GiB, into one pod', () => {
    const many = Array.from({ length: 21 }, (_, index) => want(String(index)));
    expect(planBatch(many)?.wants).toHaveLength(20);
    const large = ['a', 'b', 'c'].map((id) => want(id, { sizeBytes: 1024 ** 3 }));
    expect(ids(planBatch(large)?.wants)).toEqual(['a', 'b']);
  });

  it('never mixes pull identities in one pod', () => {
    const missing = [want('a'), want('b', { identity: 'ns/secret' }), want('c')];
    expect(ids(planBatch(missing)?.wants)).toEqual(['a', 'c']);
  });

  it('pulls once what several wants share', () => {
    const shared = want('a').pulls;
    const batch = planBatch([want('a'), want('copy', { pulls: shared })], { images: 1, bytes: 1 });
    expect(ids(batch?.wants)).toEqual(['a', 'copy']);
    expect(batch?.pulls).toEqual(shared);
  });

  it('keeps both limits for any set of wants, and always makes progress', () => {
    const wants = fc.uniqueArray(fc.tuple(fc.nat(9), fc.nat(30), fc.constantFrom('x', 'y')), {
      minLength: 1,
    });
    fc.assert(
      fc.property(
        wants,
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 40 }),
        (rows, images, bytes) => {
          const missing = rows.map(([priority, sizeBytes, identity], index) =>
            want(String(index), { priority, sizeBytes, identity }),
          );
          const batch = planBatch(missing, { images, bytes });
          const total = (batch?.wants ?? []).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
          expect(batch?.pulls).toEqual(batch?.wants.flatMap(({ pulls }) => pulls));
          expect(batch?.pulls.length).toBeGreaterThan(0);
          expect(batch?.pulls.length).toBeLessThanOrEqual(images);
          expect(total <= bytes || batch?.wants.length === 1).toBe(true);
          expect(new Set(batch?.wants.map(({ identity }) => identity)).size).toBe(1);
        },
      ),
    );
  });
});

describe('backoffMs', () => {
  it('doubles from 30 seconds to 30 minutes', () => {
    expect([1, 2, 3, 7, 50].map((attempts) => backoffMs(attempts, 0) / 1000)).toEqual([
      30, 60, 120, 1800, 1800,
    ]);
  });

  it('takes up to a fifth off, so that nodes do not come back together', () => {
    expect(backoffMs(1, 0.5)).toBe(27_000);
    expect(backoffMs(1, 1)).toBe(24_000);
  });
});
