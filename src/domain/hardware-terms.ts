/** The hardware limits of an image as node selector terms, so that a PrepulledImage says itself which nodes fit. */

import { parseDotted } from './dotted-version.ts';
import { GPU_LABELS, type HardwareNeeds } from './hardware.ts';
import type { NodeSelectorRequirement, NodeSelectorTerm } from './node.ts';
import { err, ok, type Result } from './result.ts';

/** As many as the schema of spec.nodes takes. */
export const MAX_TERMS = 32;
/** As many as the schema takes in one term. */
export const MAX_EXPRESSIONS = 16;

type Requirements = readonly NodeSelectorRequirement[];

/**
 * Terms that hold for exactly the nodes that `gpuFit` finds eligible by their labels, joined with the terms of the
 * person who wrote the record; undefined if neither limits anything. The error says which limit of the schema the
 * combination breaks.
 */
export function limitTerms(
  needs: HardwareNeeds,
  given: readonly NodeSelectorTerm[] | undefined,
): Result<readonly NodeSelectorTerm[] | undefined> {
  if (needs.cpu) return ok(given);
  const hardware = hardwareAlternatives(needs).map((matchExpressions) => ({ matchExpressions }));
  const terms =
    given === undefined ? hardware : given.flatMap((term) => hardware.map((each) => both(term, each)));
  if (terms.length > MAX_TERMS) return err(`${terms.length} node selector terms are more than ${MAX_TERMS}`);
  const longest = Math.max(0, ...terms.map(({ matchExpressions }) => matchExpressions?.length ?? 0));
  return longest > MAX_EXPRESSIONS
    ? err(`a term with ${longest} expressions is more than ${MAX_EXPRESSIONS}`)
    : ok(terms);
}

function both(left: NodeSelectorTerm, right: NodeSelectorTerm): NodeSelectorTerm {
  // An empty term matches no node, and must not begin to match some.
  if ((left.matchExpressions?.length ?? 0) + (left.matchFields?.length ?? 0) === 0) return left;
  return { ...left, matchExpressions: [...(left.matchExpressions ?? []), ...(right.matchExpressions ?? [])] };
}

function hardwareAlternatives({ cuda, minDriver, minCompute }: HardwareNeeds): readonly Requirements[] {
  return product([
    atLeast(GPU_LABELS.cuda, cuda),
    atLeast(GPU_LABELS.driver, minDriver),
    atLeast(GPU_LABELS.compute, minCompute),
  ]);
}

/** Every way to take one alternative of each factor. */
function product(factors: readonly (readonly Requirements[])[]): readonly Requirements[] {
  return factors.reduce<readonly Requirements[]>(
    (combined, factor) => combined.flatMap((left) => factor.map((right) => [...left, ...right])),
    [[]],
  );
}

/**
 * Alternatives for "the version in these labels is at least `version`": higher in the first number, or equal there
 * and higher in the second, and so on; the last number may be equal, unless `version` goes on where no label does.
 * Without a version the first label must be a number.
 */
function atLeast(labels: readonly string[], version: string | undefined): readonly Requirements[] {
  const needed = parseDotted(version ?? '') ?? [];
  const numbers = needed.slice(0, labels.length);
  if (numbers.length === 0) return [[above(labels[0] ?? '', -1)]];
  const mayEqual = needed.length <= labels.length;
  return numbers.map((number, index) => {
    const equal = numbers.slice(0, index).flatMap((same, place) => equals(labels[place] ?? '', same));
    const isLast = index === numbers.length - 1;
    return [...equal, above(labels[index] ?? '', isLast && mayEqual ? number - 1 : number)];
  });
}

function above(key: string, number: number): NodeSelectorRequirement {
  return { key, operator: 'Gt', values: [String(number)] };
}

/** As numbers: a label may say 05. */
function equals(key: string, number: number): Requirements {
  return [above(key, number - 1), { key, operator: 'Lt', values: [String(number + 1)] }];
}
