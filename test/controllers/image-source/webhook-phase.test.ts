import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { SourceWorld } from './source-world.ts';

const SECRETS = { group: '', version: 'v1', plural: 'secrets' };
const TAGS = ['w_2026_47'];

let world: SourceWorld;

afterEach(() => world[Symbol.asyncDispose]());

function putToken(name: string, token: string, key = 'token'): void {
  const data = { [key]: Buffer.from(token).toString('base64') };
  world.server.store.put(SECRETS, { metadata: { name, namespace: 'default' }, type: 'Opaque', data });
}

function pathOf(token: string): string {
  return `/hooks/${createHash('sha256').update(`${token}/default/lab`).digest('hex')}`;
}

function message(): string {
  return world.status.conditions?.find(({ type }) => type === 'WebhookReady')?.message ?? '';
}

async function start(webhook: { readonly enabled: boolean; readonly secretRef?: { readonly name: string } }) {
  world = await SourceWorld.start(TAGS, { webhook });
}

describe('a webhook', () => {
  it('is nobody’s business unless it is enabled', async () => {
    await start({ enabled: false });
    await world.reconcile();
    expect(world.status).not.toHaveProperty('webhookPath');
    expect(world.conditions).not.toHaveProperty('WebhookReady');
    expect(world.server.count('get', 'secrets')).toBe(0);
  });

  it('has the path of the token in its Secret, never the token', async () => {
    await start({ enabled: true, secretRef: { name: 'hook' } });
    putToken('hook', 's3cret');
    await world.reconcile();
    expect(world.status.webhookPath).toBe(pathOf('s3cret'));
    expect(world.conditions['WebhookReady']).toBe('True/WebhookEnabled');
    expect(JSON.stringify(world.source)).not.toContain('s3cret');
  });

  it('makes its Secret where none is named, owned by the source', async () => {
    await start({ enabled: true });
    await world.reconcile();
    const secret = world.server.store.get(SECRETS, 'default/lab-webhook');
    const { token } = secret['stringData'] as { readonly token: string };
    expect(token).toMatch(/^[0-9a-f]{64}$/);
    expect(secret.metadata['ownerReferences']).toMatchObject([
      { kind: 'ImageSource', name: 'lab', controller: false },
    ]);
    expect(world.status.webhookPath).toBe(pathOf(token));
  });

  it('takes a Secret that was made in the same moment by somebody else', async () => {
    await start({ enabled: true });
    world.server.fail({
      when: ({ verb, plural }) => verb === 'create' && plural === 'secrets',
      action: { kind: 'status', code: 409, reason: 'AlreadyExists' },
    });
    await world.reconcile();
    expect(world.conditions['WebhookReady']).toBe('False/SecretNotFound');
    putToken('lab-webhook', 'theirs');
    await world.clock.advance(60_000);
    await world.reconcile();
    expect(world.status.webhookPath).toBe(pathOf('theirs'));
  });

  it.each<readonly [string, 'get' | 'create', RegExp]>([
    ['read', 'get', /kubectl create rolebinding larder-credentials -n default/],
    ['made', 'create', /kubectl create secret generic lab-webhook -n default --from-literal=token=/],
  ])(
    'says what to do where its Secret must not be %s, and scans all the same',
    async (_what, verb, words) => {
      await start({ enabled: true });
      world.server.fail({
        when: (request) => request.verb === verb && request.plural === 'secrets',
        action: { kind: 'status', code: 403, reason: 'Forbidden' },
      });
      await world.reconcile();
      expect(world.conditions).toMatchObject({
        Ready: 'True/Succeeded',
        WebhookReady: 'False/SecretAccessDenied',
      });
      expect(message()).toMatch(words);
      expect(world.status).not.toHaveProperty('webhookPath');
    },
  );

  it('is scanned although its Secret cannot be made', async () => {
    await start({ enabled: true });
    world.server.fail({
      when: ({ verb, plural }) => verb === 'create' && plural === 'secrets',
      action: { kind: 'status', code: 422, reason: 'Invalid', message: 'metadata.name: must be shorter' },
    });
    await world.reconcile();
    expect(world.conditions).toMatchObject({ Ready: 'True/Succeeded', WebhookReady: 'False/SecretInvalid' });
    expect(message()).toContain('spec.webhook.secretRef');
  });

  it.each([
    ['is missing', undefined, 'SecretNotFound'],
    ['lacks the key', 'other', 'SecretInvalid'],
  ])('does not make up for a named Secret that %s', async (_what, key, reason) => {
    await start({ enabled: true, secretRef: { name: 'hook' } });
    if (key !== undefined) putToken('hook', 's3cret', key);
    await world.reconcile();
    expect(world.conditions['WebhookReady']).toBe(`False/${reason}`);
    expect(world.server.count('create', 'secrets')).toBe(0);
  });

  it('follows a changed token within a minute, and reads the Secret no more often', async () => {
    await start({ enabled: true, secretRef: { name: 'hook' } });
    putToken('hook', 'old');
    await world.reconcile();
    putToken('hook', 'new');
    await world.clock.advance(59_000);
    await world.reconcile();
    expect(world.server.count('get', 'secrets')).toBe(1);
    await world.clock.advance(1_000);
    await world.reconcile();
    expect(world.status.webhookPath).toBe(pathOf('new'));
  });

  it('closes when it is disabled', async () => {
    await start({ enabled: true });
    await world.reconcile();
    world.edit({ webhook: { enabled: false } });
    await world.reconcile();
    expect(world.status).not.toHaveProperty('webhookPath');
    expect(world.conditions).not.toHaveProperty('WebhookReady');
  });
});
