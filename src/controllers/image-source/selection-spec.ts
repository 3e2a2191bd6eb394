/** From the spec of an ImageSource, as the API server returns it, to the selection the domain understands. */

import type { ImageSourceSpec } from '../../api/image-source.ts';
import type { DisplayPolicy as DisplaySpec, SelectRule, Since } from '../../api/tag-rules.ts';
import { defaultRules } from '../../domain/default-rules.ts';
import { type Bounds, type DisplayPolicy, type DisplayRule, NO_BOUNDS } from '../../domain/display.ts';
import { parseDuration } from '../../domain/duration.ts';
import { parseRepository } from '../../domain/reference.ts';
import type { RuleSpec, SelectionSpec, Selector } from '../../domain/selection-spec.ts';
import { readLooseVersion } from '../../domain/tag/version.ts';

/**
 * The only place where optional fields of the spec get their meaning. The schema has already refused what is
 * malformed, except patterns and ranges: `compileSelection` says what is wrong with those.
 *
 * @throws InvalidReferenceError, InvalidDurationError only for objects the schema would refuse
 */
export function toSelectionSpec(spec: ImageSourceSpec): SelectionSpec {
  const { tags } = spec;
  return {
    image: parseRepository(spec.image),
    grammar: {
      name: tags.grammar,
      recommended: tags.recommended,
      aliases: tags.aliases ?? [],
      architectures: tags.architectures ?? [],
    },
    cycle: tags.cycle ?? null,
    include: tags.include ?? [],
    exclude: tags.exclude,
    rules: spec.select === undefined ? defaultRules(tags.grammar) : spec.select.map(toRule),
    display: toDisplay(spec.display),
    digests: spec.digests,
    allowDowngrade: spec.allowDowngrade,
  };
}

function toRule(rule: SelectRule): RuleSpec {
  return {
    name: rule.name,
    selector: toSelector(rule),
    newest: rule.newest ?? null,
    maxAgeMs: durationOrNull(rule.maxAge),
    minAgeMs: durationOrNull(rule.minAge),
    since: toBounds(rule.since),
  };
}

/** Exactly one of the four is given. */
function toSelector({ type, semver, pattern, tags = [], ...options }: SelectRule): Selector {
  if (type !== undefined) return { kind: 'type', type };
  if (semver !== undefined) return rangeSelector(semver, options);
  if (pattern !== undefined) return { kind: 'pattern', pattern, orderBy: options.orderBy ?? null };
  return { kind: 'tags', tags };
}

function rangeSelector(
  range: string,
  { dialect = 'npm', prereleases = false, variant }: Pick<SelectRule, 'dialect' | 'prereleases' | 'variant'>,
): Selector {
  return { kind: 'semver', range, dialect, prereleases, variant: variant ?? null };
}

function toDisplay(display: DisplaySpec = {}): DisplayPolicy {
  const rules = Object.entries(display).map(([type, shown]) => [type, toDisplayRule(shown)] as const);
  return Object.fromEntries(rules);
}

function toDisplayRule({ number, maxAge, since }: NonNullable<DisplaySpec['release']>): DisplayRule {
  return { number: number ?? null, maxAgeMs: durationOrNull(maxAge), since: toBounds(since) };
}

function toBounds(since: Since | undefined): Bounds {
  if (since === undefined) return NO_BOUNDS;
  return {
    dateMs: since.date === undefined ? null : Date.parse(since.date),
    version: since.version === undefined ? null : (readLooseVersion(since.version) ?? null),
    build: since.build ?? null,
  };
}

function durationOrNull(text: string | undefined): number | null {
  return text === undefined ? null : parseDuration(text);
}
