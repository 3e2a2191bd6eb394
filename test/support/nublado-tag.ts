/** Our tags and images in the words of the Nublado case file. */

import { allAliases, type Image } from '../../src/domain/image.ts';
import { type Integer, integerToJson } from '../../src/domain/integer.ts';
import { createGrammar, type Grammar } from '../../src/domain/tag/grammar.ts';
import {
  formatDate,
  formatTagVersion,
  isPossibleAlias,
  type Tag,
  type TagType,
} from '../../src/domain/tag/tag.ts';

export const TYPE_NAMES: Readonly<Record<TagType, string>> = {
  alias: 'Alias',
  release: 'Release',
  weekly: 'Weekly',
  daily: 'Daily',
  releaseCandidate: 'Release Candidate',
  experimental: 'Experimental',
  unknown: 'Unknown',
};

export function rspGrammar(aliases: readonly string[] = [], recommended = ''): Grammar {
  return createGrammar({ name: 'RSP', recommended, aliases, architectures: [] });
}

function json(value: Integer | null): number | string | null {
  return value === null ? null : integerToJson(value);
}

/** As in the groups tags and aliasTags. */
export function tagFields(tag: Tag): Readonly<Record<string, unknown>> {
  return {
    tag: tag.tag,
    image_type: TYPE_NAMES[tag.type],
    display_name: tag.displayName,
    base: tag.base,
    version: formatTagVersion(tag),
    semantic: tag.semantic,
    cycle: json(tag.cycle),
    cycle_build: json(tag.cycleBuild),
    rsp_build: json(tag.rspBuild),
    architecture: tag.architecture,
    extra: tag.extra,
    date: formatDate(tag.dateMs),
    is_possible_alias: isPossibleAlias(tag),
  };
}

/** As in the groups resolve and collections: nulls left out. */
export function imageFields(image: Image): Readonly<Record<string, unknown>> {
  const fields = {
    tag: image.tag,
    type: TYPE_NAMES[image.type],
    name: image.displayName,
    aliases: allAliases(image),
    aliasTarget: image.aliasTarget,
    cycle: json(image.cycle),
    architecture: image.architecture,
    date: formatDate(image.dateMs),
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}
