/** Nodes of a cluster by what hardware fitting asks for: a few classes stand for thousands of nodes. */

import {
  GPU_LABELS,
  HARDWARE_REASONS,
  type HardwareNeeds,
  type HardwareReason,
  hardwareFit,
} from './hardware.ts';
import type { NodeFacts } from './node.ts';
import type { Platform } from './platform.ts';

type Hardware = Pick<NodeFacts, 'labels' | 'os' | 'architecture'>;

/** Nodes that no image can tell apart. */
export interface HardwareClass {
  readonly hardware: Hardware;
  /** Of the nodes, sorted. */
  readonly names: readonly string[];
}

/** What one image finds. */
export interface Eligibility {
  readonly total: number;
  readonly eligible: number;
  /** The first of the eligible nodes, sorted. */
  readonly names: readonly string[];
  /** Why the others do not fit, in the order in which hardware is judged. */
  readonly reasons: readonly { readonly reason: HardwareReason; readonly count: number }[];
}

const RELEVANT_LABELS: readonly string[] = Object.values(GPU_LABELS).flat();

/** As many names as a status shows. */
const MAX_NAMES = 16;

/** Equal for two nodes if and only if every image fits both or neither. */
export function hardwareKey({ labels, os, architecture }: Hardware): string {
  return JSON.stringify([os, architecture, ...RELEVANT_LABELS.map((label) => labels[label] ?? null)]);
}

export function takeCensus(nodes: Iterable<NodeFacts>): readonly HardwareClass[] {
  const classes = new Map<string, { hardware: Hardware; names: string[] }>();
  for (const node of nodes) {
    const key = hardwareKey(node);
    const known = classes.get(key);
    if (known === undefined) classes.set(key, { hardware: node, names: [node.name] });
    else known.names.push(node.name);
  }
  for (const { names } of classes.values()) names.sort();
  return [...classes.values()];
}

/** `platforms` are those of the image; undefined if nobody knows them, and then every node has one. */
export function countEligible(
  census: readonly HardwareClass[],
  needs: HardwareNeeds,
  platforms: readonly Platform[] | undefined,
): Eligibility {
  const counts = new Map<HardwareReason, number>();
  const fitting: HardwareClass[] = [];
  for (const each of census) {
    const reason = misfit(each.hardware, needs, platforms);
    if (reason === undefined) fitting.push(each);
    else counts.set(reason, (counts.get(reason) ?? 0) + each.names.length);
  }
  return {
    total: sum(census),
    eligible: sum(fitting),
    names: fitting
      .flatMap(({ names }) => names.slice(0, MAX_NAMES))
      .sort()
      .slice(0, MAX_NAMES),
    reasons: HARDWARE_REASONS.flatMap((reason) => {
      const count = counts.get(reason);
      return count === undefined ? [] : [{ reason, count }];
    }),
  };
}

function misfit(
  hardware: Hardware,
  needs: HardwareNeeds,
  platforms: readonly Platform[] | undefined,
): HardwareReason | undefined {
  if (platforms?.length === 0) return 'ArchitectureMismatch';
  const fit = hardwareFit(hardware, needs, platforms ?? []);
  return fit.eligible ? undefined : fit.reason;
}

function sum(classes: readonly HardwareClass[]): number {
  return classes.reduce((total, { names }) => total + names.length, 0);
}
