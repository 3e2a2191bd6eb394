/** One tag of a repository with what is known beyond its name: digest, size, aliases, the nodes that have it. */

import type { Digest } from './digest.ts';
import { formatReference, type Repository } from './reference.ts';
import { isPossibleAlias, type Tag } from './tag/tag.ts';
import { titleCase } from './tag/title-case.ts';

/** A tag that may have been resolved: then `type`, `displayName`, `cycle`, `architecture` and `dateMs` are the alias's. */
export interface Image extends Tag, Repository {
  /** Null if nobody asked yet. */
  readonly digest: Digest | null;
  /** Bytes, compressed as in the manifest or as a node reports them; null if not known. */
  readonly size: number | null;
  /** Other tags of the same digest, sorted; never itself, never the alias target. */
  readonly aliases: readonly string[];
  /** The tag this one stands for. */
  readonly aliasTarget: string | null;
  /** Names of nodes that have this digest. */
  readonly nodes: ReadonlySet<string>;
}

export const NO_NODES: ReadonlySet<string> = new Set();
const NO_ALIASES: readonly string[] = [];

/** An image that knows of no other. */
export function makeImage(
  repository: Repository,
  tag: Tag,
  { digest = null, size = null }: { readonly digest?: Digest | null; readonly size?: number | null } = {},
): Image {
  return {
    ...tag,
    displayName: tag.displayName,
    registry: repository.registry,
    repository: repository.repository,
    digest,
    size,
    aliases: NO_ALIASES,
    aliasTarget: null,
    nodes: NO_NODES,
  };
}

/** "registry/repository:tag". */
export function imageReference({ registry, repository, tag }: Image): string {
  return formatReference({ registry, repository, tag });
}

/** "registry/repository:tag@digest", without the digest if it is not known. */
export function imageReferenceWithDigest({ registry, repository, tag, digest }: Image): string {
  return formatReference({ registry, repository, tag, ...(digest !== null && { digest }) });
}

/** Every other tag known to be this image, sorted: aliases and the alias target. */
export function allAliases({ aliases, aliasTarget }: Image): readonly string[] {
  return aliasTarget === null || aliases.includes(aliasTarget) ? aliases : [...aliases, aliasTarget].sort();
}

/** Thrown by `resolveAlias` for a tag that is a version itself: callers must ask `isPossibleAlias` first. */
export class NotAnAliasError extends Error {
  override readonly name = 'NotAnAliasError';
}

/**
 * What `alias` becomes when `target` turns out to have the same digest: it is an alias from then on, knows all names
 * of the target, takes its cycle (even to none), and its architecture and date if it has none itself.
 * The target's own `aliases` are not touched: `ImageCollection` keeps both sides in step.
 *
 * @throws NotAnAliasError
 */
export function resolveAlias(alias: Image, target: Image): Image {
  if (!isPossibleAlias(alias))
    throw new NotAnAliasError(`resolving ${alias.tag}: it is a ${alias.type} itself`);
  const architecture = alias.architecture ?? target.architecture;
  const known = new Set([...alias.aliases, ...target.aliases]);
  known.delete(alias.tag);
  known.delete(target.tag);
  return {
    ...alias,
    type: 'alias',
    displayName: aliasName(alias, target, architecture),
    cycle: target.cycle,
    architecture,
    dateMs: alias.dateMs ?? target.dateMs,
    aliases: [...known].sort(),
    aliasTarget: target.tag,
  };
}

/** "Recommended (Weekly 2077_45, SAL Cycle 0045, Build 003)": parentheses of the target become commas. */
function aliasName(alias: Image, target: Image, architecture: string | null): string {
  const base = alias.base === null || alias.base === '' ? alias.tag : alias.base;
  const flat = target.displayName.includes(' (')
    ? target.displayName.replaceAll(' (', ', ').replaceAll(')', '')
    : target.displayName;
  const suffix = architecture === null ? '' : ` [${architecture}]`;
  const inner = suffix === '' ? flat : flat.replaceAll(suffix, '');
  return `${titleCase(base.replaceAll('_', ' '))} (${inner})${suffix}`;
}
