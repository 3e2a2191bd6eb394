/** A spawnerImages case as an ImageSource of ours: the same registry, nodes and configuration. */

import type { Digest } from '../../src/domain/digest.ts';
import { type DisplayPolicy, type DisplayRule, NO_BOUNDS } from '../../src/domain/display.ts';
import { runFold } from '../../src/domain/fold.ts';
import { eligibleNodes, presenceOf } from '../../src/domain/image-source.ts';
import type { ListedTag } from '../../src/domain/listing.ts';
import type { NodeFacts, Taint, Toleration } from '../../src/domain/node.ts';
import { compileSelection, planSelection } from '../../src/domain/selection.ts';
import type { RuleSpec, SelectionSpec, Selector } from '../../src/domain/selection-spec.ts';
import { concludeSelection, type SourceImages } from '../../src/domain/source-images.ts';
import type { TagType } from '../../src/domain/tag/tag.ts';
import { readLooseVersion } from '../../src/domain/tag/version.ts';
import { nodeFacts } from './stock-builders.ts';

export interface PrepullerConfig {
  readonly recommendedTag: string;
  readonly numReleases: number;
  readonly numWeeklies: number;
  readonly numDailies: number;
  readonly pin?: readonly string[];
  readonly aliasTags?: readonly string[];
  readonly cycle?: number;
}

export interface FilterRow {
  readonly number?: number;
  readonly age?: number | string;
  readonly cutoffBuild?: number;
  readonly cutoffDate?: string;
  readonly cutoffVersion?: string;
}

export interface ServiceCase {
  readonly id: string;
  readonly source: Readonly<Record<string, string>>;
  readonly registry: readonly {
    readonly tag?: string;
    readonly digest?: Digest;
    readonly uri?: string;
    readonly tags?: readonly string[];
    readonly sizeBytes?: number;
  }[];
  readonly config: PrepullerConfig;
  readonly nodes: readonly {
    readonly name: string;
    readonly taints: readonly Taint[];
    readonly images: readonly { readonly names: readonly string[] | null; readonly sizeBytes: number }[];
  }[];
  readonly tolerations: readonly Toleration[];
  readonly dropdownFilter: Readonly<Record<string, FilterRow>>;
  readonly now: string;
}

const UNIT_SECONDS: Readonly<Record<string, number>> = { w: 604_800, d: 86_400, h: 3600, m: 60, s: 1 };

/** Nublado's own age syntax ("5w4d", seconds), which is not ours: read here, for the cases only. */
export function ageMs(age: number | string | undefined): number | null {
  if (age === undefined) return null;
  if (typeof age === 'number' || /^-?[0-9.]+$/.test(age)) return Number(age) * 1000;
  const parts = age.matchAll(/([0-9]+)\s*([wdhms])[a-z]*/g);
  return (
    [...parts].reduce((sum, [, amount, unit = 's']) => sum + Number(amount) * (UNIT_SECONDS[unit] ?? 0), 0) *
    1000
  );
}

/** A date without a zone is UTC. */
function dateMs(text: string): number {
  return Date.parse(/Z$|[+-]\d\d:?\d\d$/.test(text) || !text.includes('T') ? text : `${text}Z`);
}

export function displayPolicy(filter: Readonly<Record<string, FilterRow>>): DisplayPolicy {
  const rules = Object.entries(filter).map(([type, row]): readonly [string, DisplayRule] => [
    type,
    {
      number: row.number ?? null,
      maxAgeMs: ageMs(row.age),
      since: {
        dateMs: row.cutoffDate === undefined ? null : dateMs(row.cutoffDate),
        version: row.cutoffVersion === undefined ? null : (readLooseVersion(row.cutoffVersion) ?? null),
        build: row.cutoffBuild ?? null,
      },
    },
  ]);
  return Object.fromEntries(rules);
}

function rule(name: string, selector: Selector, newest: number | null): RuleSpec {
  return { name, selector, newest, maxAgeMs: null, minAgeMs: null, since: NO_BOUNDS };
}

function newest(type: TagType, count: number): readonly RuleSpec[] {
  return count === 0 ? [] : [rule(type, { kind: 'type', type }, count)];
}

export function selectionSpec(row: ServiceCase): SelectionSpec {
  const { source, config } = row;
  const isGoogle = source['type'] === 'google';
  const image = isGoogle
    ? {
        registry: `${source['location'] ?? ''}-docker.pkg.dev`,
        repository: [source['projectId'], source['repository'], source['image']].join('/'),
      }
    : { registry: source['registry'] ?? '', repository: source['repository'] ?? '' };
  const pins = config.pin ?? [];
  return {
    image,
    grammar: {
      name: 'RSP',
      recommended: config.recommendedTag,
      aliases: config.aliasTags ?? [],
      architectures: [],
    },
    cycle: config.cycle ?? null,
    include: [],
    exclude: [],
    rules: [
      ...newest('release', config.numReleases),
      ...newest('weekly', config.numWeeklies),
      ...newest('daily', config.numDailies),
      ...(pins.length === 0 ? [] : [rule('pinned', { kind: 'tags', tags: pins }, null)]),
    ],
    display: displayPolicy(row.dropdownFilter),
    digests: isGoogle ? 'All' : 'Selected',
    allowDowngrade: true,
  };
}

/** Registry listing of a case: Google's by image, a plain one by tag. */
export function listing(row: ServiceCase, image: SelectionSpec['image']): readonly ListedTag[] {
  const prefix = `${image.registry}/${image.repository}@`;
  return row.registry.flatMap(({ tag, digest, uri = '', tags = [], sizeBytes }): readonly ListedTag[] => {
    if (tag !== undefined) return [{ tag, ...(digest !== undefined && { digest }) }];
    if (!uri.startsWith(prefix)) return [];
    const found = uri.slice(prefix.length) as Digest;
    return tags.map((name) => ({
      tag: name,
      digest: found,
      ...(sizeBytes !== undefined && { size: sizeBytes }),
    }));
  });
}

export function nodeOf({ name, taints, images }: ServiceCase['nodes'][number]): NodeFacts {
  return nodeFacts(name, {
    taints,
    images: images.map(({ names, sizeBytes }) => ({ names: names ?? [], sizeBytes })),
  });
}

/** The whole service: plan, digests of the planned tags, conclusion. */
export function runService(row: ServiceCase): SourceImages {
  const spec = selectionSpec(row);
  const selection = compileSelection(spec);
  if (!selection.ok) throw new Error(selection.error.message);
  const nowMs = Date.parse(row.now);
  const plan = runFold(planSelection(selection.value, listing(row, spec.image), nowMs));
  const nodes = row.nodes.map(nodeOf);
  const facts = {
    digests: new Map<string, Digest>(),
    eligibleNodes: eligibleNodes(nodes, { tolerations: row.tolerations }),
    presence: presenceOf(nodes),
  };
  return runFold(concludeSelection(selection.value, plan, facts));
}
