import { afterEach, describe, expect, it } from 'vitest';
import { sendError } from '../../support/registry-exchange.ts';
import { steppedThrough } from '../../support/registry-failure.ts';
import { digestOf } from '../fixtures.ts';
import { REPOSITORY, StockWorld } from './stock-world.ts';

const HALF_AN_HOUR = 1_800_000;
const ACCESS = { plainHTTP: true, pullSecretRefs: [{ name: 'regcred' }] };

let world: StockWorld;

afterEach(() => world[Symbol.asyncDispose]());

/** A private registry, and an object that names a digest there and has the given password. */
async function startPrivate(password = 'right', by: 'digest' | 'tag' = 'digest'): Promise<void> {
  world = await StockWorld.start(
    { access: ACCESS },
    { auth: 'basic', username: 'puller', password: 'right' },
  );
  world.putDockerConfig('regcred', 'puller', password);
  const digest = world.registry.putImage(REPOSITORY, 'w_2026_47');
  if (by === 'digest') world.edit({ image: `${world.reference('w_2026_47')}@${digest}` });
}

function refuse(status: number, code: string): void {
  world.registry.intercept = (_request, response) => {
    sendError(response, status, code);
    return true;
  };
}

describe('an image whose own credentials the registry refuses', () => {
  it.each([
    [401, 'UNAUTHORIZED', 'Unauthorized'],
    [403, 'DENIED', 'Forbidden'],
  ])('(%d) is not prepulled, although its digest lies on every node', async (status, code, reason) => {
    world = await StockWorld.start();
    world.edit({ image: `${world.reference('w_2026_47')}@${digestOf('a')}` });
    refuse(status, code);
    await world.reconcile();
    world.stock('n1', 'n2');
    await world.clock.advance(30_000);
    await world.reconcile();
    expect(world.conditions).toMatchObject({
      Resolved: `False/${reason}`,
      Prepulled: `False/${reason}`,
      Ready: `False/${reason}`,
    });
    expect(world.status).toMatchObject({ prepulled: false, nodes: { eligible: 2, present: 2 } });
    expect(world.message('Prepulled')).toContain('it lies on 2 of 2 eligible nodes for those who may use it');
  });

  it('is not prepulled with a wrong password, whoever else has pulled it, and is with the right one', async () => {
    await startPrivate('wrong');
    await world.reconcile();
    world.stock('n1', 'n2');
    await world.clock.advance(1_000);
    await world.reconcile();
    expect(world.status.prepulled).toBe(false);
    expect(world.conditions['Ready']).toBe('False/Unauthorized');
    world.putDockerConfig('regcred', 'puller', 'right');
    await world.clock.advance(30_000);
    await world.reconcile();
    expect(world.conditions).toMatchObject({ Resolved: 'True/DigestGiven', Ready: 'True/Stocked' });
    expect(world.status.prepulled).toBe(true);
  });

  it('is not prepulled by its tag either, although the digest was found before', async () => {
    await startPrivate('right', 'tag');
    await world.reconcile();
    world.stock('n1', 'n2');
    world.putDockerConfig('regcred', 'puller', 'wrong');
    await world.clock.advance(300_000);
    await world.reconcile();
    expect(world.conditions).toMatchObject({
      Resolved: 'False/Unauthorized',
      Prepulled: 'False/Unauthorized',
    });
    expect(world.status.prepulled).toBe(false);
  });

  it('is found out within half an hour when the registry changes its mind about a digest', async () => {
    await startPrivate();
    await world.reconcile();
    world.stock('n1', 'n2');
    await world.clock.advance(1_000);
    await world.reconcile();
    expect(world.status.prepulled).toBe(true);
    refuse(403, 'DENIED');
    for (let passed = 0; passed < HALF_AN_HOUR; passed += 300_000) {
      await world.clock.advance(300_000);
      await world.reconcile();
    }
    expect(world.conditions['Prepulled']).toBe('False/Forbidden');
    // What is cached must not stand in for the permission.
    await world.clock.advance(30_000);
    await world.reconcile();
    expect(world.status.prepulled).toBe(false);
    world.registry.intercept = undefined;
    // Asked a second time in vain: the pause has doubled.
    await world.clock.advance(60_000);
    await world.reconcile();
    expect(world.status.prepulled).toBe(true);
  });

  it('may be another than that of its nodes, where a cloud gives them theirs', async () => {
    world = await StockWorld.start({ access: { plainHTTP: true, provider: 'AWS' } });
    world.edit({ image: `${world.reference('w_2026_47')}@${digestOf('b')}` });
    refuse(403, 'DENIED');
    await world.reconcile();
    world.stock('n1', 'n2');
    await world.clock.advance(30_000);
    await world.reconcile();
    expect(world.conditions).toMatchObject({ Resolved: 'Unknown/Forbidden', Prepulled: 'True/AllNodes' });
  });

  it('is found out at once when somebody asks', async () => {
    await startPrivate();
    await world.reconcile();
    world.stock('n1', 'n2');
    refuse(403, 'DENIED');
    world.annotate({ 'larder.dev/reconcile-requested-at': 'now' });
    await world.reconcile();
    expect(world.conditions['Prepulled']).toBe('False/Forbidden');
    expect(world.status.lastHandledReconcileAt).toBe('now');
  });
});

describe('a digest', () => {
  it('without credentials is never asked for again', async () => {
    world = await StockWorld.start();
    const digest = world.registry.putImage(REPOSITORY, 'w_2026_47');
    world.edit({ image: `${world.reference('w_2026_47')}@${digest}` });
    await world.reconcile();
    world.takeRequests();
    await world.clock.advance(2 * HALF_AN_HOUR);
    await world.reconcile();
    expect(world.takeRequests()).toEqual([]);
  });

  it('with credentials costs one HEAD in half an hour', async () => {
    await startPrivate();
    await world.reconcile();
    world.takeRequests();
    for (let passed = 0; passed < HALF_AN_HOUR; passed += 300_000) {
      await world.clock.advance(300_000);
      await world.reconcile();
    }
    expect(new Set(world.takeRequests())).toEqual(new Set([`HEAD ${world.want.pulls[0]?.key ?? ''}`]));
  });

  it.each<readonly [string, () => void]>([
    [
      'goes away',
      () => {
        world.registry.intercept = (_request, response) => {
          response.destroy();
          return true;
        };
      },
    ],
    [
      'has errors',
      () => {
        refuse(404, 'NAME_UNKNOWN');
      },
    ],
  ])('stays prepulled while the registry %s: that is no refusal', async (_what, fail) => {
    await startPrivate();
    await world.reconcile();
    world.stock('n1', 'n2');
    fail();
    await world.clock.advance(HALF_AN_HOUR);
    await steppedThrough(world.reconcile(), world.clock);
    expect(world.conditions['Resolved']).toMatch(/^Unknown\//);
    expect(world.conditions).toMatchObject({ Prepulled: 'True/AllNodes', Ready: 'True/Stocked' });
  });
});

describe('credentials that the kubelet ignores', () => {
  it('make the object unready, while it is resolved with them', async () => {
    await startPrivate('right', 'tag');
    world.putSecret('regcred', 'kubernetes.io/basic-auth', { username: 'puller', password: 'right' });
    await world.reconcile();
    expect(world.conditions).toMatchObject({
      CredentialsReady: 'False/SecretTypeUnusableByKubelet',
      Resolved: 'True/TagResolved',
      Ready: 'False/SecretTypeUnusableByKubelet',
    });
    expect(world.message('Ready')).toMatch(/basic-auth \(regcred\).*kubectl create secret docker-registry/);
  });

  it('do no harm beside a docker config for the same registry', async () => {
    await startPrivate('right', 'tag');
    world.putSecret('basic', 'kubernetes.io/basic-auth', { username: 'puller', password: 'right' });
    world.edit({
      access: { ...world.object.spec.access, pullSecretRefs: [{ name: 'basic' }, { name: 'regcred' }] },
    });
    await world.reconcile();
    expect(world.conditions['CredentialsReady']).toBe('True/CredentialsFound');
  });

  it('are told from a Secret that is missing, with the command that makes one', async () => {
    await startPrivate();
    world.edit({ access: { ...world.object.spec.access, pullSecretRefs: [{ name: 'gone' }] } });
    await world.reconcile();
    expect(world.conditions).toMatchObject({
      CredentialsReady: 'False/SecretNotFound',
      Ready: 'False/SecretNotFound',
    });
    expect(world.message('Ready')).toContain('kubectl create secret docker-registry gone -n default');
  });
});

describe('a tag that moves', () => {
  it('is told once', async () => {
    world = await StockWorld.start();
    await world.reconcile();
    const from = world.status.image?.digest ?? '';
    world.events.length = 0;
    const to = world.registry.putImage(REPOSITORY, 'w_2026_47', { seed: 'rebuilt' });
    await world.clock.advance(300_000);
    await world.reconcile();
    await world.clock.advance(300_000);
    await world.reconcile();
    const moved = world.events.filter((event) => event.includes('TagMoved'));
    expect(moved).toEqual([`Normal TagMoved: ${world.reference('w_2026_47')} moved from ${from} to ${to}`]);
  });

  it('is no event when the spec names another tag', async () => {
    world = await StockWorld.start();
    await world.reconcile();
    world.registry.putImage(REPOSITORY, 'w_2026_48');
    world.edit({ image: world.reference('w_2026_48') });
    await world.reconcile();
    expect(world.events.filter((event) => event.includes('TagMoved'))).toEqual([]);
  });
});
