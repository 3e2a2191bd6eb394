/** Stage two of a selection: digests, aliases and nodes are known, and what is selected can be said. */

import type { Digest } from './digest.ts';
import { type Fold, foldEach } from './fold.ts';
import { type Image, makeImage } from './image.ts';
import { ImageCollection, type Presence, withPresence } from './image-collection.ts';
import { readAll } from './listing.ts';
import type { Selection, SelectionPlan } from './selection.ts';
import type { Tag } from './tag/tag.ts';

/** What was learned since the plan. */
export interface SourceFacts {
  /**
   * Digest by tag, for as many of `plan.needsDigest` as the registry answered; others are not looked at. Digests
   * that the list itself told count for the same tags, with `digests: All` for every tag.
   */
  readonly digests: ReadonlyMap<string, Digest>;
  /** Bytes by tag, where a manifest was read. */
  readonly sizes?: ReadonlyMap<string, number>;
  /** Names of the nodes an image must be on to count as prepulled. */
  readonly eligibleNodes: ReadonlySet<string>;
  readonly presence: Presence;
}

/** Everything known about one source at one moment; immutable. */
export interface SourceImages {
  readonly selection: Selection;
  readonly plan: SelectionPlan;
  /** Selected images, aliases resolved, in output order. */
  readonly selected: ImageCollection;
  /** Images whose digest was wanted; with `digests: All` every tag. */
  readonly resolved: ImageCollection;
  readonly eligibleNodes: ReadonlySet<string>;
}

/** Resolves aliases among what is known and says what is selected. */
export function* concludeSelection(
  selection: Selection,
  plan: SelectionPlan,
  facts: SourceFacts,
): Fold<SourceImages> {
  const resolvesAll = selection.spec.digests === 'All';
  const wanted = resolvesAll ? plan.listing.names : plan.needsDigest;
  const images: Image[] = [];
  yield* foldEach(wanted, (name) => {
    images.push(learn(selection, plan, facts, plan.listing.read(name)));
  });
  // Unless everything is resolved, tags for one architecture are asked for by name only and alias nothing.
  const apart = (image: Image): boolean => !resolvesAll && image.architecture !== null;
  const resolved = yield* ImageCollection.fold(images, selection.grammar.order, { apart });
  yield;
  const selected = resolved.subset((image) => plan.chosen.has(image.tag));
  return { selection, plan, selected, resolved, eligibleNodes: facts.eligibleNodes };
}

/** The tag with its digest, its size and the nodes that have it. */
function learn({ spec }: Selection, { listing }: SelectionPlan, facts: SourceFacts, tag: Tag): Image {
  const listed = listing.listed.get(tag.tag);
  const digest = facts.digests.get(tag.tag) ?? listed?.digest ?? null;
  const size = facts.sizes?.get(tag.tag) ?? listed?.size ?? null;
  return withPresence(makeImage(spec.image, tag, { digest, size }), facts.presence, size !== null);
}

/** One line of the whole list: the image if its digest was wanted, else only the tag. */
export type Entry = { readonly image: Image } | { readonly tag: Tag };

/**
 * The whole list without architecture tags. With every digest known, in the order and under the names after aliases
 * were resolved; else in the order of the tags as they read.
 */
export function* entries({ selection, plan, resolved }: SourceImages): Generator<Entry> {
  if (selection.spec.digests === 'All') {
    for (const image of resolved.list()) yield { image };
    return;
  }
  for (const tag of readAll(plan.listing)) {
    if (tag.architecture !== null) continue;
    const image = resolved.imageForTag(tag.tag);
    yield image === undefined ? { tag } : { image };
  }
}
