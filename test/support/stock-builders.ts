/** Nodes and wants for tests and benchmarks, with what a test does not care about filled in. */

import type { NodeFacts } from '../../src/domain/node.ts';
import type { Want } from '../../src/domain/want.ts';

/** A Linux node that could take any image. */
export function nodeFacts(name: string, overrides: Partial<NodeFacts> = {}): NodeFacts {
  return {
    name,
    uid: `uid-of-${name}`,
    labels: {},
    taints: [],
    unschedulable: false,
    ready: true,
    conditions: { diskPressure: false, memoryPressure: false, pidPressure: false },
    os: 'linux',
    architecture: 'amd64',
    images: [],
    ...overrides,
  };
}

/** `ns/<name>`: a small image that every node is to have, by digest. */
export function want(name: string, overrides: Partial<Want> = {}): Want {
  return {
    id: `ns/${name}`,
    namespace: 'ns',
    identity: 'ns/',
    priority: 0,
    sizeBytes: 10,
    pulls: [{ key: `sha256:${name}`, reference: `reg.example/${name}`, policy: 'IfNotPresent' }],
    scope: {},
    host: 'reg.example',
    timeoutMs: 600_000,
    verifyIntervalMs: 21_600_000,
    keepWarm: false,
    platforms: [],
    ...overrides,
  };
}
