import { describe, expect, it } from 'vitest';
import { SingleFlight } from '../../src/registry/single-flight.ts';

const SIGNAL = new AbortController().signal;

describe('SingleFlight', () => {
  it('starts once for equal keys at the same moment, and anew afterwards', async () => {
    const flights = new SingleFlight<number>();
    let starts = 0;
    const start = async (): Promise<number> => {
      await Promise.resolve();
      return ++starts;
    };
    expect(await Promise.all([flights.run('a', SIGNAL, start), flights.run('a', SIGNAL, start)])).toEqual([
      1, 1,
    ]);
    expect(await flights.run('a', SIGNAL, start)).toBe(2);
    expect(await Promise.all([flights.run('a', SIGNAL, start), flights.run('b', SIGNAL, start)])).toEqual([
      3, 4,
    ]);
  });

  it('hands a failure to every caller and forgets it', async () => {
    const flights = new SingleFlight<number>();
    const fail = (): Promise<number> => Promise.reject(new Error('no'));
    const both = await Promise.allSettled([flights.run('a', SIGNAL, fail), flights.run('a', SIGNAL, fail)]);
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await flights.run('a', SIGNAL, () => Promise.resolve(1))).toBe(1);
  });

  it('goes on while one caller waits, and ends when the last gives up', async () => {
    const flights = new SingleFlight<number>();
    let seen: AbortSignal | undefined;
    const start = (signal: AbortSignal): Promise<number> => {
      seen = signal;
      return new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          reject(new Error('ended'));
        });
      });
    };
    const [first, second] = [new AbortController(), new AbortController()];
    const callers = [flights.run('a', first.signal, start), flights.run('a', second.signal, start)];
    const settled = Promise.allSettled(callers);
    first.abort(new Error('first gave up'));
    await expect(callers[0]).rejects.toThrow('first gave up');
    expect(seen?.aborted).toBe(false);
    second.abort(new Error('second gave up'));
    await settled;
    expect(seen?.aborted).toBe(true);
    expect(await flights.run('a', SIGNAL, () => Promise.resolve(1))).toBe(1);
    await expect(flights.run('a', second.signal, () => Promise.resolve(1))).rejects.toThrow('second gave up');
  });
});
