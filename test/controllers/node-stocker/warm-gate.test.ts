import { beforeEach, describe, expect, it } from 'vitest';
import type { NodeObject } from '../../../src/controllers/node.ts';
import { shouldOpenGate } from '../../../src/controllers/node-stocker/warm-gate.ts';
import { Coverage } from '../../../src/domain/coverage.ts';
import type { NodeFacts } from '../../../src/domain/node.ts';
import type { Want } from '../../../src/domain/want.ts';

const CREATED = '2026-11-01T10:00:00Z';
const START = Date.parse(CREATED);
const GATE = { key: 'larder.dev/not-stocked', effect: 'NoSchedule' as const };
const WANT = {
  id: 'ns/lab',
  pulls: [{ key: 'sha256:a' }],
  scope: {},
  platforms: [],
  timeoutMs: 900_000,
} as unknown as Want;

function node(overrides: Partial<NodeFacts> = {}): NodeObject {
  const facts = {
    name: 'n1',
    uid: 'u1',
    os: 'linux',
    labels: {},
    taints: [GATE],
    ready: true,
    conditions: {},
    images: [],
    ...overrides,
  };
  return { metadata: { name: 'n1', creationTimestamp: CREATED }, facts: facts as unknown as NodeFacts };
}

describe('shouldOpenGate', () => {
  let coverage: Coverage;
  const ask = (object: NodeObject, wants: Want[], now = START, isPending = false) =>
    shouldOpenGate(object, { coverage, wants, isPending, now });

  beforeEach(() => {
    coverage = new Coverage();
  });

  it('leaves nodes without the taint alone', () => {
    expect(ask(node({ taints: [] }), [])).toEqual({ opens: false });
  });

  it('opens when everything is there', () => {
    coverage.addReceipt(node().facts, { key: 'sha256:a', proof: 'pod' }, START);
    expect(ask(node(), [WANT])).toEqual({ opens: true });
    expect(ask(node(), [])).toEqual({ opens: true });
  });

  it('waits for what is missing, but not longer than the most patient image', () => {
    expect(ask(node(), [WANT], START + 100_000)).toEqual({ opens: false, lookAfterMs: 800_000 });
    expect(ask(node(), [WANT], START + 900_000)).toEqual({ opens: true });
  });

  it('waits for images that nobody knows yet, but not for ever', () => {
    expect(ask(node(), [], START, true)).toEqual({ opens: false, lookAfterMs: 2_000 });
    expect(ask(node(), [], START + 599_000, true)).toEqual({ opens: false, lookAfterMs: 1_000 });
    expect(ask(node(), [], START + 600_000, true)).toEqual({ opens: true });
  });

  it('does not wait for what the node has no room for', () => {
    coverage.setSkipped(node().facts, new Map([['ns/lab', 'too large']]), [WANT]);
    expect(ask(node(), [WANT])).toEqual({ opens: true });
  });

  it('waits for a node that is not ready yet', () => {
    expect(ask(node({ ready: false }), []).opens).toBe(false);
  });

  it.each([
    ['node.kubernetes.io/not-ready', false],
    ['node.cloudprovider.kubernetes.io/uninitialized', false],
    ['node.cilium.io/agent-not-ready', false],
    ['nvidia.com/gpu', true],
  ])('with another taint %s: opens %s', (key, opens) => {
    expect(ask(node({ taints: [GATE, { key, effect: 'NoSchedule' }] }), [WANT]).opens).toBe(opens);
  });
});
