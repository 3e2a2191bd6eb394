import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import type { Transport } from '../../../src/kube/transport.ts';
import { hookSecretReader } from '../../../src/server/webhooks/hook-secret.ts';
import { imageSource } from '../../support/builders.ts';
import { FakeApiServer } from '../../support/fake-api-server.ts';
import { RecordingLog } from '../../support/http-server.ts';

const SECRETS = { group: '', version: 'v1', plural: 'secrets' };
const SOURCE = imageSource({ spec: { webhook: { enabled: true } } });
const TOKEN = 'token-0123456789abcdef';

let api: FakeApiServer;
let transport: Transport;
let log: RecordingLog;
let read: ReturnType<typeof hookSecretReader>;

beforeEach(async () => {
  api = await FakeApiServer.start();
  const connection = api.connect(systemClock);
  ({ transport } = connection);
  log = new RecordingLog();
  read = hookSecretReader(connection.client, log);
});

afterEach(async () => {
  await transport.close();
  await api.close();
});

function put(texts: Readonly<Record<string, string>>, name = 'lab-webhook'): void {
  const data = Object.fromEntries(
    Object.entries(texts).map(([key, text]) => [key, Buffer.from(text).toString('base64')]),
  );
  api.store.put(SECRETS, { metadata: { name, namespace: 'default' }, data });
}

describe('the secret of a webhook', () => {
  it('has a token, and a secret if somebody put one there', async () => {
    put({ token: TOKEN });
    expect(await read(SOURCE)).toEqual({ token: TOKEN });
    put({ token: `${TOKEN}\n`, secret: 's3cret\r\n' });
    expect(await read(SOURCE)).toEqual({ token: TOKEN, secret: 's3cret' });
    expect(log.lines).toEqual([]);
  });

  it.each([
    ['nothing', {}],
    ['another key', { password: TOKEN }],
    ['an empty token', { token: '\n' }],
    ['a token that can be guessed', { token: '123456789012345' }],
  ])('with %s is none', async (_case, texts) => {
    put(texts);
    expect(await read(SOURCE)).toBeUndefined();
    expect(log.lines).toMatchObject([
      { level: 'warn', fields: { imageSource: 'default/lab', secret: 'lab-webhook' } },
    ]);
  });

  it('that stays unusable is complained of once, and again after it was usable', async () => {
    for (let round = 0; round < 5; round += 1) await read(SOURCE);
    expect(log.lines).toHaveLength(1);
    put({ token: TOKEN });
    await read(SOURCE);
    put({});
    await read(SOURCE);
    expect(log.lines).toHaveLength(2);
  });

  it('is what it was while the API server does not answer, but not once it may not be read', async () => {
    put({ token: TOKEN });
    await read(SOURCE);
    let answer: { readonly code: number; readonly reason: string } | undefined;
    for (const refusal of [
      { code: 503, reason: 'ServiceUnavailable' },
      { code: 403, reason: 'Forbidden' },
    ]) {
      const when = ({ plural }: { readonly plural?: string }) => plural === 'secrets' && answer === refusal;
      api.fail({ when, times: 100, action: { kind: 'status', message: 'no', ...refusal } });
      answer = refusal;
      expect(await read(SOURCE)).toEqual(refusal.code === 503 ? { token: TOKEN } : undefined);
    }
  });

  it('that may not be read is complained of with what the API server says', async () => {
    const action = {
      kind: 'status',
      code: 403,
      reason: 'Forbidden',
      message: 'secrets "lab-webhook" is forbidden',
    } as const;
    api.fail({ when: ({ plural }) => plural === 'secrets', action });
    expect(await read(SOURCE)).toBeUndefined();
    expect(JSON.stringify(log.lines)).toContain('is forbidden');
  });
});
