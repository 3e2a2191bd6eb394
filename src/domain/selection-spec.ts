/** What an ImageSource selects, complete: nothing optional, durations in milliseconds, no defaults left to apply. */

import type { Bounds, DisplayPolicy } from './display.ts';
import type { Integer } from './integer.ts';
import type { Dialect } from './range/range.ts';
import type { Repository } from './reference.ts';
import type { GrammarOptions } from './tag/grammar.ts';
import type { TagType } from './tag/tag.ts';

/** Which tags' digests are asked for: of selected tags; also of known aliases; of every displayed tag. */
export const DIGEST_SCOPES = ['Selected', 'Named', 'All'] as const;
export type DigestScope = (typeof DIGEST_SCOPES)[number];

/** How captured texts are compared; larger is newer. */
export const CAPTURE_ORDERS = ['Numerical', 'Alphabetical', 'SemVer', 'CalVer'] as const;
export type CaptureOrder = (typeof CAPTURE_ORDERS)[number];

export type Selector =
  | { readonly kind: 'type'; readonly type: TagType }
  | {
      readonly kind: 'semver';
      readonly range: string;
      readonly dialect: Dialect;
      readonly prereleases: boolean;
      /** Null: tags without variant. */
      readonly variant: string | null;
    }
  | {
      readonly kind: 'pattern';
      readonly pattern: string;
      /** Null: by the text of the whole tag. */
      readonly orderBy: { readonly capture: string; readonly as: CaptureOrder } | null;
    }
  | { readonly kind: 'tags'; readonly tags: readonly string[] };

/** One rule; an image is selected if any rule keeps it. */
export interface RuleSpec {
  readonly name: string;
  readonly selector: Selector;
  /** At most this many, newest first; null: all that match. */
  readonly newest: number | null;
  readonly maxAgeMs: number | null;
  readonly minAgeMs: number | null;
  readonly since: Bounds;
}

export interface SelectionSpec {
  readonly image: Repository;
  readonly grammar: GrammarOptions;
  /** RSP: only this cycle exists. */
  readonly cycle: Integer | null;
  /** RE2; empty: every tag. */
  readonly include: readonly string[];
  /** RE2. */
  readonly exclude: readonly string[];
  /** In order of priority. */
  readonly rules: readonly RuleSpec[];
  readonly display: DisplayPolicy;
  readonly digests: DigestScope;
  readonly allowDowngrade: boolean;
}

/** Name of the implicit rule that keeps the recommended tag. */
export const RECOMMENDED_RULE = 'recommended';
