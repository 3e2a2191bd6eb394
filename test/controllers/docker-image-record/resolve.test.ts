import { describe, expect, it } from 'vitest';
import {
  DOCKER_LIST,
  DOCKER_MANIFEST,
  DOCKER_SCHEMA1_SIGNED,
  OCI_MANIFEST,
} from '../../../src/registry/media-types.ts';
import { sendError, sendJSON } from '../../support/registry-exchange.ts';
import { buildTar } from '../../support/tar-archive.ts';
import { REPOSITORY, RecordWorld } from './record-world.ts';

const INDEX_OPTIONS = { platforms: [{}, { architecture: 'arm64', variant: 'v8' }, { os: 'windows' }] };

describe('what the registry answers', () => {
  it('is a single image: one platform, one digest, the tag is its own', async () => {
    await using world = await RecordWorld.start();
    const digest = world.registry.putImage(REPOSITORY, '1', {
      seed: 'a',
      layerSize: 5000,
      labels: { 'org.opencontainers.image.title': 'yolo', maintainer: 'nobody' },
    });
    await world.reconcile();
    const { registry, image, pullInfo, platforms, labels, source } = {
      registry: world.registry.host,
      ...world.status(),
    };
    const place = { registry, repository: REPOSITORY };
    expect(image).toEqual({ ...place, tag: '1', digest, mediaType: OCI_MANIFEST });
    expect(pullInfo).toEqual({
      tagSpecs: [
        { ...place, tag: '1', mediaTypes: [OCI_MANIFEST], reference: `${registry}/${REPOSITORY}:1` },
      ],
      digestSpecs: [
        {
          ...place,
          digest,
          mediaType: OCI_MANIFEST,
          reference: `${registry}/${REPOSITORY}@${digest}`,
          platform: { os: 'linux', architecture: 'amd64' },
        },
      ],
      mediaTypes: [OCI_MANIFEST],
      resolvedAt: '2026-01-01T00:00:00Z',
    });
    expect(platforms).toMatchObject([
      { os: 'linux', architecture: 'amd64', digest, mediaType: OCI_MANIFEST, sourceTags: ['1'] },
    ]);
    expect(platforms?.[0]?.configDigest).toMatch(/^sha256:/);
    expect(platforms?.[0]?.compressedSize).toBeGreaterThan(5000);
    expect(labels).toEqual({ 'org.opencontainers.image.title': 'yolo' });
    expect(source).toEqual({ isSource: false });
  });

  it('is an index: it comes first, its platforms follow in their order, attestations are left out', async () => {
    await using world = await RecordWorld.start();
    const index = world.registry.putIndex(REPOSITORY, '1', {
      ...INDEX_OPTIONS,
      attestations: true,
      mediaType: DOCKER_LIST,
    });
    await world.reconcile();
    const { pullInfo, platforms } = world.status();
    expect(pullInfo?.digestSpecs?.map(({ mediaType, platform }) => [mediaType, platform?.os])).toEqual([
      [DOCKER_LIST, undefined],
      [OCI_MANIFEST, 'linux'],
      [OCI_MANIFEST, 'linux'],
      [OCI_MANIFEST, 'windows'],
    ]);
    expect(pullInfo?.digestSpecs?.[0]?.digest).toBe(index);
    expect(pullInfo?.mediaTypes).toEqual([DOCKER_LIST, OCI_MANIFEST]);
    expect(platforms?.map(({ os, architecture, sourceTags }) => [os, architecture, sourceTags])).toEqual([
      ['linux', 'amd64', undefined],
      ['linux', 'arm64', undefined],
      ['windows', 'amd64', undefined],
    ]);
  });

  it('is filtered by spec.platforms, but for the digest', async () => {
    await using world = await RecordWorld.start({ platforms: [{ architecture: 'aarch64' }] });
    const index = world.registry.putIndex(REPOSITORY, '1', INDEX_OPTIONS);
    await world.reconcile();
    expect(world.status().platforms?.map(({ architecture }) => architecture)).toEqual(['arm64']);
    expect(world.status().pullInfo?.digestSpecs?.[0]?.digest).toBe(index);
    expect(world.status().pullInfo?.digestSpecs).toHaveLength(4);
    expect(world.conditions()).toMatchObject({ Schedulable: 'False/NoEligibleNodes' });
    expect(world.status().nodes?.reasons).toEqual([{ reason: 'ArchitectureMismatch', count: 2 }]);
  });

  it('may leave no platform that the spec wants: then no node fits', async () => {
    await using world = await RecordWorld.start({ platforms: [{ architecture: 's390x' }] });
    await world.reconcile();
    expect(world.conditions()).toMatchObject({
      Ready: 'True/Succeeded',
      Schedulable: 'False/NoEligibleNodes',
    });
  });

  it('is asked by digest where the spec has one, and no tag is listed', async () => {
    await using world = await RecordWorld.start();
    const digest = world.registry.putImage(REPOSITORY, undefined, { seed: 'pinned' });
    world.put('yolo', { image: `${world.registry.host}/${REPOSITORY}@${digest}` });
    await world.reconcile();
    expect(world.status().image).toMatchObject({ digest });
    expect(world.status().pullInfo?.tagSpecs).toEqual([]);
    expect(world.conditions()).toMatchObject({ Available: 'True/ManifestFound' });
  });
});

describe('a tag that moves', () => {
  it('is noticed at the next look: digest, previous digest, event', async () => {
    await using world = await RecordWorld.start();
    await world.reconcile();
    const first = world.status().image?.digest ?? '';
    const second = world.registry.putImage(REPOSITORY, '1', { seed: 'second' });
    await world.later();
    const { image, pullInfo } = world.status();
    expect(image).toMatchObject({ digest: second, previousDigest: first, movedAt: '2026-01-01T00:05:00Z' });
    expect(pullInfo).toMatchObject({ resolvedAt: '2026-01-01T00:05:00Z' });
    expect(world.events).toContain(`Normal TagMoved: Tag 1 moved from ${first} to ${second}`);
    await world.later();
    expect(world.status().image).toEqual(image);
    expect(world.events.filter((event) => event.includes('TagMoved'))).toHaveLength(1);
  });

  it('is not a tag that somebody wrote into the spec', async () => {
    await using world = await RecordWorld.start();
    world.registry.putImage(REPOSITORY, '2');
    await world.reconcile();
    world.put('yolo', { image: world.image('2') });
    await world.reconcile();
    expect(world.status().image).not.toHaveProperty('previousDigest');
    expect(world.events.filter((event) => event.includes('TagMoved'))).toEqual([]);
  });
});

describe('what is wrong with the image', () => {
  it('a platform that its index names is not there: available without it, told, and looked for again', async () => {
    await using world = await RecordWorld.start();
    world.registry.putIndex(REPOSITORY, '1', { platforms: [{}, { architecture: 'arm64' }] });
    await world.reconcile();
    const [, second] = world.status().platforms ?? [];
    await using torn = await RecordWorld.start();
    torn.registry.putIndex(REPOSITORY, '1', { platforms: [{}, { architecture: 'arm64' }] });
    torn.registry.deleteManifest(REPOSITORY, second?.digest ?? '');
    await torn.reconcile();
    expect(torn.conditions()).toMatchObject({
      Ready: 'True/Succeeded',
      Available: 'True/PlatformsMissing',
    });
    expect(torn.message('Available')).toContain('the manifest of linux/arm64 is missing');
    expect(torn.status().platforms?.map(({ architecture }) => architecture)).toEqual(['amd64']);
    expect(torn.events.filter((event) => event.startsWith('Warning PlatformsMissing'))).toHaveLength(1);
    torn.registry.putIndex(REPOSITORY, undefined, {
      platforms: [{}, { architecture: 'arm64' }],
      seed: '1',
    });
    await torn.later();
    expect(torn.conditions()).toMatchObject({ Available: 'True/ManifestFound' });
    expect(torn.events.filter((event) => event.startsWith('Warning'))).toHaveLength(1);
  });

  it('it is of Docker schema 1: listed, and not available', async () => {
    await using world = await RecordWorld.start();
    const schema1 = { schemaVersion: 1, architecture: 'amd64', fsLayers: [], signatures: [] };
    world.registry.putManifest(REPOSITORY, schema1, DOCKER_SCHEMA1_SIGNED, '1');
    await world.reconcile();
    expect(world.conditions()).toMatchObject({
      Available: 'False/UnsupportedMediaType',
      Ready: 'False/UnsupportedMediaType',
      Stalled: 'True/UnsupportedMediaType',
    });
    expect(world.status().pullInfo?.mediaTypes).toEqual([DOCKER_SCHEMA1_SIGNED]);
  });

  it('it is a chart', async () => {
    await using world = await RecordWorld.start();
    const config = world.registry.putBlob(REPOSITORY, '{}');
    const chart = {
      schemaVersion: 2,
      config: { mediaType: 'application/vnd.cncf.helm.config.v1+json', ...config },
      layers: [],
    };
    world.registry.putManifest(REPOSITORY, chart, OCI_MANIFEST, '1');
    await world.reconcile();
    expect(world.message('Available')).toContain('application/vnd.cncf.helm.config.v1+json');
    expect(world.conditions()).toMatchObject({ Available: 'False/UnsupportedMediaType' });
  });

  it('it is not there: final, and looked for once an interval all the same', async () => {
    await using world = await RecordWorld.start();
    world.put('yolo', { image: world.image('missing') });
    expect(await world.reconcileThroughRetries()).toMatchObject({ requeueAfterMs: 300_000 });
    expect(world.conditions()).toMatchObject({
      Available: 'False/ManifestUnknown',
      Ready: 'False/ManifestUnknown',
      Stalled: 'True/ManifestUnknown',
    });
    world.registry.putImage(REPOSITORY, 'missing');
    await world.later();
    expect(world.conditions()).toMatchObject({ Available: 'True/ManifestFound', Ready: 'True/Succeeded' });
  });

  it('the registry is in trouble: what was found stays, and it is asked again soon', async () => {
    await using world = await RecordWorld.start();
    await world.reconcile();
    const { image, pullInfo } = world.status();
    world.registry.intercept = (_request, response) => {
      sendError(response, 503, 'UNAVAILABLE');
      return true;
    };
    await world.clock.advance(300_000);
    expect(await world.reconcileThroughRetries()).toMatchObject({ requeueAfterMs: 30_000 });
    expect(world.conditions()).toMatchObject({
      Available: 'False/RegistryUnavailable',
      Ready: 'False/RegistryUnavailable',
      Reconciling: 'True/ProgressingWithRetry',
    });
    expect(world.status()).toMatchObject({ image, pullInfo });
    await world.clock.advance(30_000);
    expect(await world.reconcileThroughRetries()).toMatchObject({ requeueAfterMs: 60_000 });
    world.registry.intercept = undefined;
    await world.clock.advance(60_000);
    await world.reconcile();
    expect(world.conditions()).toMatchObject({ Available: 'True/ManifestFound', Ready: 'True/Succeeded' });
  });
});

describe('credentials', () => {
  it('that are refused say so, and nothing about the image', async () => {
    await using world = await RecordWorld.start();
    world.registry.intercept = ({ path }, response) => {
      if (!path.startsWith('/v2/')) return false;
      sendError(response, 403, 'DENIED');
      return true;
    };
    await world.reconcileThroughRetries();
    expect(world.conditions()).toMatchObject({
      CredentialsReady: 'False/Forbidden',
      Available: 'Unknown/Forbidden',
      Ready: 'False/Forbidden',
    });
  });

  it('that no kubelet can use are told if nodes shall pull with them', async () => {
    const access = { plainHTTP: true, pullSecretRefs: [{ name: 'basic' }] };
    await using world = await RecordWorld.start({ access });
    const encode = (text: string): string => Buffer.from(text).toString('base64');
    world.server.store.put(
      { group: '', version: 'v1', plural: 'secrets' },
      {
        metadata: { name: 'basic', namespace: 'default' },
        type: 'kubernetes.io/basic-auth',
        data: { username: encode('puller'), password: encode('planted-secret-9') },
      },
    );
    await world.reconcile();
    expect(world.conditions()).toMatchObject({ CredentialsReady: 'True/CredentialsFound' });
    world.put('yolo', { access, prepull: {} });
    await world.reconcile();
    expect(world.conditions()).toMatchObject({
      CredentialsReady: 'False/SecretTypeUnusableByKubelet',
      Available: 'True/ManifestFound',
      Ready: 'False/SecretTypeUnusableByKubelet',
    });
    expect(JSON.stringify([world.get(), world.events, world.children])).not.toContain('planted-secret-9');
  });

  it('that are missing are named', async () => {
    await using world = await RecordWorld.start({ access: { pullSecretRefs: [{ name: 'none' }] } });
    await world.reconcile();
    expect(world.conditions()).toMatchObject({
      CredentialsReady: 'False/SecretNotFound',
      Ready: 'False/SecretNotFound',
    });
    expect(world.takeRequests()).toEqual([]);
  });
});

describe('source images', () => {
  const SOURCE = { contentKind: 'Source', cuda: undefined, minHardwareGeneration: undefined } as const;

  it('are declared; whose source they are is said by the spec or by the tag', async () => {
    await using world = await RecordWorld.start();
    world.registry.putImage(REPOSITORY, '1-source');
    world.put('source', { ...SOURCE, image: world.image('1-source') });
    await world.reconcile('source');
    expect(world.status('source').source).toEqual({
      isSource: true,
      confidence: 'Declared',
      forRecord: 'yolo',
    });
    expect(world.conditions('source')).toMatchObject({
      Ready: 'True/Succeeded',
      Schedulable: 'False/SourceImage',
    });
    world.put('source', { ...SOURCE, image: world.image('1-source'), sourceFor: 'other' });
    await world.reconcile('source');
    expect(world.status('source').source).toMatchObject({ forRecord: 'other' });
  });

  it('are guessed if tag and missing labels agree; a guess changes nothing', async () => {
    await using world = await RecordWorld.start();
    world.registry.putImage(REPOSITORY, '1-source');
    world.put('yolo', { image: world.image('1-source') });
    await world.reconcile();
    expect(world.status().source).toEqual({ isSource: true, confidence: 'Heuristic' });
    expect(world.conditions()).toMatchObject({ Schedulable: 'True/NodesEligible' });
  });
});

describe('signatures', () => {
  const KEYS = { signing: { keys: ['199e2f91fd431d51', 'f21541eb'] } };

  it('are looked for: index and platforms, times keys', async () => {
    await using world = await RecordWorld.start(KEYS);
    const index = world.registry.putIndex(REPOSITORY, '1', { platforms: [{}, { architecture: 'arm64' }] });
    world.registry.putImage(REPOSITORY, `${index.replace(':', '-')}.sig`, { seed: 'signature' });
    await world.reconcile();
    const { claims = [], present, missing } = world.status().signing ?? {};
    expect([claims.length, present, missing]).toEqual([6, 2, 4]);
    expect(claims[0]).toEqual({
      reference: world.image('1'),
      digest: index,
      key: '199e2f91fd431d51',
      state: 'Present',
    });
    expect(claims.filter(({ state }) => state === 'Missing').every(({ digest }) => digest !== index)).toBe(
      true,
    );
  });

  it('that were missing are looked for again, without reading the image anew', async () => {
    await using world = await RecordWorld.start(KEYS);
    await world.reconcile();
    expect(world.status().signing).toMatchObject({ present: 0, missing: 2 });
    const { digest = '' } = world.status().image ?? {};
    world.registry.intercept = ({ path }, response) => {
      if (path !== `/v2/${REPOSITORY}/referrers/${digest}`) return false;
      const artifactType = 'application/vnd.dev.sigstore.bundle.v0.3+json';
      sendJSON(response, 200, { schemaVersion: 2, manifests: [{ digest, artifactType }] });
      return true;
    };
    await world.later();
    expect(world.status().signing).toMatchObject({ present: 2, missing: 0 });
    world.takeRequests();
    await world.later();
    expect(world.takeRequests()).toEqual(['HEAD 1']);
  });

  it('are no longer shown when the spec no longer wants any', async () => {
    await using world = await RecordWorld.start(KEYS);
    await world.reconcile();
    world.put('yolo');
    await world.reconcile();
    expect(world.status()).not.toHaveProperty('signing');
  });
});

describe('an operator bundle', () => {
  const LABELS = {
    'operators.operatorframework.io.bundle.mediatype.v1': 'registry+v1',
    'operators.operatorframework.io.bundle.manifests.v1': 'manifests/',
    'operators.operatorframework.io.bundle.package.v1': 'spo',
    'operators.operatorframework.io.bundle.channels.v1': 'alpha,stable',
    'operators.operatorframework.io.bundle.channel.default.v1': 'stable',
    'com.redhat.openshift.versions': 'v4.12',
  };

  function putBundle({ registry }: RecordWorld, related: readonly string[]): void {
    const csv = {
      kind: 'ClusterServiceVersion',
      spec: { relatedImages: related.map((image) => ({ image })) },
    };
    const layer = registry.putBlob(REPOSITORY, buildTar({ 'manifests/spo.csv.json': JSON.stringify(csv) }));
    const config = registry.putBlob(
      REPOSITORY,
      JSON.stringify({ os: 'linux', architecture: 'amd64', config: { Labels: LABELS } }),
    );
    const manifest = {
      schemaVersion: 2,
      mediaType: DOCKER_MANIFEST,
      config: { mediaType: 'application/vnd.docker.container.image.v1+json', ...config },
      layers: [{ mediaType: '', ...layer }],
    };
    registry.putManifest(REPOSITORY, manifest, DOCKER_MANIFEST, '1');
  }

  it('shows its package and the images it uses; those its registry lacks are named', async () => {
    await using world = await RecordWorld.start();
    const there = world.registry.putImage('ml/operand', 'a');
    const related = [
      `${world.registry.host}/ml/operand@${there}`,
      `${world.registry.host}/ml/operand:gone`,
      'registry.example.org/elsewhere:1',
    ];
    putBundle(world, related);
    await world.reconcileThroughRetries();
    expect(world.status().operatorBundle).toEqual({
      package: 'spo',
      channels: ['alpha', 'stable'],
      defaultChannel: 'stable',
      mediaType: 'registry+v1',
      openshiftVersions: 'v4.12',
      relatedImages: related,
      relatedImageCount: 3,
      missingImages: [`${world.registry.host}/ml/operand:gone`],
    });
    expect(world.status().labels).toMatchObject(LABELS);
  });

  it('with more images than a status may show says so', async () => {
    await using world = await RecordWorld.start();
    putBundle(
      world,
      Array.from({ length: 40 }, (_, index) => `registry.example.org/image-${index}:1`),
    );
    await world.reconcile();
    const { operatorBundle, truncated } = world.status();
    expect([operatorBundle?.relatedImages?.length, operatorBundle?.relatedImageCount, truncated]).toEqual([
      32,
      40,
      true,
    ]);
  });

  it('whose layer cannot be read is available all the same', async () => {
    await using world = await RecordWorld.start();
    putBundle(world, []);
    const blobs = new Set<string>();
    world.registry.intercept = ({ path }, response) => {
      if (path.includes('/blobs/')) blobs.add(path);
      // The first blob is the configuration, which says that it is a bundle.
      if (blobs.size < 2) return false;
      sendError(response, 404, 'BLOB_UNKNOWN');
      return true;
    };
    await world.reconcileThroughRetries();
    expect(world.conditions()).toMatchObject({ Available: 'True/ManifestFound' });
    expect(world.status()).not.toHaveProperty('operatorBundle');
  });
});

describe('an answer whose status could not be written', () => {
  it.each(['what a new record means', 'that a tag has moved'])(
    'is said with the next pass, without asking again: %s',
    async (what) => {
      await using world = await RecordWorld.start();
      if (what === 'that a tag has moved') await world.reconcile();
      const digest = world.registry.putImage(REPOSITORY, '1', { seed: 'rebuilt' });
      await world.clock.advance(300_000);
      world.server.refuseStatus();
      await expect(world.reconcile()).rejects.toMatchObject({ status: 409 });
      world.takeRequests();
      await world.reconcile();
      expect(world.takeRequests()).toEqual([]);
      expect(world.status().image?.digest).toBe(digest);
      expect(world.conditions()).toMatchObject({ Available: 'True/ManifestFound', Ready: 'True/Succeeded' });
    },
  );
});
