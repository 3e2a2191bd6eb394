/**
 * Every kustomization on the real API server: server-side dry-run with strict fields (what kubeconform does with published
 * schemas, which cannot be had offline), and what kube-score says.
 */

import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments, stringify } from 'yaml';
import { findBinaries } from '../../hack/dev-cluster/binaries.ts';
import { Cluster } from '../../hack/dev-cluster/cluster.ts';
import { installLarder } from '../../hack/dev-cluster/operator-process.ts';
import { linter } from '../support/linter.ts';

const run = promisify(execFile);
const ROOT = resolve(import.meta.dirname, '../..');
const CONFIG = join(ROOT, 'config');

/** Folders with a kustomization, below config/. */
const folders = readdirSync(CONFIG, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('kustomization.yaml'))
  .map((file) => dirname(file))
  .sort();
const components = folders.filter((folder) =>
  readFileSync(join(CONFIG, folder, 'kustomization.yaml'), 'utf8').includes('kind: Component'),
);
const plain = folders.filter((folder) => !components.includes(folder));

/** Checks of kube-score that do not fit, each with the reason. */
const WAIVED: Readonly<Record<string, string>> = {
  'container-ephemeral-storage-request-and-limit':
    'nothing is written; nodes without isolation refuse requests',
  'deployment-has-host-podantiaffinity': 'topologySpreadConstraints do it',
  'container-image-pull-policy': 'a release is named by its digest',
};

let cluster: Cluster;

beforeAll(async () => {
  cluster = await Cluster.start();
  await installLarder(cluster);
  for (const namespace of ['argocd', 'monitoring']) await cluster.kubectl(['create', 'namespace', namespace]);
});

afterAll(async () => {
  await cluster.stop();
});

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

async function build(folder: string): Promise<readonly Manifest[]> {
  const { stdout } = await cluster.kubectl(['kustomize', folder]);
  return parseAllDocuments(stdout).map((document) => document.toJS() as Manifest);
}

/** Kinds that a plain cluster does not have: their schema is their project's. */
function isForeign({ apiVersion }: Manifest): boolean {
  return /^(?:argoproj\.io|monitoring\.coreos\.com)\//.test(apiVersion);
}

/** A dry-run makes no namespace for the objects after it: namespaces are made for real. */
async function tryApply(manifests: readonly Manifest[]): Promise<void> {
  const namespaces = manifests.filter(({ kind }) => kind === 'Namespace').map((each) => stringify(each));
  if (namespaces.length > 0) await cluster.kubectl(['apply', '-f', '-'], namespaces.join('---\n'));
  const text = manifests.filter((manifest) => !isForeign(manifest)).map((manifest) => stringify(manifest));
  const flags = ['--server-side', '--dry-run=server', '--validate=strict', '--force-conflicts'];
  if (text.length > 0) await cluster.kubectl(['apply', ...flags, '-f', '-'], text.join('---\n'));
}

/** config/default with one component, as a user's own kustomization would have it. */
async function withComponent(component: string): Promise<readonly Manifest[]> {
  const folder = await cluster.subfolder(`with-${component.replaceAll('/', '-')}`);
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: [relative(folder, join(CONFIG, 'default'))],
    components: [relative(folder, join(CONFIG, component))],
  };
  await writeFile(join(folder, 'kustomization.yaml'), stringify(kustomization));
  return build(folder);
}

describe('the API server takes', () => {
  it.each(plain)('config/%s', async (folder) => {
    await tryApply(await build(join(CONFIG, folder)));
  });

  it.each(components)('config/default with config/%s', async (component) => {
    const [base, changed] = [await build(join(CONFIG, 'default')), await withComponent(component)];
    expect(stringify(changed)).not.toBe(stringify(base));
    await tryApply(changed);
  });
});

it('the fence moves with the namespace, by the kustomization of docs/operations.md', async () => {
  const page = readFileSync(join(ROOT, 'docs', 'operations.md'), 'utf8');
  const block = /^```yaml\n(?<text>apiVersion: kustomize.*?)^```$/ms.exec(page)?.groups?.['text'] ?? '';
  const folder = await cluster.subfolder('elsewhere');
  const here = relative(folder, join(CONFIG, 'default'));
  await writeFile(join(folder, 'kustomization.yaml'), block.replace(/https:\S+config\/default\S+/, here));
  const text = stringify(await build(folder));
  expect(text).toContain("'system:serviceaccount:platform-larder:larder'");
  expect(text).not.toContain('larder-system');
});

it('kube-score has nothing to say that is not waived', async () => {
  const score = linter('kube-score');
  if (score === undefined) return;
  const waived = Object.keys(WAIVED).flatMap((check) => ['--ignore-test', check]);
  const file = join(cluster.folder, 'default.yaml');
  await writeFile(file, (await cluster.kubectl(['kustomize', join(CONFIG, 'default')])).stdout);
  // No CPU limit, because throttling would delay the renewal of the Lease.
  const args = ['score', '--output-format=ci', '--kubernetes-version=v1.32', '--ignore-container-cpu-limit'];
  const { stdout } = await run(score, [...args, ...waived, file]);
  expect(stdout.split('\n').filter((line) => !/^(?:\[(?:OK|SKIPPED)\]|$)/.test(line))).toEqual([]);
});

it('a release has the image by digest in its manifests, and the section of the changelog', async () => {
  const out = join(cluster.folder, 'release');
  const image = `ghcr.io/larder-dev/larder:v0.1.0@sha256:${'0'.repeat(64)}`;
  const env = { ...process.env, OUT: out, KUBECTL: await kubectlPath() };
  await run(join(ROOT, 'hack', 'release-files.sh'), ['0.1.0', image], { env });
  const manifests = await readFile(join(out, 'files', 'install.yaml'), 'utf8');
  expect(manifests.match(/^ +image: .*$/gm)?.map((line) => line.trim())).toEqual([`image: ${image}`]);
  expect(await readFile(join(out, 'changes.md'), 'utf8')).toContain('ImageSource');
  await expect(run(join(ROOT, 'hack', 'release-files.sh'), ['9.9.9', image], { env })).rejects.toThrow(
    'no section',
  );
});

async function kubectlPath(): Promise<string> {
  return (await findBinaries(['kubectl'], () => undefined)).get('kubectl') ?? 'kubectl';
}
