/** Who refers to a record: what counts as a reference, in which order they are told, and how people read them. */

import { formatReference, type Reference, validateReference, withRuntimeDefaults } from './reference.ts';
import { compareNames } from './sorted-names.ts';

/** An object that refers to a record. */
export interface Holder {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid?: string | undefined;
  /** Where it names the record, such as spec.recordRef. */
  readonly fieldPath?: string | undefined;
}

/** As many as a message names. */
const MAX_NAMED = 3;

/** Sorted by kind, namespace and name, each object once: the same holders always read the same. */
export function sortHolders<T extends Holder>(holders: readonly T[]): readonly T[] {
  const unique = new Map<string, T>();
  for (const holder of holders) {
    const key = JSON.stringify([holder.kind, holder.namespace, holder.name, holder.apiVersion]);
    if (!unique.has(key)) unique.set(key, holder);
  }
  return [...unique].sort(([left], [right]) => compareNames(left, right)).map(([, holder]) => holder);
}

/** `PrepulledImage ml/yolo-gpu, Pod ml/train-7f (and 3 more)`; empty if there are none. */
export function describeHolders(holders: readonly Holder[]): string {
  const named = holders
    .slice(0, MAX_NAMED)
    .map(({ kind, namespace, name }) => `${kind} ${namespace}/${name}`);
  const more = holders.length - named.length;
  return `${named.join(', ')}${more > 0 ? ` (and ${more} more)` : ''}`;
}

/** What a record's image is called: by tag, by digest, and by both, in canonical form. */
export function imageNames(image: Reference): ReadonlySet<string> {
  const { tag, digest, ...repository } = withRuntimeDefaults(image);
  const forms: readonly Reference[] = [
    ...(tag === undefined ? [] : [{ ...repository, tag }]),
    ...(digest === undefined ? [] : [{ ...repository, digest }]),
    ...(tag === undefined || digest === undefined ? [] : [{ ...repository, tag, digest }]),
  ];
  return new Set(forms.map(formatReference));
}

/** The canonical form of what a pod calls its image; without tag and digest it means `latest`. Undefined if it is none. */
export function canonicalImage(text: string): string | undefined {
  const parsed = validateReference(text);
  if (!parsed.ok) return undefined;
  const reference = withRuntimeDefaults(parsed.value);
  const isBare = reference.tag === undefined && reference.digest === undefined;
  return formatReference(isBare ? { ...reference, tag: 'latest' } : reference);
}

/**
 * Whether an object that names a record that is being deleted came too late: then it does not hold the record. Made in
 * the same second counts as before, so that no holder is ever missed.
 */
export function cameTooLate(
  holder: { readonly creationTimestamp?: string | undefined },
  record: { readonly deletionTimestamp?: string | undefined },
): boolean {
  const { deletionTimestamp } = record;
  return deletionTimestamp !== undefined && (holder.creationTimestamp ?? '') > deletionTimestamp;
}
