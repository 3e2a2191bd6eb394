/** What the status of an ImageSource tells of its list: the selected images and their other names. */

import type { ImageSource, NamedImage } from '../api/image-source.ts';
import { type Digest, validateDigest } from '../domain/digest.ts';
import type { Fold } from '../domain/fold.ts';
import type { ListedTag } from '../domain/listing.ts';
import { planSelection, type Selection } from '../domain/selection.ts';
import { concludeSelection, type SourceImages } from '../domain/source-images.ts';

/** Read as if these were all tags of the repository. */
export function* listingFromStatus(
  selection: Selection,
  { status = {} }: ImageSource,
  nowMs: number,
): Fold<SourceImages> {
  const { images = [], recommended, latestRelease, latestWeekly, latestDaily } = status;
  const named = [...images, recommended, latestRelease, latestWeekly, latestDaily];
  const tags = new Map<string, Digest | undefined>();
  for (const image of named) if (image !== undefined) addNames(tags, image);
  const listed = [...tags].map(
    ([tag, digest]): ListedTag => (digest === undefined ? { tag } : { tag, digest }),
  );
  const plan = yield* planSelection(selection, listed, nowMs);
  const digests = new Map(
    [...tags].flatMap(([tag, digest]) => (digest === undefined ? [] : [[tag, digest] as const])),
  );
  const facts = { digests, eligibleNodes: new Set<string>(), presence: new Map<never, never>() };
  return yield* concludeSelection(selection, plan, facts);
}

function addNames(
  tags: Map<string, Digest | undefined>,
  { tag, digest = '', aliases = [] }: NamedImage,
): void {
  const valid = validateDigest(digest);
  for (const name of [tag, ...aliases]) tags.set(name, valid.ok ? valid.value : tags.get(name));
}
