import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PrepulledImage } from '../../../src/api/prepulled-image.ts';
import { AccessReader } from '../../../src/controllers/access.ts';
import { RegistryCheck } from '../../../src/controllers/node-stocker/registry-check.ts';
import { wantOf } from '../../../src/controllers/want.ts';
import type { Want } from '../../../src/domain/want.ts';
import type { Transport } from '../../../src/kube/transport.ts';
import { RegistryClient } from '../../../src/registry/client.ts';
import { prepulledImage } from '../../support/builders.ts';
import { FakeApiServer } from '../../support/fake-api-server.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeRegistry } from '../../support/fake-registry.ts';
import { sendError } from '../../support/registry-exchange.ts';

let registry: FakeRegistry;
let server: FakeApiServer;
let transport: Transport;
let client: RegistryClient;
let clock: FakeClock;
let check: RegistryCheck;
let image: PrepulledImage;
let want: Want;

beforeEach(async () => {
  registry = await FakeRegistry.start();
  server = await FakeApiServer.start();
  clock = new FakeClock();
  const connection = server.connect(clock);
  ({ transport } = connection);
  client = new RegistryClient({ clock });
  const digest = registry.putImage('lab', '1');
  const spec = { image: `${registry.host}/lab:1@${digest}`, access: { plainHTTP: true } };
  image = {
    ...prepulledImage({ spec }),
    status: {
      image: { reference: `${registry.host}/lab:1`, digest, registry: registry.host, repository: 'lab' },
    },
  };
  const wanted = wantOf(image);
  if (wanted === undefined) throw new Error('the image wants nothing');
  want = wanted;
  check = new RegistryCheck({
    registry: client,
    access: new AccessReader(connection.client),
    image: (id) => (id === want.id ? image : undefined),
    clock,
  });
});

afterEach(async () => {
  await client.close();
  await registry[Symbol.asyncDispose]();
  await transport.close();
  await server.close();
});

function answer(status: number, code: string, headers: Readonly<Record<string, string>> = {}): void {
  registry.intercept = ({ path }, response) => {
    if (!path.includes('/manifests/')) return false;
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    sendError(response, status, code);
    return true;
  };
}

describe('RegistryCheck', () => {
  it('has nothing to say of an image that is there', async () => {
    expect(await check.ask(want)).toBeUndefined();
  });

  it.each([
    [401, 'UNAUTHORIZED', 'Image', 'PullUnauthorized'],
    [403, 'DENIED', 'Image', 'PullUnauthorized'],
    [404, 'MANIFEST_UNKNOWN', 'Image', 'ImageNotFound'],
  ])('tells %d %s from the trouble of one node', async (status, code, failureClass, reason) => {
    answer(status, code);
    expect(await check.ask(want)).toMatchObject({ class: failureClass, reason });
  });

  it('knows how long the registry wants to be left alone', async () => {
    answer(429, 'TOOMANYREQUESTS', { 'retry-after': '120' });
    expect(await check.ask(want)).toMatchObject({
      class: 'Registry',
      reason: 'RegistryThrottled',
      retryAfterMs: 120_000,
    });
  });

  it('asks once for all nodes that fail within half a minute', async () => {
    answer(404, 'MANIFEST_UNKNOWN');
    await Promise.all([check.ask(want), check.ask(want)]);
    await check.ask(want);
    const asked = registry.apiRequests.length;
    await clock.advance(30_000);
    await check.ask(want);
    expect(registry.apiRequests.length).toBeGreaterThan(asked);
    registry.log.length = 0;
    await check.ask(want);
    expect(registry.apiRequests).toEqual([]);
  });

  it('says nothing where it cannot ask: no secret, no registry, no object', async () => {
    image = {
      ...image,
      spec: { ...image.spec, access: { ...image.spec.access, serviceAccountName: 'none' } },
    };
    expect(await check.ask(want)).toBeUndefined();
    expect(await check.ask({ ...want, id: 'default/gone' })).toBeUndefined();
    const [pull] = want.pulls;
    const elsewhere = { ...want, id: 'default/elsewhere', host: '127.0.0.1:1' };
    const reference = `127.0.0.1:1/lab@sha256:${'0'.repeat(64)}`;
    want = pull === undefined ? elsewhere : { ...elsewhere, pulls: [{ ...pull, reference }] };
    expect(await check.ask(want)).toBeUndefined();
  });

  it('says nothing while the API server gives no secret', async () => {
    const access = { ...image.spec.access, serviceAccountName: 'puller' };
    image = { ...image, spec: { ...image.spec, access } };
    server.fail({ when: ({ verb }) => verb === 'get', action: { kind: 'status', code: 500 }, times: 9 });
    const asking = check.ask(want);
    let isAnswered = false;
    void asking.then(() => {
      isAnswered = true;
    });
    await clock.advanceUntil(() => isAnswered, { stepMs: 250 });
    expect(await asking).toBeUndefined();
  });

  it('does not wait long', async () => {
    registry.intercept = () => true;
    const asking = check.ask(want);
    await clock.advanceUntil(() => registry.apiRequests.length > 0, { stepMs: 1, limitMs: 1_000 });
    await clock.advance(5_000);
    expect(await asking).toBeUndefined();
  });
});
