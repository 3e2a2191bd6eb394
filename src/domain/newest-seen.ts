/** Memory of the newest version each published field ever showed, so that an older list cannot move it back. */

import type { Grammar } from './tag/grammar.ts';
import { isPossibleAlias } from './tag/tag.ts';

/** Fields of an ImageSource's status that are guarded. */
export const GUARDED_FIELDS = ['recommended', 'latestRelease', 'latestWeekly', 'latestDaily'] as const;
export type GuardedField = (typeof GUARDED_FIELDS)[number];

/** Per field, the newest version tag it showed: for `recommended`, that of the image behind the alias. */
export type NewestSeen = Readonly<Partial<Record<GuardedField, string>>>;

/** Why a field keeps its old value. */
export interface HeldBack {
  readonly field: GuardedField;
  /** What the list would give now; null: nothing at all. */
  readonly candidate: string | null;
  readonly newestSeen: string;
}

/**
 * Whether a field must not move to `candidate`: the newest tag it showed has vanished from the list, and the
 * candidate is older or none. While the newest tag is still listed, going back was somebody's decision.
 */
export function isHeldBack(
  grammar: Grammar,
  newestSeen: string | undefined,
  candidate: string | null,
  isListed: (tag: string) => boolean,
): boolean {
  if (newestSeen === undefined || candidate === newestSeen || isListed(newestSeen)) return false;
  if (candidate === null) return true;
  const before = grammar.read(newestSeen);
  const now = grammar.read(candidate);
  return before.type === now.type && !isPossibleAlias(before) && grammar.compare(now, before) < 0;
}
