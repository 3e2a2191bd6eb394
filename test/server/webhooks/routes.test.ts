/** Webhooks over HTTP: the real server, the real runtime client, a scripted API server. */

import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ImageSource, ImageSourceManifest } from '../../../src/api/image-source.ts';
import { systemClock } from '../../../src/clock.ts';
import { imageSourceType } from '../../../src/controllers/kinds.ts';
import { readPushedTags } from '../../../src/domain/pushed-tags.ts';
import type { Transport } from '../../../src/kube/transport.ts';
import { createMetrics } from '../../../src/server/metrics.ts';
import { HookDirectory } from '../../../src/server/webhooks/hook-directory.ts';
import { hookSecretReader } from '../../../src/server/webhooks/hook-secret.ts';
import { PushBatches } from '../../../src/server/webhooks/push-batches.ts';
import { pushWriter } from '../../../src/server/webhooks/push-writer.ts';
import { ReplayGuard } from '../../../src/server/webhooks/replay-guard.ts';
import { webhookRoutes } from '../../../src/server/webhooks/routes.ts';
import { webhookMetrics } from '../../../src/server/webhooks/webhook-metrics.ts';
import { IMAGE_SOURCES } from '../../controllers/fixtures.ts';
import { imageSource, type Overrides } from '../../support/builders.ts';
import { FakeApiServer } from '../../support/fake-api-server.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { RecordingLog, ServedGroups } from '../../support/http-server.ts';

const SECRETS = { group: '', version: 'v1', plural: 'secrets' };
const TOKEN = 'token-of-lab-0123456789';
const PUSHED_TAGS = 'larder.dev/pushed-tags';
/** When the events of the fixtures happened. */
const AT = Date.parse('2026-11-21T12:00:05Z');

let api: FakeApiServer;
let transport: Transport;
let server: ServedGroups;
let batches: PushBatches;
let log: RecordingLog;
let metrics: ReturnType<typeof createMetrics>;

beforeEach(async () => {
  api = await FakeApiServer.start();
  metrics = createMetrics({ processMetrics: false });
  log = new RecordingLog();
  const connection = api.connect(systemClock);
  ({ transport } = connection);
  const { client } = connection;
  const counts = webhookMetrics(metrics.registry);
  const clock = new FakeClock(AT);
  const write = pushWriter({ client, type: imageSourceType, clock: systemClock, log, metrics: counts });
  batches = new PushBatches({ clock: systemClock, write });
  const directory = new HookDirectory({
    clock,
    sources: () => api.store.list(IMAGE_SOURCES) as unknown as readonly ImageSource[],
    readSecret: hookSecretReader(client, log),
  });
  const group = webhookRoutes({ directory, replays: new ReplayGuard(clock), batches, metrics: counts });
  server = await ServedGroups.start({ groups: [group], anonymousRead: false });
});

afterEach(async () => {
  await batches.flush();
  await server[Symbol.asyncDispose]();
  await transport.close();
  await api.close();
});

function fixture(name: string): string {
  return readFileSync(join(import.meta.dirname, 'fixtures', `${name}.json`), 'utf8');
}

function putSource(name: string, spec: Overrides<ImageSourceManifest['spec']> = {}): void {
  const source = imageSource({ metadata: { name }, spec: { webhook: { enabled: true }, ...spec } });
  api.store.put(IMAGE_SOURCES, { ...source, metadata: { name, namespace: 'default' } });
}

function putSecret(name: string, data: Readonly<Record<string, string>>): void {
  const encoded = Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString('base64')]);
  api.store.put(SECRETS, { metadata: { name, namespace: 'default' }, data: Object.fromEntries(encoded) });
}

function post(path: string, body: string, headers: Record<string, string> = {}): Promise<Response> {
  return server.fetch(path, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...headers },
  });
}

function stored(name: string): ImageSource {
  return api.store.get(IMAGE_SOURCES, `default/${name}`) as unknown as ImageSource;
}

function annotationOf(name: string): string | undefined {
  return stored(name).metadata.annotations?.[PUSHED_TAGS];
}

async function tagsOf(name: string): Promise<readonly string[]> {
  await batches.flush();
  return readPushedTags(annotationOf(name))?.tags.map(({ tag }) => tag) ?? [];
}

describe('an event', () => {
  beforeEach(() => {
    putSource('lab');
    putSecret('lab-webhook', { token: TOKEN });
  });

  it.each(['distribution', 'harbor-default', 'harbor-cloudevents', 'azure', 'azure-cloudevents', 'amazon'])(
    'of %s is noted on the source with its tag and digest',
    async (vendor) => {
      const response = await post(`/hooks/${TOKEN}`, fixture(vendor));
      expect(response.status).toBe(202);
      expect(await response.json()).toMatchObject({ accepted: 1, ignored: 0 });
      expect(await tagsOf('lab')).toEqual(['w_2026_47']);
      expect(annotationOf('lab')).toMatch(/^\S+ w_2026_47@sha256:a{64}$/);
    },
  );

  it('counts once, however often it is sent', async () => {
    const text = fixture('distribution');
    await post(`/hooks/${TOKEN}`, text);
    const again = await post(`/hooks/${TOKEN}`, text);
    expect(await again.json()).toEqual({ vendor: 'Distribution', accepted: 0, ignored: 1 });
  });

  it('from long ago counts no more', async () => {
    const response = await post(`/hooks/${TOKEN}`, fixture('azure').replace('2026-11-21', '2026-11-20'));
    expect(await response.json()).toMatchObject({ accepted: 0, ignored: 1 });
    expect(await tagsOf('lab')).toEqual([]);
  });

  it('of another repository is understood and ignored', async () => {
    const response = await post(
      `/hooks/${TOKEN}`,
      fixture('quay').replaceAll('sciplat/lab', 'sciplat/other'),
    );
    expect(response.status).toBe(202);
    expect(await response.json()).toEqual({ vendor: 'Quay', accepted: 0, ignored: 2 });
    expect(annotationOf('lab')).toBeUndefined();
  });

  it('of Docker Hub may leave out "library"', async () => {
    putSource('nginx', { image: 'docker.io/library/nginx' });
    putSecret('nginx-webhook', { token: 'token-of-nginx-0123456789' });
    const text = fixture('docker-hub').replaceAll('sciplat/lab', 'nginx');
    await post('/hooks/token-of-nginx-0123456789', text);
    expect(await tagsOf('nginx')).toEqual(['w_2026_47']);
  });

  it('that nobody can read is refused with the fields that were expected', async () => {
    const response = await post(`/hooks/${TOKEN}`, '{"push_data":{}}');
    expect(response.status).toBe(400);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(await response.json()).toMatchObject({
      code: 'BadRequest',
      detail: expect.stringContaining('expected push_data.tag and repository.repo_name') as string,
    });
  });

  it('is written again when another replica or the leader wrote first', async () => {
    const action = { kind: 'status', code: 409, reason: 'Conflict' } as const;
    api.fail({ when: ({ verb }) => verb === 'patch', action, times: 2 });
    await post(`/hooks/${TOKEN}`, fixture('distribution'));
    expect(await tagsOf('lab')).toEqual(['w_2026_47']);
    expect(api.count('patch', 'imagesources')).toBe(3);
  });

  it('keeps tags that the leader has not answered, and drops those it has', async () => {
    const annotations = { [PUSHED_TAGS]: 'first old_tag' };
    const before = stored('lab');
    api.store.put(IMAGE_SOURCES, { ...before, metadata: { ...before.metadata, annotations } });
    await post(`/hooks/${TOKEN}`, fixture('distribution'));
    expect(await tagsOf('lab')).toEqual(['old_tag', 'w_2026_47']);
    const revision = annotationOf('lab')?.split(' ')[0];
    api.store.put(IMAGE_SOURCES, { ...stored('lab'), status: { lastHandledPush: revision } });
    await post(`/hooks/${TOKEN}`, fixture('quay'));
    expect(await tagsOf('lab')).toEqual(['w_2026_47', 'latest_weekly']);
  });
});

describe('a storm', () => {
  it('of 1,000 events costs a few writes', async () => {
    putSource('lab');
    putSecret('lab-webhook', { token: TOKEN });
    const event = JSON.parse(fixture('distribution')) as { events: readonly object[] };
    const template = JSON.stringify({ events: event.events.slice(0, 1) });
    const bodies = Array.from({ length: 1_000 }, (_, n) =>
      template.replace('320678d8', `id-${n}`).replace('w_2026_47', `t${n % 20}`),
    );
    for (let at = 0; at < bodies.length; at += 50) {
      const answers = await Promise.all(
        bodies.slice(at, at + 50).map((body) => post(`/hooks/${TOKEN}`, body)),
      );
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    }
    await vi.waitFor(async () => {
      expect(await tagsOf('lab')).toHaveLength(20);
    });
    expect(api.count('patch', 'imagesources')).toBeLessThanOrEqual(12);
  });
});

describe('who may send', () => {
  it('an unknown token is answered like a path that does not exist', async () => {
    putSource('lab');
    putSecret('lab-webhook', { token: TOKEN });
    const strip = (text: string): string => text.replace(/"instance":"[^"]*"/, '');
    const absent = await post('/hooks/x/y/z', '{}');
    for (const path of [
      '/hooks/guess',
      `/hooks/${TOKEN}x`,
      `/hooks/${TOKEN.slice(0, -1)}`,
      '/hooks/%2e%2e',
    ]) {
      const response = await post(path, fixture('distribution'));
      expect([path, response.status]).toEqual([path, 404]);
      expect(strip(await response.text())).toBe(strip(await absent.clone().text()));
    }
  });

  it('a token opens only the sources whose Secret holds it', async () => {
    putSource('lab');
    putSource('other');
    putSecret('lab-webhook', { token: TOKEN });
    putSecret('other-webhook', { token: 'token-of-other-0123456789' });
    await post('/hooks/token-of-other-0123456789', fixture('distribution'));
    expect(await tagsOf('other')).toEqual(['w_2026_47']);
    expect(annotationOf('lab')).toBeUndefined();
  });

  it('a token that is too short to be one opens nothing, and the log says why without it', async () => {
    putSource('lab');
    putSecret('lab-webhook', { token: 'short-secret' });
    expect((await post('/hooks/short-secret', fixture('distribution'))).status).toBe(404);
    expect(log.lines).toMatchObject([{ level: 'warn', fields: { imageSource: 'default/lab' } }]);
    expect(JSON.stringify(log.lines)).not.toContain('short-secret');
  });

  it('GitHub must sign', async () => {
    putSource('lab');
    putSecret('lab-webhook', { token: TOKEN, secret: 's3cret' });
    const body = fixture('github');
    const signature = `sha256=${createHmac('sha256', 's3cret').update(body).digest('hex')}`;
    const event = { 'x-github-event': 'registry_package' };
    expect((await post(`/hooks/${TOKEN}`, body, event)).status).toBe(401);
    const forged = { ...event, 'x-hub-signature-256': signature };
    expect((await post(`/hooks/${TOKEN}`, body.replace('w_2026_47', 'evil'), forged)).status).toBe(401);
    expect((await post(`/hooks/${TOKEN}`, body, forged)).status).toBe(202);
    expect(await tagsOf('lab')).toEqual(['w_2026_47']);
  });

  it('Harbor must show the secret, if there is one', async () => {
    putSource('lab');
    putSecret('lab-webhook', { token: TOKEN, secret: 's3cret\n' });
    const body = fixture('harbor-default');
    expect((await post(`/hooks/${TOKEN}`, body)).status).toBe(401);
    expect((await post(`/hooks/${TOKEN}`, body, { authorization: 'wrong' })).status).toBe(401);
    expect((await post(`/hooks/${TOKEN}`, body, { authorization: 's3cret' })).status).toBe(202);
  });

  it('the path that the status shows opens nothing by itself', async () => {
    putSource('lab');
    putSecret('lab-webhook', { token: TOKEN });
    api.store.put(IMAGE_SOURCES, { ...stored('lab'), status: { webhookPath: '/hooks/abc' } });
    expect((await post('/hooks/abc', fixture('quay'))).status).toBe(401);
    const authorization = `Bearer ${TOKEN}`;
    expect((await post('/hooks/abc', fixture('quay'), { authorization })).status).toBe(202);
  });
});

describe('attacks', () => {
  beforeEach(() => {
    putSource('lab');
    putSecret('lab-webhook', { token: TOKEN });
  });

  it('a body without end is not read to it', async () => {
    const response = await post(`/hooks/${TOKEN}`, 'x'.repeat(2_000_000)).catch((error: unknown) => error);
    if (response instanceof Response) expect(response.status).toBe(413);
  });

  it('neither log nor answer nor metric repeats the token', async () => {
    await post(`/hooks/${TOKEN}`, fixture('distribution'));
    await post(`/hooks/${TOKEN}`, 'broken');
    const text = JSON.stringify([server.log.lines, log.lines]) + (await metrics.expose()).body;
    expect(text).not.toContain(TOKEN);
    expect(server.log.lines.some(({ message }) => message === 'audit')).toBe(true);
  });

  it('a deeply nested body, a prototype and a hostile tag end as refusals', async () => {
    for (const body of [
      '['.repeat(100_000),
      '{"__proto__":{"events":[]}}',
      '{"events":[{"action":"push","target":{"repository":"sciplat/lab","tag":"a b@c *"}}]}',
    ]) {
      expect((await post(`/hooks/${TOKEN}`, body)).status).toBe(400);
    }
    expect(annotationOf('lab')).toBeUndefined();
  });

  it('counts what it refuses', async () => {
    await post('/hooks/guess', '{}');
    await post(`/hooks/${TOKEN}`, 'broken');
    const { body } = await metrics.expose();
    expect(body).toContain('larder_webhook_requests_total{outcome="Unknown"} 1');
    expect(body).toContain('larder_webhook_requests_total{outcome="Malformed"} 1');
  });
});

it('CloudEvents may ask whether they are wanted', async () => {
  putSource('lab');
  putSecret('lab-webhook', { token: TOKEN });
  const headers = { 'webhook-request-origin': 'eventgrid.azure.net' };
  const response = await server.fetch(`/hooks/${TOKEN}`, { method: 'OPTIONS', headers });
  expect(response.headers.get('webhook-allowed-origin')).toBe('eventgrid.azure.net');
  expect((await server.fetch('/hooks/guess', { method: 'OPTIONS', headers })).status).toBe(404);
});
