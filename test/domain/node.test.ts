import { describe, expect, it } from 'vitest';

import {
  eligibility,
  imageDigests,
  matchesSelector,
  type NodeSelectorRequirement,
  type Toleration,
  taintMessage,
  tolerates,
  untoleratedTaint,
  validateToleration,
} from '../../src/domain/node.ts';
import { nodeFacts } from '../support/stock-builders.ts';

const NODE = nodeFacts('node1', { uid: 'u1', labels: { pool: 'gpu', cores: '64', odd: 'x1' } });
const TAINT = { key: 'dedicated', value: 'labs', effect: 'NoSchedule' } as const;

function matches(requirement: NodeSelectorRequirement): boolean {
  return matchesSelector(NODE, { nodeSelectorTerms: [{ matchExpressions: [requirement] }] });
}

describe('eligibility', () => {
  it('is given without any scope and any taint', () => {
    expect(eligibility(NODE, {})).toEqual({ eligible: true });
  });

  it.each([
    [{ labels: {} }, 'NotSelected', 'Node does not match the node selector'],
    [{ unschedulable: true }, 'Cordoned', 'Node is cordoned'],
    [{ ready: false }, 'NotReady', 'Node is not ready'],
    [
      { conditions: { ...NODE.conditions, diskPressure: true } },
      'DiskPressure',
      'Node is under disk pressure',
    ],
    [{ taints: [TAINT] }, 'Tainted', 'Node is tainted (NoSchedule, dedicated = labs)'],
  ] as const)('is refused for %j as %s', (change, reason, message) => {
    const node = { ...NODE, ...change };
    expect(eligibility(node, { nodeSelector: { pool: 'gpu' } })).toEqual({
      eligible: false,
      reason,
      message,
    });
  });

  it('gives the first reason of the fixed order', () => {
    const broken = { ...NODE, unschedulable: true, ready: false, taints: [TAINT] };
    expect(eligibility(broken, {})).toMatchObject({ reason: 'Cordoned' });
    expect(eligibility({ ...broken, unschedulable: false }, {})).toMatchObject({ reason: 'NotReady' });
  });

  it('is kept under other pressures, which do not concern images', () => {
    const conditions = { diskPressure: false, memoryPressure: true, pidPressure: true };
    expect(eligibility({ ...NODE, conditions }, {})).toEqual({ eligible: true });
  });

  it('always tolerates the taint of nodes that are not stocked yet', () => {
    const taints = [{ key: 'larder.dev/not-stocked', effect: 'NoSchedule' }] as const;
    expect(eligibility({ ...NODE, taints }, {})).toEqual({ eligible: true });
  });
});

describe('taints and tolerations', () => {
  it.each<[Toleration, boolean]>([
    [{ key: 'dedicated', value: 'labs' }, true],
    [{ key: 'dedicated', operator: 'Equal', value: 'labs', effect: 'NoSchedule' }, true],
    [{ key: 'dedicated', value: 'other' }, false],
    [{ key: 'other', value: 'labs' }, false],
    [{ key: 'dedicated' }, false],
    [{ key: 'dedicated', operator: 'Exists' }, true],
    [{ key: 'other', operator: 'Exists' }, false],
    [{ operator: 'Exists' }, true],
    [{ operator: 'Exists', effect: 'NoExecute' }, false],
    [{ operator: 'Exists', tolerationSeconds: 60 }, true],
  ])('says of %j: %s', (toleration, expected) => {
    expect(tolerates(toleration, TAINT)).toBe(expected);
  });

  it('takes an absent value as the empty one on both sides', () => {
    expect(tolerates({ key: 'a' }, { key: 'a', effect: 'NoSchedule' })).toBe(true);
    expect(tolerates({ key: 'a', value: '' }, { key: 'a', effect: 'NoSchedule' })).toBe(true);
  });

  it('does not count a time limit for NoExecute: the pod would be thrown off again', () => {
    const taint = { key: 'a', effect: 'NoExecute' } as const;
    expect(tolerates({ operator: 'Exists', tolerationSeconds: 60 }, taint)).toBe(false);
    expect(tolerates({ operator: 'Exists' }, taint)).toBe(true);
  });

  it('finds the first taint nobody tolerates; PreferNoSchedule never counts', () => {
    const taints = [
      { key: 'p', effect: 'PreferNoSchedule' },
      { key: 'a', effect: 'NoExecute' },
      TAINT,
    ] as const;
    expect(untoleratedTaint(taints, [])).toBe(taints[1]);
    expect(untoleratedTaint(taints, [{ key: 'a', operator: 'Exists' }])).toBe(TAINT);
    expect(untoleratedTaint(taints, [{ operator: 'Exists' }])).toBeUndefined();
  });

  it('names a taint with and without value', () => {
    expect(taintMessage(TAINT)).toBe('Node is tainted (NoSchedule, dedicated = labs)');
    expect(taintMessage({ key: 'a', effect: 'NoExecute' })).toBe('Node is tainted (NoExecute, a)');
    expect(taintMessage({ key: 'a', value: '', effect: 'NoExecute' })).toBe('Node is tainted (NoExecute, a)');
  });

  it.each<[Toleration, boolean]>([
    [{ operator: 'Exists' }, true],
    [{ operator: 'Exists', value: '' }, true],
    [{ operator: 'Exists', key: 'a', value: 'b' }, false],
    [{ key: 'a', value: 'b' }, true],
    [{ key: 'a' }, true],
    [{ key: '', value: 'b' }, false],
    [{}, false],
  ])('validates %j as the API server does: %s', (toleration, valid) => {
    expect(validateToleration(toleration).ok).toBe(valid);
  });

  it('says why a toleration is refused', () => {
    expect(validateToleration({})).toMatchObject({ error: expect.stringContaining('needs a key') as string });
    expect(validateToleration({ operator: 'Exists', value: 'x' })).toMatchObject({
      error: expect.stringContaining('takes no value') as string,
    });
  });
});

describe('selectors', () => {
  it.each<[NodeSelectorRequirement, boolean]>([
    [{ key: 'pool', operator: 'In', values: ['cpu', 'gpu'] }, true],
    [{ key: 'pool', operator: 'In', values: ['cpu'] }, false],
    [{ key: 'none', operator: 'In', values: [''] }, false],
    [{ key: 'pool', operator: 'NotIn', values: ['cpu'] }, true],
    [{ key: 'pool', operator: 'NotIn', values: ['gpu'] }, false],
    [{ key: 'none', operator: 'NotIn', values: ['gpu'] }, true],
    [{ key: 'pool', operator: 'Exists' }, true],
    [{ key: 'none', operator: 'Exists' }, false],
    [{ key: 'toString', operator: 'Exists' }, false],
    [{ key: 'none', operator: 'DoesNotExist' }, true],
    [{ key: 'pool', operator: 'DoesNotExist' }, false],
    [{ key: 'cores', operator: 'Gt', values: ['63'] }, true],
    [{ key: 'cores', operator: 'Gt', values: ['64'] }, false],
    [{ key: 'cores', operator: 'Lt', values: ['+65'] }, true],
    [{ key: 'cores', operator: 'Lt', values: ['64'] }, false],
    [{ key: 'cores', operator: 'Gt', values: ['-1'] }, true],
    [{ key: 'cores', operator: 'Gt', values: ['1', '2'] }, false],
    [{ key: 'cores', operator: 'Gt' }, false],
    [{ key: 'cores', operator: 'Gt', values: ['x'] }, false],
    [{ key: 'cores', operator: 'Gt', values: ['1x'] }, false],
    [{ key: 'odd', operator: 'Gt', values: ['0'] }, false],
    [{ key: 'none', operator: 'Lt', values: ['5'] }, false],
  ])('says of %j: %s', (requirement, expected) => {
    expect(matches(requirement)).toBe(expected);
  });

  it('joins requirements by AND and terms by OR', () => {
    const gpu = { key: 'pool', operator: 'In', values: ['gpu'] } as const;
    const none = { key: 'none', operator: 'Exists' } as const;
    expect(matchesSelector(NODE, { nodeSelectorTerms: [{ matchExpressions: [gpu, none] }] })).toBe(false);
    expect(
      matchesSelector(NODE, {
        nodeSelectorTerms: [{ matchExpressions: [none] }, { matchExpressions: [gpu] }],
      }),
    ).toBe(true);
  });

  it('takes an empty term, or no term at all, as matching nothing', () => {
    expect(matchesSelector(NODE, { nodeSelectorTerms: [{}] })).toBe(false);
    expect(matchesSelector(NODE, { nodeSelectorTerms: [] })).toBe(false);
  });

  it('looks at the name through matchFields', () => {
    const named = (values: string[]) => ({
      nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In' as const, values }] }],
    });
    expect(matchesSelector(NODE, named(['node1']))).toBe(true);
    expect(matchesSelector(NODE, named(['node2']))).toBe(false);
    const both = { matchExpressions: [{ key: 'pool', operator: 'Exists' as const }] };
    const term = (name: string) => ({ ...both, ...named([name]).nodeSelectorTerms[0] });
    expect(matchesSelector(NODE, { nodeSelectorTerms: [term('node1')] })).toBe(true);
    expect(matchesSelector(NODE, { nodeSelectorTerms: [term('node2')] })).toBe(false);
  });

  it('needs every label of nodeSelector, and the terms too', () => {
    expect(matchesSelector(NODE, { nodeSelector: { pool: 'gpu', cores: '64' } })).toBe(true);
    expect(matchesSelector(NODE, { nodeSelector: { pool: 'gpu', cores: '65' } })).toBe(false);
    expect(matchesSelector(NODE, { nodeSelector: { pool: 'gpu' }, nodeSelectorTerms: [{}] })).toBe(false);
  });
});

describe('digests of a node', () => {
  it('are all that its names hold, each once', () => {
    const first = `sha256:${'1'.repeat(64)}`;
    const second = `sha256:${'2'.repeat(64)}`;
    expect(
      imageDigests([`a@${first}`, 'a:t', `b@${second}`, `c@${first}`, '<none>@<none>', 'a@sha256:']),
    ).toEqual([first, second]);
  });
});
