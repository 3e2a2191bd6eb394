import { describe, expect, it } from 'vitest';
import type { Digest } from '../../src/domain/digest.ts';
import type { Reference } from '../../src/domain/reference.ts';
import { registryReason } from '../../src/registry/errors.ts';
import type { ResolveDetail, ResolvedImage } from '../../src/registry/image-resolver.ts';
import {
  DOCKER_LIST,
  DOCKER_MANIFEST,
  DOCKER_SCHEMA1_SIGNED,
  OCI_INDEX,
  OCI_MANIFEST,
} from '../../src/registry/media-types.ts';
import { describePull } from '../../src/registry/pull-info.ts';
import { FakeRegistry, sha256 } from '../support/fake-registry.ts';
import { failureOf } from '../support/registry-failure.ts';
import { openSession, REPOSITORY, type RegistrySession } from '../support/registry-session.ts';

type Play = (registry: FakeRegistry, session: RegistrySession) => Promise<void>;

async function onStage(play: Play): Promise<void> {
  await using registry = await FakeRegistry.start();
  await using session = openSession();
  await play(registry, session);
}

function named(registry: FakeRegistry, tag: string): Reference {
  return { registry: registry.host, repository: REPOSITORY, tag };
}

function resolve(
  registry: FakeRegistry,
  session: RegistrySession,
  tag = 'v1',
  detail: ResolveDetail = 'sizes',
): Promise<ResolvedImage> {
  return session.client.resolve(named(registry, tag), session.access, { ...session, detail });
}

const PLATFORMS = [
  { architecture: 'amd64', layerSize: 1_000 },
  { architecture: 'arm64', variant: 'v8', layerSize: 5_000 },
  { architecture: 'arm', variant: 'v7', layerSize: 2_000 },
];

describe('headDigest', () => {
  it('costs one HEAD', () =>
    onStage(async (registry, session) => {
      const digest = registry.putIndex(REPOSITORY, 'v1', { platforms: PLATFORMS });
      const head = await session.client.headDigest(named(registry, 'v1'), session.access, session);
      expect(head).toMatchObject({ digest, mediaType: OCI_INDEX });
      expect(session.meter).toEqual({ requests: 1, headRequests: 1, pages: 0 });
      expect(registry.log[0]?.headers.accept).toContain(DOCKER_LIST);
    }));

  it.each([405, 501])('falls back to GET where HEAD answers %i', (status) =>
    onStage(async (registry, session) => {
      const digest = registry.putImage(REPOSITORY, 'v1');
      registry.intercept = ({ method }, response) => {
        if (method !== 'HEAD') return false;
        response.writeHead(status).end();
        return true;
      };
      expect((await session.client.headDigest(named(registry, 'v1'), session.access, session)).digest).toBe(
        digest,
      );
    }),
  );

  it('says that a tag is gone', () =>
    onStage(async (registry, session) => {
      registry.putImage(REPOSITORY, 'v1');
      const error = await failureOf(
        session.client.headDigest(named(registry, 'v2'), session.access, session),
        session.clock,
      );
      expect(error).toMatchObject({ code: 'MANIFEST_UNKNOWN', status: 404 });
    }));

  it('refuses another digest than the one asked for', () =>
    onStage(async (registry, session) => {
      const digest = registry.putImage(REPOSITORY, 'v1') as Digest;
      registry.intercept = (_, response) => {
        response.writeHead(200, { 'docker-content-digest': sha256('another') }).end();
        return true;
      };
      const reference = { ...named(registry, 'v1'), digest };
      const error = await failureOf(
        session.client.headDigest(reference, session.access, session),
        session.clock,
      );
      expect(error.code).toBe('DIGEST_INVALID');
    }));
});

describe('resolve', () => {
  it('describes an index with its platforms and sizes, without attestations', () =>
    onStage(async (registry, session) => {
      const digest = registry.putIndex(REPOSITORY, 'v1', { platforms: PLATFORMS, attestations: true });
      const image = await resolve(registry, session);
      expect(image).toMatchObject({ digest, mediaType: OCI_INDEX, warnings: [] });
      expect(image.platforms.map(({ os, architecture, variant }) => [os, architecture, variant])).toEqual([
        ['linux', 'amd64', undefined],
        ['linux', 'arm64', undefined],
        ['linux', 'arm', 'v7'],
      ]);
      expect(image.platforms.map(({ size = 0 }) => Math.floor(size / 1000))).toEqual([1, 5, 2]);
      expect(image.size).toBe(image.platforms[1]?.size);
      expect(session.meter.requests).toBe(4);
    }));

  it('reads no more than asked for', () =>
    onStage(async (registry, session) => {
      registry.putIndex(REPOSITORY, 'v1', { platforms: PLATFORMS });
      const image = await resolve(registry, session, 'v1', 'platforms');
      expect(image.platforms).toHaveLength(3);
      expect(image.size).toBeUndefined();
      expect(session.meter.requests).toBe(1);
    }));

  it('asks by HEAD whether a known tag moved, and for nothing else if it did not', () =>
    onStage(async (registry, session) => {
      registry.putIndex(REPOSITORY, 'v1', { platforms: PLATFORMS });
      const first = await resolve(registry, session);
      registry.log.length = 0;
      expect(await resolve(registry, session)).toEqual(first);
      expect(registry.log.map(({ method }) => method)).toEqual(['HEAD']);
      const moved = registry.putImage(REPOSITORY, 'v1', { seed: 'moved' });
      expect((await resolve(registry, session)).digest).toBe(moved);
    }));

  it('asks for a digest only once', () =>
    onStage(async (registry, session) => {
      const digest = registry.putImage(REPOSITORY, undefined) as Digest;
      const reference = { registry: registry.host, repository: REPOSITORY, digest };
      await session.client.resolve(reference, session.access, session);
      const before = registry.log.length;
      await session.client.resolve(reference, session.access, session);
      expect(registry.log.length).toBe(before);
    }));

  it('describes a single image by its configuration', () =>
    onStage(async (registry, session) => {
      const labels = { 'com.redhat.component': 'c', number: 7 };
      const digest = registry.putImage(REPOSITORY, 'v1', {
        architecture: 'aarch64',
        labels,
        mediaType: DOCKER_MANIFEST,
      });
      const image = await resolve(registry, session);
      expect(image.platforms).toMatchObject([
        {
          os: 'linux',
          architecture: 'arm64',
          digest,
          mediaType: DOCKER_MANIFEST,
          labels: { 'com.redhat.component': 'c' },
        },
      ]);
      expect(image.size).toBe(image.platforms[0]?.size);
    }));

  it('leaves out a platform whose manifest is missing, with a warning', () =>
    onStage(async (registry, session) => {
      const index = registry.putIndex(REPOSITORY, 'v1', { platforms: PLATFORMS });
      const child = registry.putImage(REPOSITORY, undefined, {
        ...PLATFORMS[1],
        seed: `v1 ${JSON.stringify(PLATFORMS[1])}`,
      });
      registry.deleteManifest(REPOSITORY, child);
      const image = await resolve(registry, session);
      expect(image.digest).toBe(index);
      expect(image.platforms.map(({ architecture }) => architecture)).toEqual(['amd64', 'arm']);
      expect(image.warnings).toEqual(['the manifest of linux/arm64 is missing']);
    }));

  it('recognises schema 1 and artifacts', () =>
    onStage(async (registry, session) => {
      registry.putManifest(
        REPOSITORY,
        { schemaVersion: 1, architecture: 'amd64', fsLayers: [] },
        'application/vnd.docker.distribution.manifest.v1+json',
        'old',
      );
      const old = await resolve(registry, session, 'old');
      expect(old.platforms).toMatchObject([{ architecture: 'amd64' }]);
      expect(old.warnings).toHaveLength(1);
      const config = {
        mediaType: 'application/vnd.cncf.helm.config.v1+json',
        ...registry.putBlob(REPOSITORY, '{}'),
      };
      registry.putManifest(REPOSITORY, { schemaVersion: 2, config, layers: [] }, OCI_MANIFEST, 'chart');
      expect(await resolve(registry, session, 'chart')).toMatchObject({
        platforms: [],
        artifactType: 'application/vnd.cncf.helm.config.v1+json',
      });
    }));

  it('takes the document’s own type where the header is generic', () =>
    onStage(async (registry, session) => {
      const child = registry.putImage(REPOSITORY, undefined);
      const manifests = [
        { mediaType: OCI_MANIFEST, digest: child, size: 1, platform: { os: 'linux', architecture: 'amd64' } },
      ];
      registry.putManifest(REPOSITORY, { schemaVersion: 2, manifests }, 'application/json', 'v1');
      expect(await resolve(registry, session)).toMatchObject({
        mediaType: OCI_INDEX,
        platforms: [{ architecture: 'amd64' }],
      });
    }));

  it.each([
    ['text/html', '<html>', 'InvalidResponse'],
    ['application/json', '{}', 'UnsupportedMediaType'],
    ['application/vnd.example+json', '{}', 'UnsupportedMediaType'],
    [OCI_INDEX, '{}', 'InvalidResponse'],
    [OCI_INDEX, '{"manifests": [{"digest": "sha256:short", "size": 1}]}', 'InvalidResponse'],
    [OCI_INDEX, 'nonsense', 'InvalidResponse'],
    [OCI_MANIFEST, '{"config": {}, "layers": []}', 'InvalidResponse'],
    [OCI_MANIFEST, '{"config": {"digest": "x", "size": -1}, "layers": null}', 'InvalidResponse'],
    [DOCKER_SCHEMA1_SIGNED, '[]', 'InvalidResponse'],
  ])('refuses %s %s', (mediaType, body, reason) =>
    onStage(async (registry, session) => {
      registry.putManifest(REPOSITORY, Buffer.from(body), mediaType, 'v1');
      expect(registryReason(await failureOf(resolve(registry, session), session.clock))).toBe(reason);
    }),
  );

  it('refuses content that has another digest than it is named by', () =>
    onStage(async (registry, session) => {
      registry.putImage(REPOSITORY, 'v1');
      registry.intercept = ({ path }, response) => {
        if (path.includes('/blobs/')) response.writeHead(200).end('{"os":"linux","architecture":"evil"}');
        return path.includes('/blobs/');
      };
      expect((await failureOf(resolve(registry, session), session.clock)).code).toBe('DIGEST_INVALID');
      registry.intercept = (_, response) => {
        response.setHeader('docker-content-digest', sha256('another'));
        response.writeHead(200, { 'content-type': OCI_INDEX }).end('{"manifests":[]}');
        return true;
      };
      const error = await failureOf(resolve(registry, session, 'v2'), session.clock);
      expect(error.code).toBe('DIGEST_INVALID');
    }));

  it('follows a blob to another host without credentials', () =>
    onStage(async (registry, session) => {
      await using storage = await FakeRegistry.start();
      registry.putImage(REPOSITORY, 'v1');
      storage.intercept = ({ path }, response) => {
        const config = JSON.stringify({
          os: 'linux',
          architecture: 'amd64',
          config: { Labels: {} },
          seed: 'v1',
        });
        expect(path).toBe('/signed');
        response.writeHead(200).end(config);
        return true;
      };
      registry.intercept = ({ path }, response) => {
        if (!path.includes('/blobs/')) return false;
        response.writeHead(307, { location: `${storage.url}/signed?signature=secret` }).end();
        return true;
      };
      expect((await resolve(registry, session)).platforms).toHaveLength(1);
      expect(storage.log[0]?.authorization).toBeUndefined();
    }));
});

describe('describePull', () => {
  it('puts the index before its platforms', () =>
    onStage(async (registry, session) => {
      const digest = registry.putIndex(REPOSITORY, 'v1', { platforms: PLATFORMS, mediaType: DOCKER_LIST });
      const info = describePull(named(registry, 'v1'), await resolve(registry, session));
      expect(info.tagSpecs).toMatchObject([
        { tag: 'v1', mediaTypes: [DOCKER_LIST], reference: `${registry.host}/${REPOSITORY}:v1` },
      ]);
      expect(info.digestSpecs.map((spec) => spec.platform?.architecture)).toEqual([
        undefined,
        'amd64',
        'arm64',
        'arm',
      ]);
      expect(info.digestSpecs[0]?.reference).toBe(`${registry.host}/${REPOSITORY}@${digest}`);
      expect(info.mediaTypes).toEqual([DOCKER_LIST, OCI_MANIFEST]);
    }));

  it('names a single image once', () =>
    onStage(async (registry, session) => {
      registry.putImage(REPOSITORY, 'v1');
      const info = describePull(named(registry, 'v1'), await resolve(registry, session));
      expect(info.digestSpecs).toHaveLength(1);
    }));
});
