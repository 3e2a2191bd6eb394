/** Selections for tests: a complete spec from a few words, and the whole way to its images. */

import type { Digest } from '../../src/domain/digest.ts';
import { NO_BOUNDS } from '../../src/domain/display.ts';
import { runFold } from '../../src/domain/fold.ts';
import type { Presence } from '../../src/domain/image-collection.ts';
import type { ListedTag } from '../../src/domain/listing.ts';
import {
  compileSelection,
  planSelection,
  type Selection,
  type SelectionPlan,
} from '../../src/domain/selection.ts';
import type { RuleSpec, SelectionSpec, Selector } from '../../src/domain/selection-spec.ts';
import { concludeSelection, type SourceImages } from '../../src/domain/source-images.ts';
import type { GrammarName } from '../../src/domain/tag/grammar.ts';

export const NOW_MS = Date.UTC(2077, 10, 20);
export const IMAGE = { registry: 'r.example', repository: 'a/b' };

/** A digest that is the same for the same key. */
export function digestOf(key: number): Digest {
  return `sha256:${key.toString(16).padStart(64, '0')}`;
}

export function ruleOf(name: string, selector: Selector, limits: Partial<RuleSpec> = {}): RuleSpec {
  return { name, selector, newest: null, maxAgeMs: null, minAgeMs: null, since: NO_BOUNDS, ...limits };
}

export function newestOf(type: Extract<Selector, { kind: 'type' }>['type'], newest: number): RuleSpec {
  return ruleOf(type, { kind: 'type', type }, { newest });
}

export function specOf(
  name: GrammarName,
  rules: readonly RuleSpec[],
  changes: Partial<SelectionSpec> = {},
): SelectionSpec {
  return {
    image: IMAGE,
    grammar: { name, recommended: 'recommended', aliases: [], architectures: [] },
    cycle: null,
    include: [],
    exclude: [],
    rules,
    display: {},
    digests: 'Selected',
    allowDowngrade: false,
    ...changes,
  };
}

export function selectionOf(spec: SelectionSpec): Selection {
  const compiled = compileSelection(spec);
  if (!compiled.ok) throw new Error(`${compiled.error.field}: ${compiled.error.message}`);
  return compiled.value;
}

export function planOf(
  spec: SelectionSpec,
  tags: readonly (ListedTag | string)[],
  nowMs = NOW_MS,
): SelectionPlan {
  return runFold(planSelection(selectionOf(spec), tags, nowMs));
}

/** Names of chosen tags, in output order. */
export function chosenOf(
  spec: SelectionSpec,
  tags: readonly (ListedTag | string)[],
  nowMs = NOW_MS,
): readonly string[] {
  return [...planOf(spec, tags, nowMs).chosen.keys()];
}

export interface Surroundings {
  readonly digests?: Readonly<Record<string, Digest>>;
  readonly sizes?: Readonly<Record<string, number>>;
  readonly eligible?: readonly string[];
  readonly presence?: Presence;
}

export function sourceOf(
  spec: SelectionSpec,
  tags: readonly (ListedTag | string)[],
  { digests = {}, sizes, eligible = [], presence = new Map() }: Surroundings = {},
): SourceImages {
  const selection = selectionOf(spec);
  const plan = runFold(planSelection(selection, tags, NOW_MS));
  const facts = {
    digests: new Map(Object.entries(digests)),
    ...(sizes && { sizes: new Map(Object.entries(sizes)) }),
    eligibleNodes: new Set(eligible),
    presence,
  };
  return runFold(concludeSelection(selection, plan, facts));
}
