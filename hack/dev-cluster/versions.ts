/** The one place that pins what the development cluster runs, and says where each binary can come from. */

import { arch } from 'node:os';

export const versions = {
  kubernetes: '1.35.4',
  etcd: '3.6.5',
  kwok: '0.8.0',
  registry: '3.1.2',
  crane: '0.21.7',
} as const;

/** Key of the binary cache: other versions live in other folders. */
export const versionKey = `k8s-${versions.kubernetes}_etcd-${versions.etcd}_kwok-${versions.kwok}_registry-${versions.registry}_crane-${versions.crane}`;

/** A file that the project publishes together with its SHA-256. */
interface Release {
  readonly url: string;
  /** Text whose first 64 hexadecimal characters on the line of the file are its SHA-256. */
  readonly checksumUrl: string;
  /** Path of the binary inside, if the file is a gzipped tar archive. */
  readonly member?: string;
}

export interface Binary {
  readonly name: BinaryName;
  /** Go module in `tools/` and package to build when nothing better is at hand. */
  readonly module: string;
  readonly package: string;
  /** Present in the archives that KUBEBUILDER_ASSETS points to. */
  readonly envtest: boolean;
  readonly release?: Release;
}

export const binaryNames = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kubectl',
  'kwok',
  'registry',
] as const;

/** Built only where a real node is started: they need root and save everybody else a minute. */
export const nodeBinaryNames = ['kubelet'] as const;

/** Built for tests that compare the registry client with another one; `crane registry serve` is a registry as well. */
export const peerBinaryNames = ['crane'] as const;

/** Built only where the operator itself is deployed. */
export const deploymentBinaryNames = ['kube-scheduler'] as const;

export type BinaryName =
  | (typeof binaryNames)[number]
  | (typeof nodeBinaryNames)[number]
  | (typeof peerBinaryNames)[number]
  | (typeof deploymentBinaryNames)[number];

/** The cold Go build of the API server takes longest, and the other Kubernetes binaries reuse its packages. */
export const buildOrder: readonly BinaryName[] = [
  'kube-apiserver',
  'kube-controller-manager',
  'kubectl',
  'kubelet',
  'kube-scheduler',
  'etcd',
  'kwok',
  'registry',
  'crane',
];

export const binaries: Readonly<Record<BinaryName, Binary>> = {
  etcd: {
    name: 'etcd',
    module: 'kubernetes',
    package: 'go.etcd.io/etcd/server/v3',
    envtest: true,
    release: etcdRelease(),
  },
  'kube-apiserver': kubernetesBinary('kube-apiserver', true),
  'kube-controller-manager': kubernetesBinary('kube-controller-manager', false),
  kubectl: kubernetesBinary('kubectl', true),
  kubelet: kubernetesBinary('kubelet', false),
  'kube-scheduler': kubernetesBinary('kube-scheduler', false),
  kwok: { name: 'kwok', module: 'kwok', package: 'sigs.k8s.io/kwok/cmd/kwok', envtest: false },
  registry: {
    name: 'registry',
    module: 'registry',
    package: 'github.com/distribution/distribution/v3/cmd/registry',
    envtest: false,
    release: registryRelease(),
  },
  crane: {
    name: 'crane',
    module: 'crane',
    package: 'github.com/google/go-containerregistry/cmd/crane',
    envtest: false,
  },
};

/** Without these flags the API server reports v0.0.0 and clients misbehave. */
export const goLinkerFlags = [
  '-s',
  '-w',
  ...[
    'gitVersion=v' + versions.kubernetes,
    'gitMajor=1',
    'gitMinor=' + (versions.kubernetes.split('.')[1] ?? ''),
  ].map((value) => `-X k8s.io/component-base/version.${value}`),
  `-X k8s.io/client-go/pkg/version.gitVersion=v${versions.kubernetes}`,
].join(' ');

function goArch(): string {
  return arch() === 'x64' ? 'amd64' : arch();
}

function kubernetesBinary(name: BinaryName, envtest: boolean): Binary {
  const url = `https://dl.k8s.io/v${versions.kubernetes}/bin/linux/${goArch()}/${name}`;
  return {
    name,
    module: 'kubernetes',
    package: `k8s.io/kubernetes/cmd/${name}`,
    envtest,
    release: { url, checksumUrl: `${url}.sha256` },
  };
}

function etcdRelease(): Release {
  const base = `https://github.com/etcd-io/etcd/releases/download/v${versions.etcd}`;
  const folder = `etcd-v${versions.etcd}-linux-${goArch()}`;
  return { url: `${base}/${folder}.tar.gz`, checksumUrl: `${base}/SHA256SUMS`, member: `${folder}/etcd` };
}

function registryRelease(): Release {
  const base = `https://github.com/distribution/distribution/releases/download/v${versions.registry}`;
  const file = `registry_${versions.registry}_linux_${goArch()}.tar.gz`;
  return { url: `${base}/${file}`, checksumUrl: `${base}/${file}.sha256`, member: 'registry' };
}
