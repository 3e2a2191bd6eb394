/** On which nodes one image is, and why not on the others: from its status and the lists of the nodes, on any replica. */

import type { ImagePlatform } from '../api/image-description.ts';
import type { NotPresent, PrepulledImage, PrepulledImageStatus } from '../api/prepulled-image.ts';
import { imageDigests, type NodeFacts } from '../domain/node.ts';
import { compareNames } from '../domain/sorted-names.ts';
import {
  countStates,
  type MissingNode,
  NODE_STATES,
  type NodeState,
  type StockCounts,
} from '../domain/stock-report.ts';
import { placement, type Want } from '../domain/want.ts';
import { findCondition } from '../kube/condition.ts';

/** Where one image stands, by its status and what nodes report. */
export interface ImageCoverage extends StockCounts {
  readonly image: PrepulledImage;
  /** Every eligible node has it, and there is one. */
  readonly prepulled: boolean;
  /** Names of eligible nodes that have it, sorted. */
  readonly on: readonly string[];
  /** Worst first, by name within; nodes that the selector leaves out are not there. */
  readonly missing: readonly MissingNode[];
}

interface Remembered {
  readonly nodes: readonly NodeFacts[];
  readonly coverage: ImageCoverage;
}

/** Objects and node lists are frozen: the same ones have the same answer. */
const remembered = new WeakMap<PrepulledImage, Remembered>();
const digestsOfNode = new WeakMap<NodeFacts, ReadonlySet<string>>();

/** `nodes` is the same array while no node has changed. */
export function imageCoverage(image: PrepulledImage, nodes: readonly NodeFacts[]): ImageCoverage {
  const known = remembered.get(image);
  if (known?.nodes === nodes) return known.coverage;
  const coverage = lookAtNodes(image, nodes);
  remembered.set(image, { nodes, coverage });
  return coverage;
}

function lookAtNodes(image: PrepulledImage, nodes: readonly NodeFacts[]): ImageCoverage {
  const scope = scopeOf(image);
  const places = nodes.map((node) => ({ node, place: placement(node, scope) }));
  const evidence = readEvidence(image, places.filter(({ place }) => place.eligible).length);
  const on: string[] = [];
  const missing: MissingNode[] = [];
  for (const { node, place } of places) {
    if (place.eligible) {
      const reason = whyNot(node, evidence);
      if (reason === undefined) on.push(node.name);
      else missing.push(reason);
    } else if (place.reason !== 'NotSelected') {
      missing.push(entry(node, 'Skipped', place.reason, place.message));
    }
  }
  const states = Map.groupBy(missing, ({ state }) => state);
  const counts = countStates((state) => (state === 'Present' ? on.length : (states.get(state)?.length ?? 0)));
  return {
    image,
    ...counts,
    prepulled: counts.eligible > 0 && on.length === counts.eligible && evidence.status.prepulled !== false,
    on: on.sort(compareNames),
    missing: missing.sort(compareMissing),
  };
}

function scopeOf({ spec, status }: PrepulledImage): Pick<Want, 'scope' | 'platforms'> {
  const platforms = status?.image?.platforms ?? [];
  return { scope: spec.nodes ?? {}, platforms: platforms.map(platformOf) };
}

function platformOf({ os, architecture, variant }: ImagePlatform): Want['platforms'][number] {
  return { os, architecture, ...(variant !== undefined && { variant }) };
}

interface Evidence {
  readonly spec: PrepulledImage['spec'];
  readonly status: PrepulledImageStatus;
  readonly digest: string | undefined;
  readonly on: ReadonlySet<string>;
  /** By node. */
  readonly notPresent: ReadonlyMap<string, NotPresent>;
  /** What a node has that is in neither list of the status. */
  readonly unlisted: 'Present' | 'Waiting' | 'Unknown';
}

function readEvidence({ metadata, spec, status = {} }: PrepulledImage, eligible: number): Evidence {
  const digest = status.image?.digest;
  // The status of another generation is about another image, or other nodes.
  const isCurrent = findCondition(status, 'Prepulled')?.observedGeneration === metadata.generation;
  if (!isCurrent) return { spec, status, digest, on: new Set(), notPresent: new Map(), unlisted: 'Waiting' };
  const { presentOn = [], notPresent = [] } = status;
  return {
    spec,
    status,
    digest,
    on: new Set(presentOn),
    notPresent: new Map(notPresent.map((told) => [told.node, told])),
    unlisted: unlistedState(status, eligible),
  };
}

/** Lists are cut: if the one of nodes that have it is, and the other is not, whoever is in neither has it. */
function unlistedState(status: PrepulledImageStatus, eligible: number): Evidence['unlisted'] {
  const { nodes, presentOn = [], truncated = false } = status;
  if (nodes === undefined || nodes.present === presentOn.length) return 'Waiting';
  // With more nodes than were counted, some are new, and it cannot be told which.
  return truncated || eligible > nodes.eligible ? 'Unknown' : 'Present';
}

/** Undefined if the node has it. */
function whyNot(node: NodeFacts, evidence: Evidence): MissingNode | undefined {
  const told = evidence.notPresent.get(node.name);
  if (told !== undefined) return toldEntry(told);
  if (isProven(node, evidence)) return undefined;
  if (evidence.spec.suspend) return entry(node, 'Waiting', 'Suspended', 'The PrepulledImage is suspended');
  if (evidence.digest === undefined)
    return entry(node, 'Waiting', 'NotResolved', 'The digest of the image is not known yet');
  return evidence.unlisted === 'Unknown'
    ? entry(node, 'Unknown', 'Truncated', 'The status lists other nodes first')
    : entry(node, 'Waiting', 'Queued', 'The turn of this image on the node has not come');
}

function isProven(node: NodeFacts, { spec, digest, on, unlisted }: Evidence): boolean {
  if (on.has(node.name) || unlisted === 'Present') return true;
  // A pull by tag needs more than the content.
  return spec.pull.by === 'Digest' && digest !== undefined && digestsOf(node).has(digest);
}

function digestsOf(node: NodeFacts): ReadonlySet<string> {
  const known = digestsOfNode.get(node);
  if (known !== undefined) return known;
  const digests = new Set<string>(node.images.flatMap(({ names }) => imageDigests(names)));
  digestsOfNode.set(node, digests);
  return digests;
}

function toldEntry(told: NotPresent): MissingNode {
  const { node, state, reason, message = '', attempts = 0, lastAttempt } = told;
  const entered = { node, state, reason, message, attempts };
  return lastAttempt === undefined ? entered : { ...entered, lastAttempt: Date.parse(lastAttempt) };
}

function entry({ name }: NodeFacts, state: NodeState, reason: string, message: string): MissingNode {
  return { node: name, state, reason, message, attempts: 0 };
}

const RANK = new Map<NodeState, number>(NODE_STATES.map((state, index) => [state, index]));

function compareMissing(left: MissingNode, right: MissingNode): number {
  const byState = (RANK.get(left.state) ?? 0) - (RANK.get(right.state) ?? 0);
  return byState === 0 ? compareNames(left.node, right.node) : byState;
}
