import { describe, expect, it } from 'vitest';
import { type PushBatch, PushBatches } from '../../../src/server/webhooks/push-batches.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const LAB = { namespace: 'default', name: 'lab' };
const OTHER = { namespace: 'default', name: 'other' };

interface World {
  readonly clock: FakeClock;
  readonly batches: PushBatches;
  readonly written: PushBatch[];
}

function world(write?: (batch: PushBatch) => Promise<void>): World {
  const clock = new FakeClock();
  const written: PushBatch[] = [];
  const batches = new PushBatches({
    clock,
    maxTags: 32,
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
    batches.add(LAB, ['w_2026_47']);
    batches.add(LAB, ['latest_weekly', 'w_2026_47']);
    expect(written).toEqual([]);
    await clock.advance(100);
    expect(written).toEqual([{ source: LAB, tags: ['w_2026_47', 'latest_weekly'], overflow: false }]);
  });

  it('make few writes of a storm: 1,000 events in a second', async () => {
    const { clock, batches, written } = world();
    for (let n = 0; n < 1_000; n += 1) {
      batches.add(LAB, [`t${n % 20}`]);
      await clock.advance(1);
    }
    await clock.advance(5_000);
    expect(written.length).toBeLessThanOrEqual(3);
    expect(new Set(written.flatMap(({ tags }) => tags)).size).toBe(20);
  });

  it('do not hold one source back for another', async () => {
    const { clock, batches, written } = world(({ source }) =>
      source === LAB ? new Promise<void>(() => undefined) : Promise.resolve(),
    );
    batches.add(LAB, ['a']);
    await clock.advance(100);
    batches.add(LAB, ['b']);
    batches.add(OTHER, ['c']);
    await clock.advance(10_000);
    expect(written.map(({ tags }) => tags)).toEqual([['a'], ['c']]);
  });

  it('say when more tags came than a batch holds', async () => {
    const { clock, batches, written } = world();
    batches.add(
      LAB,
      Array.from({ length: 40 }, (_, n) => `t${n}`),
    );
    await clock.advance(100);
    expect(written[0]).toMatchObject({ overflow: true });
    expect(written[0]?.tags).toHaveLength(32);
  });

  it('go on after a write that failed', async () => {
    const { clock, batches, written } = world(() => Promise.reject(new Error('no API server')));
    batches.add(LAB, ['a']);
    await clock.advance(100);
    batches.add(LAB, ['b']);
    await clock.advance(1_000);
    expect(written.map(({ tags }) => tags)).toEqual([['a'], ['b']]);
  });

  it('write what is pending when asked to end, and leave no timer', async () => {
    const { clock, batches, written } = world();
    batches.add(LAB, ['a']);
    await batches.flush();
    expect(written.map(({ tags }) => tags)).toEqual([['a']]);
    expect(clock.pendingTimers).toBe(0);
  });
});
