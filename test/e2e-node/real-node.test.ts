/** The real node itself: up, usable, down, several times, and nothing of it stays on the host. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { startRealNode } from '../../hack/dev-cluster/real-node.ts';
import { apply, eventually } from '../support/dev-cluster.ts';
import { hostRemains } from './host-remains.ts';
import { plainPod } from './node-pods.ts';
import { describeOnNode, startNodeStage } from './node-stage.ts';

async function nothingNewSince(before: readonly string[]): Promise<void> {
  await eventually(async () => {
    const now = await hostRemains();
    expect(now.filter((line) => !before.includes(line))).toEqual([]);
  });
}

describeOnNode('a real node', () => {
  it('comes and goes in one cluster under one name, with pods running, and leaves nothing', async () => {
    const before = await hostRemains();
    const { cluster, registry, node } = await startNodeStage({ name: 'up-and-down' });
    try {
      await apply(cluster, plainPod('sleeper', `${registry.host}/larder/sandbox:1`));
      await cluster.kubectl(['wait', '--for=condition=Ready', '--timeout=30s', 'pod/sleeper']);
      expect((await node.images()).map(({ name }) => name)).toContain(`${registry.host}/larder/sandbox:1`);
      await node.stop();
      await nothingNewSince(before);

      const again = await startRealNode(cluster, { registry: registry.host });
      await again.stop();
    } finally {
      await cluster.stop();
    }
    await nothingNewSince(before);
  });

  it('leaves nothing when its owner is killed', async () => {
    const before = await hostRemains();
    const owner = spawn(process.execPath, [join(import.meta.dirname, 'node-owner.ts')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(owner.stdout, 'data')) as [Buffer];
    const [folder = ''] = line.toString().split(' ');
    expect(existsSync(folder)).toBe(true);
    expect(await hostRemains()).not.toEqual(before);

    owner.kill('SIGKILL');
    await nothingNewSince(before);
    await vi.waitFor(() => {
      expect(existsSync(folder)).toBe(false);
    }, 10_000);
  });
});
