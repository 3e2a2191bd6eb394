import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { Counter } from '../../src/kube/counter.ts';
import type { Transport } from '../../src/kube/transport.ts';
import { FakeApiServer } from '../support/fake-api-server.ts';
import { CONFIG_MAP_REF } from './fixtures.ts';

const PLACE = { namespace: 'larder-system', name: 'counters' };

let server: FakeApiServer;
let transport: Transport;
let client: KubeClient;
let counter: Counter;

beforeEach(async () => {
  server = await FakeApiServer.start();
  ({ transport, client } = server.connect(systemClock));
  counter = new Counter({ client, ...PLACE });
});

afterEach(async () => {
  await transport.close();
  await server.close();
});

function stored(): unknown {
  return server.store.find(CONFIG_MAP_REF, 'larder-system/counters')?.['data'];
}

function arrange(data: Readonly<Record<string, string>>): void {
  server.store.put(CONFIG_MAP_REF, { metadata: PLACE, data });
}

describe('a counter', () => {
  it('begins at one, and makes its ConfigMap', async () => {
    expect(await counter.next('default', 0)).toBe(1);
    expect(stored()).toEqual({ default: '1' });
  });

  it('goes on where it was, in each series by itself', async () => {
    arrange({ default: '23', other: '4', foreign: 'kept' });
    expect(await counter.next('default', 0)).toBe(24);
    expect(await counter.next('other', 0)).toBe(5);
    expect(stored()).toEqual({ default: '24', other: '5', foreign: 'kept' });
  });

  it('goes on above the highest number in use when it was lost', async () => {
    expect(await counter.next('default', 41)).toBe(42);
  });

  it('reads nothing from what is no number', async () => {
    arrange({ default: '12 monkeys' });
    expect(await counter.next('default', 7)).toBe(8);
  });

  it('leaves out what was reserved, and writes only if that is new', async () => {
    await counter.reserve('default', 9);
    await counter.reserve('default', 3);
    expect(server.count('update') + server.count('create')).toBe(1);
    expect(await counter.next('default', 0)).toBe(10);
  });

  it('gives no number twice, however many count at once', async () => {
    const counters = Array.from({ length: 4 }, () => new Counter({ client, ...PLACE }));
    const drawn = await Promise.all(
      Array.from({ length: 20 }, (_, index) => (counters[index % 4] ?? counter).next('default', 0)),
    );
    expect(new Set(drawn).size).toBe(20);
    expect(Math.max(...drawn)).toBe(20);
  });

  it('writes once for all of a process that ask at the same moment', async () => {
    arrange({ default: '1' });
    const drawn = await Promise.all([
      counter.next('default', 0),
      ...Array.from({ length: 20 }, (_, index) => counter.next(index % 2 === 0 ? 'default' : 'other', 0)),
      counter.reserve('default', 50),
    ]);
    expect(drawn.slice(0, 4)).toEqual([2, 3, 1, 4]);
    expect(server.count('update')).toBe(2);
    expect(stored()).toEqual({ default: '50', other: '10' });
  });

  it('gives no number twice although an answer is lost', async () => {
    arrange({ default: '5' });
    server.fail({ when: ({ verb }) => verb === 'update', action: { kind: 'lose-answer' } });
    const first = await counter.next('default', 0);
    const second = await counter.next('default', 0);
    expect(first).toBeGreaterThan(5);
    expect(second).toBeGreaterThan(first);
  });

  it('passes on what the server refuses', async () => {
    server.fail({ when: ({ verb }) => verb === 'get', action: { kind: 'status', code: 403 } });
    await expect(counter.next('default', 0)).rejects.toMatchObject({ status: 403 });
    expect(await counter.next('default', 0)).toBe(1);
  });
});
