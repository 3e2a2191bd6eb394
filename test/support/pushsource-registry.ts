/** Plays pushsource's registry cases against the fake registry: its answers become real manifests. */

import { expect } from 'vitest';
import { architectureOf, type PullInfo, validatePullSpec } from '../../src/domain/pull-spec.ts';
import { parseReference, type Reference } from '../../src/domain/reference.ts';
import { type RegistryError, registryReason } from '../../src/registry/errors.ts';
import type { ResolvedPlatform } from '../../src/registry/image-resolver.ts';
import { basicAuthKeychain } from '../../src/registry/keychain.ts';
import {
  DOCKER_LIST,
  DOCKER_MANIFEST,
  DOCKER_SCHEMA1,
  DOCKER_SCHEMA1_SIGNED,
  isSchema1Type,
} from '../../src/registry/media-types.ts';
import { describePull } from '../../src/registry/pull-info.ts';
import { FakeRegistry, type FakeRegistryOptions, sha256 } from './fake-registry.ts';
import { failureOf } from './registry-failure.ts';
import { openSession, REPOSITORY, type RegistrySession } from './registry-session.ts';

interface Row {
  readonly id?: string;
  readonly observed?: unknown;
  readonly ours?: unknown;
  readonly [field: string]: unknown;
}
type Outcome = 'different' | undefined;

interface SourceCase {
  readonly image: string;
  readonly manifestResponses: readonly (number | readonly [type: string, digest: string])[];
  readonly inspect: readonly {
    readonly config?: { readonly Labels?: Readonly<Record<string, string>> };
    readonly source?: boolean;
  }[];
}

const RANK = [DOCKER_LIST, DOCKER_MANIFEST, DOCKER_SCHEMA1_SIGNED, DOCKER_SCHEMA1];

/** pushsource asks once per type; we ask once, naming all types, and a registry then gives the best it has. */
export async function playRegistrySource(row: Row): Promise<Outcome> {
  const { image, manifestResponses, inspect } = row as unknown as SourceCase;
  if (manifestResponses.length === 0) {
    expect(validatePullSpec(image).ok).toBe(true);
    return 'different';
  }
  const best = bestType(manifestResponses);
  const labels = inspect.at(0)?.config?.Labels ?? {};
  await using registry = await FakeRegistry.start();
  await using session = openSession();
  const { tag = 'latest', ...rest } = parseReference(image);
  const wanted = { ...rest, tag, registry: registry.host, repository: REPOSITORY };
  if (best !== undefined) putBest(registry, best, { labels, tag });
  answerOutage(registry, manifestResponses);
  const resolving = session.client.resolve(wanted, session.access, { ...session, detail: 'labels' });
  if (Array.isArray(row.observed)) {
    const resolved = await resolving;
    expectPullInfo(describePull(wanted, resolved), row.observed as readonly ObservedSource[]);
    expectPlatform(resolved.platforms[0], labels);
    return 'different';
  }
  const reason = registryReason(await failureOf(resolving, session.clock));
  expect(['UnsupportedMediaType', 'ManifestUnknown', 'InvalidResponse', 'RegistryUnavailable']).toContain(
    reason,
  );
  return undefined;
}

/** pushsource takes a 404 for a missing type; any other error ends it, whichever type it was for. */
function answerOutage(registry: FakeRegistry, responses: SourceCase['manifestResponses']): void {
  const outage = responses.find((answer) => typeof answer === 'number' && answer !== 404);
  if (outage === undefined) return;
  registry.intercept = (_, response) => {
    response.writeHead(Number(outage)).end();
    return true;
  };
}

interface ObservedSource {
  readonly digest_specs: readonly (readonly [digest: string, mediaType: string])[];
  readonly source_tags: readonly string[];
}

/** Several items of one image (one a signing key) have the same pull information. */
function expectPullInfo(info: PullInfo, [observed]: readonly ObservedSource[]): void {
  expect(info.digestSpecs[0]?.mediaType).toBe(observed?.digest_specs[0]?.[1]);
  expect(info.tagSpecs.map(({ tag }) => tag)).toEqual(observed?.source_tags);
}

function bestType(responses: SourceCase['manifestResponses']): string | undefined {
  const types = responses.flatMap((answer) =>
    typeof answer === 'object' ? [answer[0].replace('text/plain', DOCKER_SCHEMA1)] : [],
  );
  return RANK.find((type) => types.includes(type)) ?? types[0];
}

/** The architecture is normalised, the labels are those of the configuration. */
function expectPlatform(
  platform: ResolvedPlatform | undefined,
  labels: Readonly<Record<string, string>>,
): void {
  expect(platform?.architecture).toBe(architectureOf({ label: labels['architecture'] ?? 'amd64' }));
  if (!isSchema1Type(platform?.mediaType ?? '')) expect(platform?.labels).toEqual(labels);
}

/** What a registry holds that gives this type to a client that takes every type. */
function putBest(
  registry: FakeRegistry,
  type: string,
  { labels, tag }: { readonly labels: Readonly<Record<string, string>>; readonly tag: string },
): void {
  const architecture = architectureOf({ label: labels['architecture'] ?? 'amd64' }) ?? '';
  const image = { architecture, labels, mediaType: DOCKER_MANIFEST };
  const schema1 = { schemaVersion: 1, architecture, fsLayers: [] };
  if (type === DOCKER_LIST)
    registry.putIndex(REPOSITORY, tag, { platforms: [image], mediaType: DOCKER_LIST });
  else if (type === DOCKER_MANIFEST) registry.putImage(REPOSITORY, tag, image);
  else registry.putManifest(REPOSITORY, isSchema1Type(type) ? schema1 : { schemaVersion: 1 }, type, tag);
}

interface HttpCase {
  readonly given: unknown;
  readonly expect: Readonly<Record<string, unknown>>;
}

const USER = { username: 'login', password: 'password' };

/** Cases by what they say; one that gives only a status is played as the answer to a manifest request. */
export async function playRegistryHttp(row: Row): Promise<Outcome> {
  const play = HTTP_PLAYS[row.id ?? ''];
  if (play !== undefined) return play();
  const { given, expect: expected } = row as unknown as HttpCase;
  const [, status, code] =
    /^(\d{3})(?:.*?"code":\s*"([A-Z_]+)")?/.exec(typeof given === 'string' ? given : '') ?? [];
  if (status === undefined || !('error' in expected)) return 'different';
  await onStage({}, async (registry, session) => {
    registry.intercept = (_, response) => {
      response.writeHead(Number(status), { 'content-type': 'application/json' });
      response.end(code === undefined ? '' : JSON.stringify({ errors: [{ code }] }));
      return true;
    };
    await readFailure(session, reference(registry));
  });
  return undefined;
}

const HTTP_PLAYS: Readonly<Record<string, () => Promise<Outcome>>> = {
  'bearer-challenge': () =>
    onStage({ auth: 'bearer', ...USER }, async (registry, session) => {
      registry.putImage(REPOSITORY, 'latest');
      await session.client.headDigest(reference(registry), session.access, session);
      const manifest = `/v2/${REPOSITORY}/manifests/latest`;
      expect(registry.log.map(({ path }) => path)).toEqual([manifest, '/token', manifest]);
      expect(registry.tokenRequests[0]?.query.get('service')).toBe('fake-registry');
    }),

  'bearer-without-realm': () =>
    onStage({ auth: 'bearer', ...USER }, async (registry, session) => {
      registry.auth.challenge = () => 'Bearer';
      const error = await readFailure(session, reference(registry));
      expect(error.message).toContain('names no realm');
    }),

  'basic-challenge': () =>
    onStage({ auth: 'basic', ...USER }, async (registry, session) => {
      registry.putImage(REPOSITORY, 'latest');
      await session.client.headDigest(reference(registry), session.access, session);
      expect(registry.log.map(({ authorization }) => authorization)).toEqual([
        undefined,
        'Basic bG9naW46cGFzc3dvcmQ=',
      ]);
    }),

  'scope-added': () =>
    onStage({ auth: 'bearer', ...USER }, async (registry, session) => {
      registry.putImage(REPOSITORY, 'latest');
      registry.auth.challenge = () => `Bearer realm="${registry.auth.realm}",service="fake-registry"`;
      await session.client.headDigest(reference(registry), session.access, session);
      expect(registry.tokenRequests[0]?.query.get('scope')).toBe(`repository:${REPOSITORY}:pull`);
    }),

  /** We ask for what we need instead of pinging: a registry of another version fails at the first real answer. */
  'v2-wrong-version': () =>
    onStage({}, async (registry, session) => {
      registry.intercept = (_, response) => {
        response
          .writeHead(200, { 'docker-distribution-api-version': 'registry/3.0', 'content-type': 'text/html' })
          .end('hello');
        return true;
      };
      await readFailure(session, reference(registry));
    }),

  'manifest-unknown': async () => {
    for (const code of ['MANIFEST_UNKNOWN', 'TAG_EXPIRED']) {
      await onStage({}, async (registry, session) => {
        registry.intercept = (_, response) => {
          response
            .writeHead(404, { 'content-type': 'application/json' })
            .end(JSON.stringify({ errors: [{ code }] }));
          return true;
        };
        const error = await readFailure(session, reference(registry));
        expect(error).toMatchObject({ code: 'MANIFEST_UNKNOWN', temporary: false });
        expect(registry.log).toHaveLength(1);
      });
    }
    return undefined;
  },

  'manifest-500': () =>
    onStage({}, async (registry, session) => {
      registry.intercept = (_, response) => {
        response.writeHead(500).end();
        return true;
      };
      const error = await readFailure(session, reference(registry));
      expect(error).toMatchObject({ code: 'UNAVAILABLE', status: 500, temporary: true });
      expect(registry.log).toHaveLength(3);
      expect(session.clock.monotonic()).toBeGreaterThanOrEqual(3000);
    }),

  'digest-computed': () =>
    onStage({}, async (registry, session) => {
      const digest = registry.putImage(REPOSITORY, 'latest');
      registry.digestHeader = false;
      expect((await session.client.headDigest(reference(registry), session.access, session)).digest).toBe(
        digest,
      );
    }),

  'inspect-schema2': () =>
    onStage({}, async (registry, session) => {
      const labels = { architecture: 'ppc64le' };
      registry.putImage(REPOSITORY, 'latest', {
        architecture: 'ppc64le',
        labels,
        mediaType: DOCKER_MANIFEST,
      });
      const image = await session.client.resolve(reference(registry), session.access, {
        ...session,
        detail: 'labels',
      });
      expect(image.platforms).toMatchObject([{ architecture: 'ppc64le', labels }]);
    }),

  'inspect-source': () =>
    onStage({}, async (registry, session) => {
      const config = registry.putBlob(
        REPOSITORY,
        JSON.stringify({ os: 'linux', architecture: 'amd64', config: {} }),
      );
      const layers = [{ mediaType: '', digest: sha256('layer'), size: 1 }];
      registry.putManifest(REPOSITORY, { schemaVersion: 2, config, layers }, DOCKER_MANIFEST, 'latest');
      const image = await session.client.resolve(reference(registry), session.access, {
        ...session,
        detail: 'labels',
      });
      expect(image.platforms[0]?.labels).toEqual({});
    }),
};

function reference(registry: FakeRegistry): Reference {
  return { registry: registry.host, repository: REPOSITORY, tag: 'latest' };
}

async function onStage(
  options: FakeRegistryOptions,
  play: (registry: FakeRegistry, session: RegistrySession) => Promise<void>,
): Promise<undefined> {
  await using registry = await FakeRegistry.start(options);
  const credentials = basicAuthKeychain(registry.host, USER.username, USER.password);
  await using session = openSession(options.auth === undefined ? {} : { credentials });
  await play(registry, session);
}

/** The error of reading a manifest. */
function readFailure(session: RegistrySession, wanted: Reference): Promise<RegistryError> {
  return failureOf(session.client.resolve(wanted, session.access, session), session.clock);
}
