/** The filter policy of menus: what of each type is shown (facts of the original: nothing means no limit). */

import { TAG_TYPES, type Tag, type TagType } from './tag/tag.ts';
import { compareVersionsNaturally, type Version } from './tag/version.ts';

/** Lower bounds; null: none. A tag that does not tell its date, version or build is never cut by that bound. */
export interface Bounds {
  readonly dateMs: number | null;
  /** Only semantic versions are compared: a weekly's 2077.45.0 is none. */
  readonly version: Version | null;
  /** RSP build; 0 is no bound, and a build 0 is never cut. */
  readonly build: number | null;
}

export const NO_BOUNDS: Bounds = { dateMs: null, version: null, build: null };

/** What is shown of one type. */
export interface DisplayRule {
  /** At most this many, newest first; null or 0: all. */
  readonly number: number | null;
  /** Null or 0: no limit. */
  readonly maxAgeMs: number | null;
  readonly since: Bounds;
}

/** Aliases and unknown tags are always shown. */
export type DisplayPolicy = Readonly<Partial<Record<TagType, DisplayRule>>>;

/** Splits tags in output order by a policy. Architecture tags are hidden unless `architectures`. */
export function* displayed<T extends Tag>(
  tags: Iterable<T>,
  policy: DisplayPolicy,
  nowMs: number,
  architectures = false,
): Generator<T> {
  const shown = new Map<TagType, number>();
  const rules = new Map(TAG_TYPES.map((type) => [type, ruleFor(policy, type)]));
  for (const tag of tags) {
    if (!architectures && tag.architecture !== null) continue;
    const rule = rules.get(tag.type);
    const count = shown.get(tag.type) ?? 0;
    if (rule !== undefined && !isShown(tag, rule, { count, nowMs })) continue;
    shown.set(tag.type, count + 1);
    yield tag;
  }
}

/** Which bound a tag is below, if any; undefined: none. */
export function boundBelow(
  tag: Pick<Tag, 'dateMs' | 'rspBuild' | 'semantic' | 'version'>,
  bounds: Bounds,
): 'date' | 'version' | 'build' | undefined {
  if (bounds.build !== null && tag.rspBuild !== null && tag.rspBuild !== 0 && tag.rspBuild < bounds.build)
    return 'build';
  if (bounds.dateMs !== null && tag.dateMs !== null && tag.dateMs < bounds.dateMs) return 'date';
  return isVersionBelow(tag, bounds.version) ? 'version' : undefined;
}

function isVersionBelow(tag: Pick<Tag, 'semantic' | 'version'>, bound: Version | null): boolean {
  if (bound === null || !tag.semantic || tag.version === null) return false;
  return compareVersionsNaturally(tag.version, bound) < 0;
}

function isShown(
  tag: Tag,
  rule: DisplayRule,
  { count, nowMs }: { readonly count: number; readonly nowMs: number },
): boolean {
  if (rule.number !== null && rule.number > 0 && count >= rule.number) return false;
  const age =
    rule.maxAgeMs === null || rule.maxAgeMs === 0 ? Number.NEGATIVE_INFINITY : nowMs - rule.maxAgeMs;
  const dateMs = Math.max(age, rule.since.dateMs ?? Number.NEGATIVE_INFINITY);
  return boundBelow(tag, { ...rule.since, dateMs }) === undefined;
}

function ruleFor(policy: DisplayPolicy, type: TagType): DisplayRule | undefined {
  return type === 'alias' || type === 'unknown' ? undefined : policy[type];
}
