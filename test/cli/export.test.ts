import { afterEach, beforeEach, expect, it } from 'vitest';
import { parse } from 'yaml';
import { PREPULLED_IMAGES } from '../controllers/fixtures.ts';
import { DIGEST_A, DIGEST_B, prepulledImage } from '../support/builders.ts';
import { type CliRun, larder } from '../support/cli-io.ts';
import { FakeApiServer } from '../support/fake-api-server.ts';
import { type KubeconfigFile, kubeconfigFile } from '../support/operator-options.ts';

let server: FakeApiServer;
let kubeconfig: KubeconfigFile;

beforeEach(async () => {
  server = await FakeApiServer.start();
  kubeconfig = await kubeconfigFile(server);
  for (const [namespace, digest] of [
    ['a', DIGEST_A],
    ['b', DIGEST_B],
  ] as const) {
    const spec = { image: `r.example/lab@${digest}` };
    server.store.put(PREPULLED_IMAGES, prepulledImage({ metadata: { name: 'lab', namespace }, spec }));
  }
});

afterEach(async () => {
  await kubeconfig[Symbol.asyncDispose]();
  await server.close();
});

function exportEraser(...flags: readonly string[]): Promise<CliRun> {
  return larder(['export', 'eraser', '--kubeconfig', kubeconfig.path, ...flags]);
}

function excluded(data: Readonly<Record<string, string>>): unknown {
  return JSON.parse(data['excluded.json'] ?? '');
}

it('prints a ConfigMap with the images of all namespaces, and writes nothing', async () => {
  const { code, out } = await exportEraser();
  expect(code).toBe(0);
  const { metadata, data } = parse(out) as { metadata: object; data: Record<string, string> };
  expect(metadata).toMatchObject({
    namespace: 'eraser-system',
    labels: { 'eraser.sh/exclude.list': 'true' },
  });
  expect(excluded(data)).toEqual({
    excluded: [`r.example/lab@${DIGEST_A}`, `r.example/lab@${DIGEST_B}`, DIGEST_A, DIGEST_B],
  });
  expect(server.requests.map(({ verb }) => verb)).toEqual(['list']);
});

it('takes one namespace, another home, and JSON', async () => {
  const { out } = await exportEraser('-n', 'b', '--eraser-namespace', 'kube-system', '-o', 'json');
  const { metadata, data } = JSON.parse(out) as { metadata: object; data: Record<string, string> };
  expect(metadata).toMatchObject({ namespace: 'kube-system' });
  expect(excluded(data)).toEqual({ excluded: [`r.example/lab@${DIGEST_B}`, DIGEST_B] });
});

it('says what the cluster refused', async () => {
  server.fail({ when: ({ verb }) => verb === 'list', action: { kind: 'status', code: 403, message: 'no' } });
  const { code, error } = await exportEraser();
  expect(code).toBe(1);
  expect(error).toContain('prepulledimages');
});
