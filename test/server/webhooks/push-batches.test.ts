import { describe, expect, it } from 'vitest';
import { parseDigest } from '../../../src/domain/digest.ts';
import { MAX_PUSHED_TAGS, type PushedTag } from '../../../src/domain/pushed-tags.ts';
import { type PushBatch, PushBatches } from '../../../src/server/webhooks/push-batches.ts';
import * as builders from '../../support/builders.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const DIGEST_A = parseDigest(builders.DIGEST_A);
const DIGEST_B = parseDigest(builders.DIGEST_B);
const LAB = { namespace: 'default', name: 'lab' };
const OTHER = { namespace: 'default', name: 'other' };

interface World {
  readonly clock: FakeClock;
  readonly batches: PushBatches;
  readonly written: PushBatch[];
}

function tags(...names: readonly string[]): readonly PushedTag[] {
  return names.map((tag) => ({ tag }));
}

function namesOf({ pushed }: PushBatch): readonly string[] {
  return pushed.map(({ tag }) => tag);
}

function world(write?: (batch: PushBatch) => Promise<void>): World {
  const clock = new FakeClock();
  const written: PushBatch[] = [];
  const batches = new PushBatches({
    clock,
    write: (batch) => {
      written.push(batch);
      return write?.(batch) ?? Promise.resolve();
    },
  });
  return { clock, batches, written };
}

describe('push batches', () => {
  it('write the tags of one push together, soon', async () => {
    const { clock, batches, written } = world();
    batches.add(LAB, tags('w_2026_47'));
    batches.add(LAB, tags('latest_weekly', 'w_2026_47'));
    expect(written).toEqual([]);
    await clock.advance(100);
    expect(written).toEqual([{ source: LAB, pushed: tags('w_2026_47', 'latest_weekly') }]);
  });

  it('make few writes of a storm: 1,000 events in a second', async () => {
    const { clock, batches, written } = world();
    for (let n = 0; n < 1_000; n += 1) {
      batches.add(LAB, tags(`t${n % 20}`));
      await clock.advance(1);
    }
    await clock.advance(5_000);
    expect(written.length).toBeLessThanOrEqual(3);
    expect(new Set(written.flatMap(namesOf)).size).toBe(20);
  });

  it('do not hold one source back for another', async () => {
    const { clock, batches, written } = world(({ source }) =>
      source === LAB ? new Promise<void>(() => undefined) : Promise.resolve(),
    );
    batches.add(LAB, tags('a'));
    await clock.advance(100);
    batches.add(LAB, tags('b'));
    batches.add(OTHER, tags('c'));
    await clock.advance(10_000);
    expect(written.map(namesOf)).toEqual([['a'], ['c']]);
  });

  it('keep one tag more than the leader is told one by one, however many come', async () => {
    const { clock, batches, written } = world();
    batches.add(LAB, tags(...Array.from({ length: 500 }, (_, n) => `t${n}`)));
    await clock.advance(100);
    expect(written[0]?.pushed).toHaveLength(MAX_PUSHED_TAGS + 1);
  });

  it('keep what was said last of a tag', async () => {
    const { clock, batches, written } = world();
    batches.add(LAB, [{ tag: 'a', digest: DIGEST_A }]);
    batches.add(LAB, [{ tag: 'a', digest: DIGEST_B }]);
    await clock.advance(100);
    expect(written[0]?.pushed).toEqual([{ tag: 'a', digest: DIGEST_B }]);
  });

  it('go on after a write that failed', async () => {
    const { clock, batches, written } = world(() => Promise.reject(new Error('no API server')));
    batches.add(LAB, tags('a'));
    await clock.advance(100);
    batches.add(LAB, tags('b'));
    await clock.advance(1_000);
    expect(written.map(namesOf)).toEqual([['a'], ['b']]);
  });

  it('write what is pending when asked to end, and leave no timer', async () => {
    const { clock, batches, written } = world();
    batches.add(LAB, tags('a'));
    await batches.flush();
    expect(written.map(namesOf)).toEqual([['a']]);
    expect(clock.pendingTimers).toBe(0);
  });
});
