import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { silentLogger } from '../../../src/kube/logger.ts';
import type { Transport } from '../../../src/kube/transport.ts';
import { RecentEvents } from '../../../src/server/dashboard/recent-events.ts';
import { FakeApiServer } from '../../support/fake-api-server.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const EVENTS = { group: '', version: 'v1', plural: 'events' };

let api: FakeApiServer;
let transport: Transport;
let clock: FakeClock;
let events: RecentEvents;

beforeEach(async () => {
  api = await FakeApiServer.start();
  const connection = api.connect(systemClock);
  ({ transport } = connection);
  clock = new FakeClock();
  events = new RecentEvents({ client: connection.client, clock, log: silentLogger });
});

afterEach(async () => {
  await transport.close();
  await api.close();
});

function put(name: string, fields: Readonly<Record<string, unknown>>): void {
  const metadata = { name, namespace: 'default', creationTimestamp: '2026-01-01T00:00:00Z' };
  const involvedObject = { kind: 'ImageSource', namespace: 'default', name: 'lab' };
  const reportingComponent = 'larder.dev/operator';
  api.store.put(EVENTS, {
    metadata,
    involvedObject,
    reportingComponent,
    reason: 'R',
    message: 'm',
    ...fields,
  });
}

describe('recent events', () => {
  it('are told newest first, whichever time they carry', async () => {
    put('new-style', { eventTime: '2026-01-01T00:02:00.000000Z', lastTimestamp: null, type: 'Warning' });
    put('old-style', { eventTime: null, lastTimestamp: '2026-01-01T00:03:00Z' });
    put('bare', {});
    const found = await events.list();
    expect(found?.map(({ at, isWarning }) => [new Date(at).getUTCMinutes(), isWarning])).toEqual([
      [3, false],
      [2, true],
      [0, false],
    ]);
    expect(found?.[0]).toMatchObject({ kind: 'ImageSource', object: { namespace: 'default', name: 'lab' } });
  });

  it('are read once in a while, however many look', async () => {
    await Promise.all([events.list(), events.list(), events.list()]);
    await events.list();
    expect(api.count('list', 'events')).toBe(1);
    await clock.advance(5_000);
    await events.list();
    expect(api.count('list', 'events')).toBe(2);
  });

  it('are undefined where they may not be read, and come back', async () => {
    api.fail({
      when: ({ plural }) => plural === 'events',
      action: { kind: 'status', code: 403, reason: 'Forbidden' },
    });
    expect(await events.list()).toBeUndefined();
    put('one', {});
    await clock.advance(5_000);
    expect(await events.list()).toHaveLength(1);
  });
});
