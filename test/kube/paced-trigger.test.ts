import { beforeEach, describe, expect, it } from 'vitest';
import { PacedTrigger } from '../../src/kube/paced-trigger.ts';
import { formatKey } from '../../src/kube/resource.ts';
import { FakeClock } from '../support/fake-clock.ts';

const PACE_MS = 500;
const LAB = { namespace: 'jupyter', name: 'lab' };
const OTHER = { namespace: 'jupyter', name: 'other' };

let clock: FakeClock;
let trigger: PacedTrigger;
let fired: string[];

beforeEach(() => {
  clock = new FakeClock();
  trigger = new PacedTrigger('coverage', clock, PACE_MS);
  fired = [];
  trigger.start((key) => fired.push(`${clock.monotonic()} ${formatKey(key)}`));
});

describe('a paced trigger', () => {
  it('lets the first of a burst through at once and the others as one when the pace is over', async () => {
    const start = clock.monotonic();
    for (let count = 0; count < 100; count += 1) trigger.fire(LAB);
    expect(fired).toEqual([`${start} jupyter/lab`]);
    await clock.advance(PACE_MS - 1);
    trigger.fire(LAB);
    expect(fired).toHaveLength(1);
    await clock.advance(1);
    expect(fired).toEqual([`${start} jupyter/lab`, `${start + PACE_MS} jupyter/lab`]);
  });

  it('keeps the pace while it goes on, and loses nothing at the end', async () => {
    const start = clock.monotonic();
    for (let at = 0; at < 4 * PACE_MS; at += 100) {
      trigger.fire(LAB);
      await clock.advance(100);
    }
    const times = [0, 1, 2, 3, 4].map((n) => `${start + n * PACE_MS} jupyter/lab`);
    expect(fired).toEqual(times);
    await clock.advance(10 * PACE_MS);
    expect(fired).toEqual(times);
  });

  it('does not let one key wait for another', () => {
    const start = clock.monotonic();
    trigger.fire(LAB);
    trigger.fire(OTHER);
    expect(fired).toEqual([`${start} jupyter/lab`, `${start} jupyter/other`]);
  });

  it('is as quick as ever once the key has rested', async () => {
    trigger.fire(LAB);
    await clock.advance(PACE_MS);
    const later = clock.monotonic();
    trigger.fire(LAB);
    expect(fired.at(-1)).toBe(`${later} jupyter/lab`);
  });

  it('keeps what is fired before anybody listens', () => {
    const early = new PacedTrigger('coverage', clock, PACE_MS);
    early.fire(LAB);
    early.fire(LAB);
    const heard: string[] = [];
    early.start((key) => heard.push(formatKey(key)));
    expect(heard).toEqual(['jupyter/lab']);
  });
});
