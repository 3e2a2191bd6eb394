import { describe, expect, it } from 'vitest';
import { Turns } from '../../../src/server/docker/turns.ts';

describe('writers', () => {
  it('go one after the other, in the order they came, also after one that failed', async () => {
    const turns = new Turns();
    const log: string[] = [];
    const write =
      (name: string, fails = false) =>
      async (): Promise<string> => {
        log.push(`${name} begins`);
        await Promise.resolve();
        log.push(`${name} ends`);
        if (fails) throw new Error(name);
        return name;
      };
    const all = [turns.take(write('a', true)), turns.take(write('b')), turns.take(write('c'))];
    expect((await Promise.allSettled(all)).map(({ status }) => status)).toEqual([
      'rejected',
      'fulfilled',
      'fulfilled',
    ]);
    expect(log).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
  });

  it('are sent away when too many wait, and taken again when there is room', async () => {
    const turns = new Turns();
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const waiting = Array.from({ length: 256 }, () => turns.take(() => promise));
    await expect(turns.take(() => promise)).rejects.toMatchObject({
      code: 'Unavailable',
      headers: { 'retry-after': '10' },
    });
    resolve(undefined);
    await Promise.all(waiting);
    await expect(turns.take(() => Promise.resolve('next'))).resolves.toBe('next');
  });
});
