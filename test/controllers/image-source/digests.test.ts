import { afterEach, describe, expect, it } from 'vitest';
import type { Intercept } from '../../support/fake-registry.ts';
import { sendError } from '../../support/registry-exchange.ts';
import { SourceWorld } from './source-world.ts';

const TAGS = ['r29_0_1', 'w_2026_46', 'w_2026_47', 'd_2026_11_19', 'd_2026_11_20', 'd_2026_11_21'];
const ALIASED = [...TAGS, 'recommended=w_2026_47'];

let world: SourceWorld;

afterEach(() => world[Symbol.asyncDispose]());

/** The registry fails for HEADs of these tags only. */
function failing(tags: readonly string[], fail: Intercept): Intercept {
  return (request, response) =>
    tags.some((tag) => request.path.endsWith(`/manifests/${tag}`)) ? fail(request, response) : false;
}

const refuse =
  (status: number, code: string): Intercept =>
  (_request, response) => {
    sendError(response, status, code);
    return true;
  };

const withoutDigest: Intercept = ({ method }, response) => {
  response.writeHead(200, { 'content-type': 'text/html' }).end(method === 'HEAD' ? undefined : '<html>');
  return true;
};

function ready(): string | undefined {
  return world.status.conditions?.find(({ type }) => type === 'Ready')?.message;
}

function digestOf(tag: string): string | undefined {
  return world.status.images?.find((image) => image.tag === tag)?.digest;
}

describe('a scan that is cut', () => {
  it('goes on where it was, so that it comes to its end', async () => {
    const tags = Array.from({ length: 40 }, (_, index) => `1.0.${String(index)}`);
    world = await SourceWorld.start(tags, { tags: { grammar: 'SemVer' }, digests: 'All', interval: '10s' });
    let left = 25;
    world.registry.intercept = ({ method }, response) => {
      if (method !== 'HEAD') return false;
      left -= 1;
      if (left >= 0) return false;
      sendError(response, 403, 'DENIED');
      return true;
    };
    await world.reconcile();
    expect(world.conditions['Ready']).toBe('False/Forbidden');
    expect(world.takeRequests().filter((request) => request.startsWith('HEAD')).length).toBeLessThan(35);
    left = 25;
    await world.clock.advance(10_000);
    await world.reconcile();
    expect(world.conditions['Ready']).toBe('True/Succeeded');
    expect(world.takeRequests().filter((request) => request.startsWith('HEAD'))).toHaveLength(15);
  });
});

describe('trouble with one tag', () => {
  it.each<readonly [string, Intercept, string]>([
    ['403', refuse(403, 'DENIED'), 'Forbidden'],
    ['500', refuse(500, 'UNKNOWN'), 'RegistryUnavailable'],
    ['an answer without digest', withoutDigest, 'InvalidResponse'],
  ])('(%s) leaves it without digest, and the others go on', async (_what, fail, reason) => {
    world = await SourceWorld.start(TAGS, { prepull: {} });
    world.registry.intercept = failing(['w_2026_46'], fail);
    await world.reconcileThroughRetries();
    expect(world.conditions).toMatchObject({
      Ready: 'False/DigestsIncomplete',
      Reconciling: 'True/ProgressingWithRetry',
    });
    expect(ready()).toContain('1 of 6 digests could not be asked for (0 keep their last one, 1 have none)');
    expect(world.status.scan).toMatchObject({ tags: 6, failedDigests: 1 });
    expect(world.status.scan?.warnings?.[0]).toContain(`tag w_2026_46 has no digest: ${reason}`);
    expect(world.childTags).toEqual(TAGS.filter((tag) => tag !== 'w_2026_46').sort());
  });

  it('keeps its last known digest, and Ready stays True while it says so', async () => {
    world = await SourceWorld.start(ALIASED, { prepull: {} });
    await world.reconcile();
    const { children } = world;
    const digest = digestOf('recommended');
    world.registry.intercept = failing(['recommended'], refuse(403, 'DENIED'));
    await world.clock.advance(300_000);
    await world.reconcile();
    expect(world.conditions['Ready']).toBe('True/DigestsIncomplete');
    expect(world.conditions).not.toHaveProperty('Reconciling');
    expect(ready()).toContain('1 keep their last one, 0 have none');
    expect(digestOf('recommended')).toBe(digest);
    expect(world.children).toEqual(children);
  });

  it('is tried again soon, then later and later, and heals', async () => {
    world = await SourceWorld.start(TAGS);
    world.registry.intercept = failing(['w_2026_46'], refuse(403, 'DENIED'));
    expect(await world.reconcile()).toEqual({ requeueAfterMs: 30_000 });
    await world.clock.advance(30_000);
    expect(await world.reconcile()).toEqual({ requeueAfterMs: 60_000 });
    world.registry.intercept = undefined;
    await world.clock.advance(60_000);
    expect(await world.reconcile()).toEqual({ requeueAfterMs: 300_000 });
    expect(world.conditions['Ready']).toBe('True/Succeeded');
    expect(world.status.scan).not.toHaveProperty('failedDigests');
  });

  it('that hangs costs a third of the time of the scan, not the scan', async () => {
    world = await SourceWorld.start(TAGS, { timeout: '30s' });
    world.registry.intercept = failing(['w_2026_46'], () => true);
    const pass = world.reconcile();
    await world.clock.advanceUntil(() => world.registry.log.length > TAGS.length, { stepMs: 1 });
    await world.clock.advance(10_000);
    await pass;
    expect(world.conditions['Ready']).toBe('False/DigestsIncomplete');
    expect(ready()).toContain('no answer within 10 s');
    expect(digestOf('w_2026_47')).toBeDefined();
    expect(world.clock.pendingTimers).toBe(0);
  });
});

describe('trouble with the registry as a whole', () => {
  it.each([
    ['answers with errors', 500, 'RegistryUnavailable'],
    ['refuses', 403, 'Forbidden'],
  ])('that %s for every tag ends the asking after a few', async (_what, status, reason) => {
    const many = Array.from({ length: 60 }, (_, index) => `1.0.${String(index)}`);
    world = await SourceWorld.start(many, {
      tags: { grammar: 'SemVer' },
      select: [{ name: 'all', semver: '*', newest: 60 }],
    });
    world.registry.intercept = ({ method }, response) => {
      if (method !== 'HEAD') return false;
      response.writeHead(status).end();
      return true;
    };
    await world.reconcileThroughRetries();
    expect(world.conditions['Ready']).toBe(`False/${reason}`);
    const asked = new Set(world.takeRequests().filter((request) => request.startsWith('HEAD')));
    expect(asked.size).toBeLessThanOrEqual(8);
    expect(world.status).not.toHaveProperty('images');
  });

  it('that wants fewer requests is left alone after one', async () => {
    world = await SourceWorld.start(TAGS);
    world.registry.intercept = ({ method }, response) => {
      if (method !== 'HEAD') return false;
      response.setHeader('retry-after', '600');
      sendError(response, 429, 'TOOMANYREQUESTS');
      return true;
    };
    const { requeueAfterMs = 0 } = await world.reconcileThroughRetries();
    expect(world.conditions['Ready']).toBe('False/TooManyRequests');
    expect(requeueAfterMs).toBeGreaterThan(500_000);
    expect(world.takeRequests().filter((request) => request.startsWith('HEAD')).length).toBeLessThanOrEqual(
      4,
    );
  });

  it('that goes away after the list is unreachable, not incomplete', async () => {
    world = await SourceWorld.start(ALIASED);
    await world.reconcile();
    world.registry.intercept = ({ method }, response) => {
      if (method !== 'HEAD') return false;
      response.destroy();
      return true;
    };
    await world.clock.advance(300_000);
    await world.reconcileThroughRetries();
    expect(world.conditions['Ready']).toBe('False/RegistryUnreachable');
  });
});
