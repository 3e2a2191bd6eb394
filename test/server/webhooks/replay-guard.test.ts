import { describe, expect, it } from 'vitest';
import { ReplayGuard } from '../../../src/server/webhooks/replay-guard.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const MINUTE = 60_000;

function push(
  rest: { readonly eventId?: string; readonly occurredAt?: number } = {},
): Parameters<ReplayGuard['admit']>[1] {
  return { repository: 'sciplat/lab', tag: 'w_2026_47', ...rest };
}

describe('the replay guard', () => {
  it('admits an event once per source', () => {
    const guard = new ReplayGuard(new FakeClock());
    expect(guard.admit('a/lab', push({ eventId: '1' }))).toBe('Fresh');
    expect(guard.admit('a/lab', push({ eventId: '1' }))).toBe('Replayed');
    expect(guard.admit('b/lab', push({ eventId: '1' }))).toBe('Fresh');
    expect(guard.admit('a/lab', push({ eventId: '2' }))).toBe('Fresh');
  });

  it('admits events without id and time as often as they come', () => {
    const guard = new ReplayGuard(new FakeClock());
    expect([guard.admit('a', push()), guard.admit('a', push())]).toEqual(['Fresh', 'Fresh']);
    expect(guard.size).toBe(0);
  });

  it.each([
    [-59, 'Fresh'],
    [-61, 'Stale'],
    [4, 'Fresh'],
    [6, 'Stale'],
  ])('an event %i minutes from now is %s', (minutes, freshness) => {
    const clock = new FakeClock();
    const occurredAt = clock.now() + minutes * MINUTE;
    expect(new ReplayGuard(clock).admit('a', push({ eventId: '1', occurredAt }))).toBe(freshness);
  });

  it('forgets an id only when its event would be stale', async () => {
    const clock = new FakeClock();
    const guard = new ReplayGuard(clock);
    const event = push({ eventId: '1', occurredAt: clock.now() + 4 * MINUTE });
    guard.admit('a', event);
    await clock.advance(63 * MINUTE);
    expect(guard.admit('a', event)).toBe('Replayed');
    await clock.advance(3 * MINUTE);
    expect(guard.admit('a', event)).toBe('Stale');
    guard.admit('a', push({ eventId: 'other' }));
    expect(guard.size).toBe(1);
  });

  it('remembers a bounded number of ids', () => {
    const guard = new ReplayGuard(new FakeClock());
    for (let n = 0; n < 10_500; n += 1) guard.admit('a', push({ eventId: String(n) }));
    expect(guard.size).toBe(10_000);
    expect(guard.admit('a', push({ eventId: '10499' }))).toBe('Replayed');
  });
});
