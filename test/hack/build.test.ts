import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundle } from '../../hack/build.ts';

let folder: string;
let inputs: ReadonlyMap<string, number>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larder-build-'));
  const entry = join(folder, 'entry.ts');
  const source = join(import.meta.dirname, '../../src/kube/base-operator.ts');
  await writeFile(entry, `export { BaseOperator } from ${JSON.stringify(source)};`);
  inputs = await bundle({ entry, outfile: join(folder, 'out.js') });
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

function has(part: string): boolean {
  return [...inputs].some(([path, bytes]) => bytes > 0 && path.includes(part));
}

describe('the bundle', () => {
  it('holds the operator package without its dead weight', () => {
    expect(has('@dot-i/k8s-operator')).toBe(true);
    for (const dead of ['node_modules/gaxios/', 'node_modules/node-fetch/', 'gen/apis/CoreV1Api']) {
      expect([dead, has(dead)]).toEqual([dead, false]);
    }
  });

  it('stays small', () => {
    const bytes = [...inputs.values()].reduce((sum, size) => sum + size, 0);
    expect(bytes).toBeLessThan(4_000_000);
  });

  it('loads where there is no kubeconfig', async () => {
    const loaded = (await import(join(folder, 'out.js'))) as { readonly BaseOperator: unknown };
    expect(typeof loaded.BaseOperator).toBe('function');
  });
});
