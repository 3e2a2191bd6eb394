/** A node as stocking sees it, and whether images belong there: selector, platform, condition, taints. */

import { type Digest, isValidDigest } from './digest.ts';
import { err, ok, type Result } from './result.ts';

export const TAINT_EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'] as const;
export type TaintEffect = (typeof TAINT_EFFECTS)[number];

export interface Taint {
  readonly key: string;
  readonly value?: string;
  readonly effect: TaintEffect;
}

/** As in a pod; `operator` is Equal if absent. */
export interface Toleration {
  readonly key?: string;
  readonly operator?: 'Equal' | 'Exists';
  readonly value?: string;
  readonly effect?: TaintEffect;
  readonly tolerationSeconds?: number;
}

export const SELECTOR_OPERATORS = ['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt'] as const;
export type SelectorOperator = (typeof SELECTOR_OPERATORS)[number];

export interface NodeSelectorRequirement {
  readonly key: string;
  readonly operator: SelectorOperator;
  readonly values?: readonly string[];
}

/** Requirements of one term are joined by AND, terms by OR; an empty term matches nothing, as in Kubernetes. */
export interface NodeSelectorTerm {
  readonly matchExpressions?: readonly NodeSelectorRequirement[];
  /** Only `metadata.name` exists. */
  readonly matchFields?: readonly NodeSelectorRequirement[];
}

/** One entry of node.status.images. */
export interface NodeImage {
  readonly names: readonly string[];
  readonly sizeBytes: number;
}

/** Pressures the kubelet reports; true means the condition is True. */
export interface NodeConditions {
  readonly diskPressure: boolean;
  readonly memoryPressure: boolean;
  readonly pidPressure: boolean;
}

/** Plain facts of one node; made from the API object by the kube side, or from a NodeList file. */
export interface NodeFacts {
  readonly name: string;
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
  readonly unschedulable: boolean;
  readonly ready: boolean;
  readonly conditions: NodeConditions;
  readonly os: string;
  readonly architecture: string;
  /** Allocatable ephemeral storage; undefined if the node does not tell. */
  readonly ephemeralBytes?: number;
  readonly machineId?: string;
  readonly images: readonly NodeImage[];
}

/** `spec.nodes` of an image: which nodes must have it. All parts absent: every node without taints. */
export interface NodeScope {
  readonly nodeSelector?: Readonly<Record<string, string>>;
  readonly nodeSelectorTerms?: readonly NodeSelectorTerm[];
  readonly tolerations?: readonly Toleration[];
}

/** NotSelected: the node is none of the image's business. The others: skipped, and back when the node changes. */
export const INELIGIBLE_REASONS = [
  'NotSelected',
  'Cordoned',
  'NotReady',
  'DiskPressure',
  'Tainted',
  'PlatformMismatch',
] as const;
export type IneligibleReason = (typeof INELIGIBLE_REASONS)[number];

export type Eligibility =
  | { readonly eligible: true }
  | { readonly eligible: false; readonly reason: IneligibleReason; readonly message: string };

/** The taint new nodes carry until they are stocked: tolerated by everything Larder does. */
export const NOT_STOCKED_TAINT = 'larder.dev/not-stocked';

const ELIGIBLE: Eligibility = { eligible: true };

/**
 * Whether an image with this scope belongs on the node now. Platforms are a matter of the image
 * (`platformMatches`); the first reason in the order of INELIGIBLE_REASONS is given.
 */
export function eligibility(node: NodeFacts, scope: NodeScope): Eligibility {
  if (!matchesSelector(node, scope)) return skipped('NotSelected', 'Node does not match the node selector');
  if (node.unschedulable) return skipped('Cordoned', 'Node is cordoned');
  if (!node.ready) return skipped('NotReady', 'Node is not ready');
  if (node.conditions.diskPressure) return skipped('DiskPressure', 'Node is under disk pressure');
  const taint = untoleratedTaint(node.taints, scope.tolerations ?? []);
  return taint === undefined ? ELIGIBLE : skipped('Tainted', taintMessage(taint));
}

/** The first taint that keeps pods with these tolerations off the node; PreferNoSchedule never does. */
export function untoleratedTaint(
  taints: readonly Taint[],
  tolerations: readonly Toleration[],
): Taint | undefined {
  return taints.find(
    (taint) =>
      taint.effect !== 'PreferNoSchedule' &&
      taint.key !== NOT_STOCKED_TAINT &&
      !tolerations.some((toleration) => tolerates(toleration, taint)),
  );
}

/** "Node is tainted (NoSchedule, key = value)". */
export function taintMessage({ key, value, effect }: Taint): string {
  const assigned = value === undefined || value === '' ? key : `${key} = ${value}`;
  return `Node is tainted (${effect}, ${assigned})`;
}

/** A toleration with a time limit does not count for NoExecute: the pod would be thrown off again. */
export function tolerates(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect !== undefined && toleration.effect !== taint.effect) return false;
  if (taint.effect === 'NoExecute' && toleration.tolerationSeconds !== undefined) return false;
  const { key = '' } = toleration;
  if (toleration.operator === 'Exists') return key === '' || key === taint.key;
  return key === taint.key && valueOf(toleration) === valueOf(taint);
}

/** A value that is absent is the empty one, as in Kubernetes. */
function valueOf({ value = '' }: { readonly value?: string }): string {
  return value;
}

/** The rules of the API server: Exists takes no value, Equal needs a key. */
export function validateToleration(toleration: Toleration): Result<Toleration> {
  if (toleration.operator === 'Exists') {
    const hasValue = toleration.value !== undefined && toleration.value !== '';
    return hasValue ? err('a toleration with operator Exists takes no value') : ok(toleration);
  }
  const hasKey = toleration.key !== undefined && toleration.key !== '';
  return hasKey ? ok(toleration) : err('a toleration with operator Equal needs a key');
}

/** nodeSelector and nodeSelectorTerms must both match; what is absent matches every node. */
export function matchesSelector(node: Pick<NodeFacts, 'name' | 'labels'>, scope: NodeScope): boolean {
  const labels = Object.entries(scope.nodeSelector ?? {});
  if (!labels.every(([key, value]) => node.labels[key] === value)) return false;
  return (
    scope.nodeSelectorTerms === undefined || scope.nodeSelectorTerms.some((term) => matchesTerm(node, term))
  );
}

/** Every digest among the names of one image of a node, each once, in their order. */
export function imageDigests(names: readonly string[]): readonly Digest[] {
  const digests = names.map((name) => name.slice(name.indexOf('@') + 1));
  return [...new Set(digests.filter(isValidDigest))];
}

function skipped(reason: IneligibleReason, message: string): Eligibility {
  return { eligible: false, reason, message };
}

function matchesTerm(node: Pick<NodeFacts, 'name' | 'labels'>, term: NodeSelectorTerm): boolean {
  const { matchExpressions = [], matchFields = [] } = term;
  if (matchExpressions.length + matchFields.length === 0) return false;
  const fields = { 'metadata.name': node.name };
  return (
    matchExpressions.every((requirement) => matchesRequirement(node.labels, requirement)) &&
    matchFields.every((requirement) => matchesRequirement(fields, requirement))
  );
}

function matchesRequirement(
  labels: Readonly<Record<string, string>>,
  { key, operator, values = [] }: NodeSelectorRequirement,
): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  return MATCHES[operator](value, values);
}

const MATCHES: Readonly<
  Record<SelectorOperator, (value: string | undefined, values: readonly string[]) => boolean>
> = {
  In: (value, values) => value !== undefined && values.includes(value),
  NotIn: (value, values) => value === undefined || !values.includes(value),
  Exists: (value) => value !== undefined,
  DoesNotExist: (value) => value === undefined,
  Gt: (value, values) => compareWhole(value, values, (left, right) => left > right),
  Lt: (value, values) => compareWhole(value, values, (left, right) => left < right),
};

/** Gt and Lt compare whole numbers; anything else on either side matches nothing, as in Kubernetes. */
function compareWhole(
  value: string | undefined,
  values: readonly string[],
  holds: (left: bigint, right: bigint) => boolean,
): boolean {
  const [bound, ...more] = values;
  if (value === undefined || bound === undefined || more.length > 0) return false;
  const whole = /^[+-]?[0-9]+$/;
  if (!whole.test(value) || !whole.test(bound)) return false;
  return holds(BigInt(value), BigInt(bound));
}
