import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { relatedImages } from '../../src/registry/bundle.ts';
import type { Bundle } from '../../src/registry/bundle-reader.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../../src/registry/media-types.ts';
import { readTar } from '../../src/registry/tar.ts';
import { FakeRegistry } from '../support/fake-registry.ts';
import { openSession, REPOSITORY } from '../support/registry-session.ts';
import { buildTar } from '../support/tar-archive.ts';

const LABELS = {
  'operators.operatorframework.io.bundle.mediatype.v1': 'registry+v1',
  'operators.operatorframework.io.bundle.manifests.v1': 'manifests/',
  'operators.operatorframework.io.bundle.package.v1': 'security-profiles-operator',
  'operators.operatorframework.io.bundle.channels.v1': 'alpha, stable',
  'operators.operatorframework.io.bundle.channel.default.v1': 'stable',
  'com.redhat.openshift.versions': 'v4.12',
};
const CSV = `apiVersion: operators.coreos.com/v1alpha1
kind: ClusterServiceVersion
spec:
  relatedImages:
  - {name: operator, image: "quay.io/a/operator@sha256:1"}
  - {name: again, image: "quay.io/a/operator@sha256:1"}
  - {name: proxy, image: quay.io/a/proxy:v1}
  - {name: nothing}
  - 7
`;

interface BundleImage {
  readonly labels?: Readonly<Record<string, string>>;
  readonly layers: readonly Buffer[];
  readonly asIndex?: boolean;
}

async function read({ labels = LABELS, layers, asIndex = false }: BundleImage): Promise<Bundle | undefined> {
  await using registry = await FakeRegistry.start();
  await using session = openSession();
  const config = registry.putBlob(
    REPOSITORY,
    JSON.stringify({ os: 'linux', architecture: 'amd64', config: { Labels: labels } }),
  );
  const stored = layers.map((layer) => ({ mediaType: '', ...registry.putBlob(REPOSITORY, layer) }));
  const digest = registry.putManifest(
    REPOSITORY,
    { config, layers: stored },
    OCI_MANIFEST,
    asIndex ? undefined : 'v1',
  );
  if (asIndex) {
    const manifests = [{ digest, size: 1, platform: { os: 'linux', architecture: 'amd64' } }];
    registry.putManifest(REPOSITORY, { manifests }, OCI_INDEX, 'v1');
  }
  return await session.client.readBundle(
    { registry: registry.host, repository: REPOSITORY, tag: 'v1' },
    session.access,
    session,
  );
}

describe('readBundle', () => {
  it.each([false, true])(
    'reads labels and the related images of the ClusterServiceVersion (index: %j)',
    async (asIndex) => {
      const layer = gzipSync(
        buildTar({
          './manifests/sub/op.clusterserviceversion.yaml': CSV,
          'manifests/crd.yaml': 'kind: CustomResourceDefinition',
        }),
      );
      expect(await read({ layers: [layer], asIndex })).toEqual({
        package: 'security-profiles-operator',
        channels: ['alpha', 'stable'],
        defaultChannel: 'stable',
        mediaType: 'registry+v1',
        openshiftVersions: 'v4.12',
        manifestsFolder: 'manifests',
        relatedImages: ['quay.io/a/operator@sha256:1', 'quay.io/a/proxy:v1'],
      });
    },
  );

  it('lets a later layer win and passes over large ones', async () => {
    const first = gzipSync(buildTar({ 'manifests/a.yaml': CSV }));
    const second = buildTar({
      'manifests/a.json': JSON.stringify({
        kind: 'ClusterServiceVersion',
        spec: { relatedImages: [{ image: 'b' }] },
      }),
    });
    const large = Buffer.alloc(4 * 1024 * 1024 + 1, 1);
    expect((await read({ layers: [first, second, large] }))?.relatedImages).toEqual(['b']);
  });

  it('finds nothing in other folders, broken archives and broken YAML', async () => {
    for (const layer of [
      gzipSync(buildTar({ 'other/a.yaml': CSV })),
      gzipSync(Buffer.from('no archive at all')),
      Buffer.from([0x1f, 0x8b, 1, 2, 3]),
      gzipSync(buildTar({ 'manifests/a.yaml': 'kind: ClusterServiceVersion\n\t- ]' })),
      gzipSync(buildTar({ 'manifests/a.yaml': 'kind: Other # ClusterServiceVersion' })),
      gzipSync(Buffer.alloc(32 * 1024 * 1024)),
    ]) {
      expect((await read({ layers: [layer] }))?.relatedImages).toEqual([]);
    }
  });

  it('is undefined for any other image', async () => {
    expect(await read({ labels: {}, layers: [] })).toBeUndefined();
  });
});

describe('readTar', () => {
  it('reads long names', async () => {
    const path = `manifests/${'long/'.repeat(40)}a.yaml`;
    expect([...readTar(buildTar({ [path]: 'x' }))].map((file) => file.path)).toEqual([path]);
    expect(await relatedImages(buildTar({ [path]: CSV }), 'manifests')).toHaveLength(2);
  });

  it('gives back what was packed, and ends on any bytes', () => {
    const name = fc.stringMatching(/^[a-z]{1,20}$/);
    fc.assert(
      fc.property(fc.dictionary(name, fc.string({ maxLength: 2000 })), (files) => {
        const read = [...readTar(buildTar(files))].map(({ path, content }) => [
          path,
          content.toString('utf8'),
        ]);
        expect(Object.fromEntries(read)).toEqual({ ...files });
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), (bytes) => {
        expect([...readTar(Buffer.from(bytes))].length).toBeLessThan(10);
      }),
    );
  });
});
