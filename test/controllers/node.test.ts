import { describe, expect, it } from 'vitest';
import { nodeFacts, projectNode } from '../../src/controllers/node.ts';

describe('nodeFacts', () => {
  it('reads what stocking asks for', () => {
    const facts = nodeFacts({
      metadata: { name: 'n1', uid: 'u', labels: { pool: 'lab' } },
      spec: { unschedulable: true, taints: [{ key: 'gpu', effect: 'NoSchedule' }] },
      status: {
        allocatable: { 'ephemeral-storage': '100Gi' },
        conditions: [
          { type: 'Ready', status: 'True' },
          { type: 'DiskPressure', status: 'False' },
          { type: 'MemoryPressure', status: 'Unknown' },
          { type: 'PIDPressure', status: 'True' },
        ],
        images: [{ names: ['a/b:1'], sizeBytes: 7 }, { names: null, sizeBytes: 1 }, {}],
        nodeInfo: { operatingSystem: 'linux', architecture: 'arm64', machineID: 'm' },
      },
    });
    expect(facts).toEqual({
      name: 'n1',
      uid: 'u',
      labels: { pool: 'lab' },
      taints: [{ key: 'gpu', effect: 'NoSchedule' }],
      unschedulable: true,
      ready: true,
      conditions: { diskPressure: false, memoryPressure: false, pidPressure: true },
      os: 'linux',
      architecture: 'arm64',
      ephemeralBytes: 100 * 2 ** 30,
      machineId: 'm',
      images: [{ names: ['a/b:1'], sizeBytes: 7 }],
    });
  });

  it('takes a node that says nothing for one that is not ready', () => {
    expect(nodeFacts({ metadata: { name: 'n1' } })).toEqual({
      name: 'n1',
      uid: '',
      labels: {},
      taints: [],
      unschedulable: false,
      ready: false,
      conditions: { diskPressure: false, memoryPressure: false, pidPressure: false },
      os: 'linux',
      architecture: '',
      images: [],
    });
  });

  it('takes a node for Linux whose kubelet has not said yet what it is', () => {
    const os = (operatingSystem: string): string =>
      nodeFacts({ metadata: { name: 'n1' }, status: { nodeInfo: { operatingSystem } } }).os;
    expect([os(''), os('linux'), os('windows')]).toEqual(['linux', 'linux', 'windows']);
  });

  it.each([
    ['1024', 1_024],
    ['500m', 0.5],
    ['1.5k', 1_500],
    ['97Mi', 97 * 2 ** 20],
    ['2T', 2e12],
    ['1e9', undefined],
    ['-1', undefined],
    ['plenty', undefined],
    ['', undefined],
  ])('reads the quantity %j as %j', (text, bytes) => {
    const status = { allocatable: { 'ephemeral-storage': text } };
    expect(nodeFacts({ metadata: { name: 'n1' }, status }).ephemeralBytes).toBe(bytes);
  });
});

describe('projectNode', () => {
  it('keeps of the metadata only what the cache needs', () => {
    const metadata = {
      name: 'n1',
      uid: 'u',
      resourceVersion: '7',
      creationTimestamp: '2026-01-01T00:00:00Z',
      labels: { big: 'x' },
      annotations: { bigger: 'y' },
    };
    const projected = projectNode({ metadata });
    expect(projected.metadata).toEqual({
      name: 'n1',
      uid: 'u',
      resourceVersion: '7',
      creationTimestamp: '2026-01-01T00:00:00Z',
    });
    expect(projected.facts.labels).toEqual({ big: 'x' });
  });
});
