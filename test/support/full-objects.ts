/** One valid object a kind in which every field of the schema is set: the ground for bound and mutation tests. */
import type { Json } from './json-paths.ts';

const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`;
const TIME = '2026-11-21T12:00:00Z';

const conditions = [
  {
    type: 'Ready',
    status: 'True',
    reason: 'Succeeded',
    message: 'All is well',
    lastTransitionTime: TIME,
    observedGeneration: 3,
  },
];

const access = {
  pullSecretRefs: [{ name: 'pull-secret' }],
  serviceAccountName: 'puller',
  caBundleRef: { kind: 'Secret', name: 'registry-ca', key: 'tls.crt' },
  clientCertSecretRef: { name: 'client-cert' },
  proxySecretRef: { name: 'proxy' },
  plainHTTP: false,
  provider: 'AWS',
};

const requirement = { key: 'node.example.org/pool', operator: 'In', values: ['lab'] };

const prepull = {
  nodes: {
    nodeSelector: { 'node.example.org/pool': 'lab' },
    nodeSelectorTerms: [
      {
        matchExpressions: [requirement],
        matchFields: [{ key: 'metadata.name', operator: 'NotIn', values: ['n1'] }],
      },
    ],
    tolerations: [
      { key: 'gpu', operator: 'Equal', value: 'yes', effect: 'NoExecute', tolerationSeconds: 30 },
    ],
  },
  pull: {
    by: 'Both',
    timeout: '20m',
    priority: 90,
    priorityClassName: 'image-pulls',
    maxConcurrentNodes: 10,
    verifyInterval: '12h',
  },
  keepWarm: true,
  minReady: '90%',
};

const commonSpec = { interval: '10m', suspend: true, access };
const commonStatus = { conditions, observedGeneration: 3, lastHandledReconcileAt: TIME };
const since = { date: '2026-01-31', version: '22.0.0', build: 7 };
const shown = { number: 5, maxAge: '720h', since };

const namedImage = {
  reference: 'registry.example.org/sciplat/lab:w_2026_40',
  tag: 'w_2026_40',
  name: 'Weekly 2026_40',
  digest: DIGEST,
  aliases: ['latest_weekly'],
  prepulled: true,
};

const imageSource = {
  apiVersion: 'larder.dev/v1alpha1',
  kind: 'ImageSource',
  metadata: { name: 'full', namespace: 'default' },
  spec: {
    image: 'registry.example.org:5000/sciplat/lab',
    ...commonSpec,
    timeout: '2m',
    tags: {
      grammar: 'RSP',
      recommended: 'recommended',
      aliases: ['latest_weekly', 'latest'],
      cycle: 45,
      include: ['^[rwd]'],
      exclude: ['-test$'],
      architectures: ['amd64'],
    },
    select: [
      { name: 'releases', type: 'release', newest: 1, maxAge: '720h', minAge: '1h', since },
      { name: 'stable', semver: '>=2 <3', dialect: 'Masterminds', prereleases: true, variant: 'alpine' },
      { name: 'nightly', pattern: '^nightly-(?<d>\\d{8})$', orderBy: { capture: 'd', as: 'Numerical' } },
      { name: 'pinned', tags: ['w_2026_40'] },
    ],
    display: { release: shown, releaseCandidate: shown, weekly: shown, daily: shown, experimental: shown },
    digests: 'All',
    prepull,
    retire: 'Keep',
    guard: { maxTags: 5000, maxRemovedPercent: 20 },
    allowDowngrade: true,
    webhook: { enabled: true, secretRef: { name: 'hook' } },
  },
  status: {
    ...commonStatus,
    lastScanTime: TIME,
    nextScanTime: TIME,
    scan: {
      tags: 1200,
      pages: 2,
      requests: 9,
      headRequests: 6,
      durationMs: 340,
      listRevision: 'a1b2',
      hiddenByArchitecture: 3,
      hiddenByCycle: 2,
      ignored: 1,
      failedDigests: 1,
      warnings: ['tag w_2026_39 vanished'],
    },
    rejected: { listRevision: 'c3d4', scans: 2, since: TIME, tags: 10, removedPercent: 99 },
    webhookPath: '/hooks/abc',
    lastHandledPush: 'r1',
    failedScans: 2,
    recommended: namedImage,
    latestWeekly: namedImage,
    latestDaily: namedImage,
    latestRelease: namedImage,
    images: [{ ...namedImage, type: 'weekly', version: '2026.40.0', date: TIME, rules: ['weeklies'] }],
    truncated: true,
    counts: { known: 1200, displayed: 1000, selected: 6, prepulled: 5 },
    newestSeen: { weekly: 'w_2026_40' },
  },
};

const prepulledImage = {
  apiVersion: 'larder.dev/v1alpha1',
  kind: 'PrepulledImage',
  metadata: { name: 'full', namespace: 'default' },
  spec: {
    image: `registry.example.org/sciplat/lab:w_2026_40@${DIGEST}`,
    ...commonSpec,
    recordRef: { name: 'yolo-v5' },
    grammar: 'RSP',
    aliases: ['latest_weekly'],
    aliasTarget: 'w_2026_40',
    ...prepull,
  },
  status: {
    ...commonStatus,
    coverageTime: TIME,
    stockedGeneration: 1,
    image: {
      reference: 'registry.example.org/sciplat/lab:w_2026_40',
      referenceWithDigest: `registry.example.org/sciplat/lab:w_2026_40@${DIGEST}`,
      registry: 'registry.example.org',
      repository: 'sciplat/lab',
      tag: 'w_2026_40',
      digest: DIGEST,
      mediaType: 'application/vnd.oci.image.index.v1+json',
      platforms: [{ os: 'linux', architecture: 'arm', variant: 'v7', digest: DIGEST, size: 10_000_000_000 }],
      type: 'weekly',
      displayName: 'Weekly 2026_40',
      base: 'w_2026_40',
      version: '2026.40.0',
      cycle: '45',
      cycleBuild: '3',
      rspBuild: '64',
      architecture: 'amd64',
      extra: 'stuff',
      date: TIME,
      size: 10_000_000_000,
      aliases: ['latest_weekly'],
      aliasTarget: 'w_2026_40',
      possibleAlias: false,
    },
    nodes: { eligible: 12, present: 10, unknown: 0, pulling: 1, waiting: 0, failed: 1, skipped: 2 },
    ready: '10/12',
    size: '9.3 GiB',
    prepulled: false,
    presentOn: ['n1'],
    notPresent: [
      {
        node: 'n11',
        state: 'Failed',
        reason: 'DiskFull',
        message: 'no space left on device',
        attempts: 2,
        lastAttempt: TIME,
      },
    ],
    truncated: false,
    backoff: { class: 'Node', attempts: 2, nextAttempt: TIME },
  },
};

const specPlatform = { os: 'linux', architecture: 'arm', variant: 'v7' };

const dockerImageRecord = {
  apiVersion: 'larder.dev/v1alpha1',
  kind: 'DockerImageRecord',
  metadata: { name: 'full', namespace: 'default' },
  spec: {
    name: 'yolo',
    version: 'v5_2022-11-05_cuda11.1',
    image: 'registry.example.org:443/waikato/pytorch-yolov5:2022-11-05_cuda11.1',
    registry: { url: 'registry.example.org:443' },
    ...commonSpec,
    cuda: { version: '11.1' },
    framework: { name: 'yolo', version: 'v5' },
    domain: 'od',
    tasks: ['Train', 'Predict'],
    minHardwareGeneration: 'Pascal',
    cpu: false,
    licence: 'GPL3',
    contentKind: 'Runnable',
    platforms: [specPlatform],
    signing: { keys: ['199e2f91fd431d51'] },
    deletionPolicy: 'Orphan',
    matchByImage: true,
    provenance: { origin: 'RHBA-2026:1' },
    prepull,
  },
  status: {
    ...commonStatus,
    pk: 15,
    image: {
      registry: 'registry.example.org:443',
      repository: 'waikato/pytorch-yolov5',
      tag: '2022-11-05_cuda11.1',
      digest: DIGEST,
      mediaType: 'application/vnd.oci.image.index.v1+json',
      previousDigest: DIGEST,
      movedAt: TIME,
    },
    pullInfo: {
      tagSpecs: [
        {
          registry: 'registry.example.org:443',
          repository: 'waikato/pytorch-yolov5',
          tag: '2022-11-05_cuda11.1',
          mediaTypes: ['application/vnd.oci.image.index.v1+json'],
          reference: 'registry.example.org:443/waikato/pytorch-yolov5:2022-11-05_cuda11.1',
        },
      ],
      digestSpecs: [
        {
          registry: 'registry.example.org:443',
          repository: 'waikato/pytorch-yolov5',
          digest: DIGEST,
          mediaType: 'application/vnd.oci.image.manifest.v1+json',
          reference: `registry.example.org:443/waikato/pytorch-yolov5@${DIGEST}`,
          platform: specPlatform,
        },
      ],
      mediaTypes: ['application/vnd.oci.image.manifest.v1+json'],
      resolvedAt: TIME,
    },
    platforms: [
      {
        ...specPlatform,
        digest: DIGEST,
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        configDigest: DIGEST,
        compressedSize: 4_000_000_000,
        sourceTags: ['2022-11-05_cuda11.1-arm'],
      },
    ],
    labels: { 'org.opencontainers.image.version': '5' },
    resolved: {
      cuda: { fullVersion: '11.1.0', minDriverVersion: '455.23.05' },
      hardware: { minComputeCapability: '6.0', maxComputeCapability: '7.0' },
      domainDescription: 'Object Detection',
      licenceURL: 'https://opensource.org/licenses/GPL-3.0',
    },
    signing: {
      claims: [
        { reference: 'registry.example.org/a:1', digest: DIGEST, key: '199e2f91fd431d51', state: 'Missing' },
      ],
      present: 0,
      missing: 1,
    },
    source: { isSource: false, confidence: 'Heuristic', forRecord: 'yolo-v4' },
    operatorBundle: {
      package: 'security-profiles-operator',
      channels: ['release-alpha-rhel-8'],
      defaultChannel: 'release-alpha-rhel-8',
      mediaType: 'registry+v1',
      openshiftVersions: 'v4.12',
      relatedImages: [`registry.example.org/operator@${DIGEST}`],
      relatedImageCount: 1,
      missingImages: [`registry.example.org/operator@${DIGEST}`],
    },
    nodes: { total: 12, eligible: 7, names: ['n1'], reasons: [{ reason: 'CUDATooOld', count: 3 }] },
    referenceCount: 1,
    references: [
      {
        apiVersion: 'larder.dev/v1alpha1',
        kind: 'PrepulledImage',
        namespace: 'ml',
        name: 'yolo-gpu',
        uid: '11111111-2222-3333-4444-555555555555',
        fieldPath: 'spec.recordRef',
      },
    ],
    truncated: false,
  },
};

/** A record of the other kind of content: what a Runnable one must not have. */
export const SOURCE_RECORD: Json = {
  ...dockerImageRecord,
  metadata: { name: 'source', namespace: 'default' },
  spec: {
    name: 'yolo',
    version: 'source',
    image: 'registry.example.org/waikato/pytorch-yolov5:source',
    contentKind: 'Source',
    sourceFor: 'yolo-v5',
  },
};

export const FULL_OBJECTS = {
  ImageSource: imageSource as Json,
  PrepulledImage: prepulledImage as Json,
  DockerImageRecord: dockerImageRecord as Json,
} as const;
