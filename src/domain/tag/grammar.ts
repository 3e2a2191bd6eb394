/** One factory for all tag grammars: how a tag becomes type, version, date and name, and which of two is newer. */

import { readCalVer } from './calver.ts';
import { compareDocker, rankDocker, readDocker, tieRankDocker } from './docker.ts';
import { comparePlain, readNamed, readPlain } from './plain.ts';
import { compareRsp, createRspReader, rankRsp, type TagReader, tieRankRsp } from './rsp.ts';
import { compareSemVer, rankSemVer, readSemVer, tieRankName, tieRankSemVer } from './semver.ts';
import { type CompareTags, isPossibleAlias, listingOrder, type Tag } from './tag.ts';

export const GRAMMAR_NAMES = ['RSP', 'SemVer', 'Docker', 'CalVer', 'Plain'] as const;
export type GrammarName = (typeof GRAMMAR_NAMES)[number];

/** `spec.tags` of an ImageSource, normalised: nothing is optional. */
export interface GrammarOptions {
  readonly name: GrammarName;
  /** Tag of the recommended image; on the alias list as well. Empty: none. */
  readonly recommended: string;
  /** Tags known to be aliases. */
  readonly aliases: readonly string[];
  /** RSP: endings that count as architecture; empty: any. */
  readonly architectures: readonly string[];
}

/** A grammar bound to one source's options. Reading never fails: what fits no form is `unknown`. */
export interface Grammar {
  readonly name: GrammarName;
  /** Reads a tag; one on the alias list that would be unknown is an alias. */
  readonly read: (tag: string) => Tag;
  /** Reads a tag as a known alias, whatever it looks like. */
  readonly readAlias: (tag: string) => Tag;
  /** Age of two tags of one type: negative if the first is older. */
  readonly compare: CompareTags;
  /** Coarse age for sorting: if the first is older, its rank is not higher. */
  readonly rank: (tag: Tag) => number;
  /** The same for tags of one type and one rank. */
  readonly tieRank: (tag: Tag) => number;
  /** Order of listings: types in fixed order, newest first. */
  readonly order: CompareTags;
}

/** How a grammar orders the tags of one type. */
type Ordering = Pick<Grammar, 'compare' | 'rank' | 'tieRank'>;

const ORDERINGS: Readonly<Record<GrammarName, Ordering>> = {
  RSP: { compare: compareRsp, rank: rankRsp, tieRank: tieRankRsp },
  SemVer: { compare: compareSemVer, rank: rankSemVer, tieRank: tieRankSemVer },
  Docker: { compare: compareDocker, rank: rankDocker, tieRank: tieRankDocker },
  CalVer: { compare: compareSemVer, rank: rankSemVer, tieRank: tieRankName },
  // Names only.
  Plain: { compare: comparePlain, rank: rankSemVer, tieRank: tieRankName },
};

export function isGrammarName(text: string): text is GrammarName {
  return (GRAMMAR_NAMES as readonly string[]).includes(text);
}

export function createGrammar(options: GrammarOptions): Grammar {
  const reader = createReader(options);
  const aliases = new Set(
    options.recommended === '' ? options.aliases : [options.recommended, ...options.aliases],
  );
  const ordering = ORDERINGS[options.name];
  return {
    name: options.name,
    read(tag) {
      const read = reader.read(tag);
      return isPossibleAlias(read) && aliases.has(tag) ? reader.readAlias(tag) : read;
    },
    readAlias: (tag) => reader.readAlias(tag),
    ...ordering,
    order: listingOrder(ordering.compare),
  };
}

function createReader({ name, architectures }: GrammarOptions): TagReader {
  const readAlias = (tag: string): Tag => readNamed(tag, 'alias');
  switch (name) {
    case 'RSP':
      return createRspReader(architectures);
    case 'SemVer':
      return { read: readSemVer, readAlias };
    case 'Docker':
      return { read: readDocker, readAlias };
    case 'CalVer':
      return { read: readCalVer, readAlias };
    case 'Plain':
      return { read: readPlain, readAlias };
  }
}
