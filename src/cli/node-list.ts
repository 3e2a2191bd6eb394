/** A NodeList as `kubectl get nodes -o json` prints it, from a file. */

import { nodeFacts } from '../controllers/node.ts';
import type { NodeFacts } from '../domain/node.ts';
import { badInput, parseInput } from './io.ts';

type RawNode = Parameters<typeof nodeFacts>[0];
type Condition = NonNullable<NonNullable<RawNode['status']>['conditions']>[number];

/** Also takes one Node, or an array of them. */
export function readNodeList(text: string): readonly NodeFacts[] {
  return nodesOf(parseInput('nodes', text)).map((node, index) => {
    if (!isNode(node)) throw badInput('nodes', `item ${index} is no Node: it has no metadata.name`);
    return nodeFacts(withReady(node));
  });
}

function nodesOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  if (typeof value !== 'object' || value === null) throw badInput('nodes', 'not a NodeList');
  return 'items' in value && Array.isArray(value.items) ? value.items : [value];
}

function isNode(value: unknown): value is RawNode {
  if (typeof value !== 'object' || value === null || !('metadata' in value)) return false;
  const { metadata } = value;
  return (
    typeof metadata === 'object' &&
    metadata !== null &&
    'name' in metadata &&
    typeof metadata.name === 'string'
  );
}

/** A list cut down to what matters may not tell readiness: then the node counts as ready. */
function withReady(node: RawNode): RawNode {
  const conditions: readonly Condition[] = node.status?.conditions ?? [];
  if (conditions.some(({ type }) => type === 'Ready')) return node;
  return {
    ...node,
    status: { ...node.status, conditions: [...conditions, { type: 'Ready', status: 'True' }] },
  };
}
