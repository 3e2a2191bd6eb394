/** Against CNCF Distribution and go-containerregistry's registry; skipped with a reason where a binary is missing. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { registryReason } from '../../src/registry/errors.ts';
import { basicAuthKeychain } from '../../src/registry/keychain.ts';
import { makeCertificates } from '../support/registry-certificates.ts';
import { type ImageShape, pushShape } from '../support/registry-content.ts';
import { failureOf } from '../support/registry-failure.ts';
import { Distribution, findExecutable, Pusher, startGoRegistry } from '../support/registry-real.ts';
import { numberedTags, openSession, REPOSITORY, type RegistrySession } from '../support/registry-session.ts';
import { ISSUER, SERVICE, TokenService } from '../support/token-service.ts';

const DISTRIBUTION = findExecutable('registry', 'LARDER_DISTRIBUTION');
const GO_REGISTRY = findExecutable('crane', 'CRANE');
if (DISTRIBUTION === undefined)
  process.stdout.write('skipped: no CNCF Distribution (make cluster-build builds it)\n');
if (GO_REGISTRY === undefined) process.stdout.write('skipped: no crane (make cluster-build builds it)\n');

const IMAGE: ImageShape = {
  format: 'oci',
  kind: 'index',
  platforms: [
    { os: 'linux', architecture: 'amd64' },
    { os: 'linux', architecture: 'arm64' },
  ],
  attestation: true,
  seed: 1,
};
const USER = { username: 'user', password: 'pass:word' };
/** bcrypt of the password. */
const HTPASSWD = 'user:$2b$05$2fRV.ky3p6QOk.7JHSPH3.5jda3Na1bzqxhXhXIdI7faRHEyNXyUS\n';

/** What every registry must give for the content below. */
async function expectContent(session: RegistrySession, registry: string, digest: string): Promise<void> {
  const reference = { registry, repository: REPOSITORY, tag: 't000000' };
  const list = await session.client.collectTags(reference, session.access, session);
  expect([...list.tags].sort()).toEqual(numberedTags(7));
  expect((await session.client.headDigest(reference, session.access, session)).digest).toBe(digest);
  const image = await session.client.resolve(reference, session.access, { ...session, detail: 'labels' });
  expect(image.platforms.map(({ architecture, labels }) => [architecture, labels])).toEqual([
    ['amd64', { seed: '1' }],
    ['arm64', { seed: '1' }],
  ]);
  const missing = { registry, repository: 'no/such', tag: 'x' };
  expect(
    registryReason(
      await failureOf(session.client.headDigest(missing, session.access, session), session.clock),
    ),
  ).toBe('ManifestUnknown');
}

async function pushContent(host: string): Promise<string> {
  const pusher = new Pusher(host, REPOSITORY);
  let digest = '';
  for (const tag of numberedTags(7)) digest = await pushShape(pusher, tag, IMAGE);
  return digest;
}

describe.skipIf(DISTRIBUTION === undefined)('CNCF Distribution', () => {
  let distribution: Distribution;
  let digest: string;
  let open: string;
  const certificates = makeCertificates();

  beforeAll(async () => {
    distribution = new Distribution(DISTRIBUTION ?? '');
    open = await distribution.start();
    digest = await pushContent(open);
  }, 30_000);

  afterAll(async () => {
    await distribution[Symbol.asyncDispose]();
  });

  it('anonymous', async () => {
    await using session = openSession();
    await expectContent(session, open, digest);
    const unknown = session.client.collectTags(
      { registry: open, repository: 'no/such' },
      session.access,
      session,
    );
    expect(registryReason(await failureOf(unknown, session.clock))).toBe('RepositoryNotFound');
  });

  it('htpasswd', async () => {
    const file = join(distribution.folder, 'htpasswd');
    writeFileSync(file, HTPASSWD);
    const host = await distribution.start({ auth: { htpasswd: { realm: 'larder', path: file } } });
    await using session = openSession({ credentials: basicAuthKeychain(host, USER.username, USER.password) });
    await expectContent(session, host, digest);
    await using anonymous = openSession();
    const refused = anonymous.client.collectTags(
      { registry: host, repository: REPOSITORY },
      anonymous.access,
      session,
    );
    expect(registryReason(await failureOf(refused, anonymous.clock))).toBe('Unauthorized');
  });

  it('TLS with a private CA and token authentication', async () => {
    await using service = await TokenService.start({ certificate: certificates.server, ...USER });
    for (const [name, text] of Object.entries({
      'ca.pem': certificates.ca,
      'tls.pem': certificates.server.cert,
      'tls.key': certificates.server.key,
    })) {
      writeFileSync(join(distribution.folder, name), text);
    }
    const token = {
      realm: service.url,
      service: SERVICE,
      issuer: ISSUER,
      rootcertbundle: join(distribution.folder, 'ca.pem'),
    };
    const plain = await distribution.start({ auth: { token } });
    await using session = openSession({
      credentials: basicAuthKeychain(plain, USER.username, USER.password),
    });
    await expectContent(session, plain, digest);
    expect(service.issued).toBe(2);
    const tls = {
      certificate: join(distribution.folder, 'tls.pem'),
      key: join(distribution.folder, 'tls.key'),
    };
    const secured = await distribution.start({ http: { tls } });
    await using trusting = openSession({ plainHTTP: false, ca: certificates.ca });
    await expectContent(trusting, secured, digest);
    await using other = openSession({ plainHTTP: false });
    const untrusted = other.client.collectTags(
      { registry: secured, repository: REPOSITORY },
      other.access,
      other,
    );
    expect(registryReason(await failureOf(untrusted, other.clock))).toBe('CertificateInvalid');
  });
});

describe.skipIf(GO_REGISTRY === undefined)("go-containerregistry's registry", () => {
  it('anonymous', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'larder-ggcr-'));
    const { host, daemon } = await startGoRegistry(GO_REGISTRY ?? '', folder);
    try {
      const digest = await pushContent(host);
      await using session = openSession();
      await expectContent(session, host, digest);
    } finally {
      await daemon.stop();
      rmSync(folder, { recursive: true });
    }
  });
});
