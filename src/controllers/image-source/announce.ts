/** Which events a publication is worth: one per kind of change, none for what was published before. */

import type { ImageSourceStatus } from '../../api/image-source.ts';
import { formatReference, type Repository } from '../../domain/reference.ts';
import { diffScans } from '../../domain/scan-diff.ts';
import type { PublishedImage, SelectionResult } from '../../domain/selection-result.ts';
import type { EventNote } from '../../kube/events.ts';
import {
  imagesRetired,
  imagesSelected,
  type Named,
  recommendedChanged,
  recommendedGone,
  tagsMoved,
} from './events.ts';

/** What was published last: by this process, else what the status tells of it. */
export interface Publication {
  readonly status: ImageSourceStatus;
  readonly published: SelectionResult | undefined;
}

type Selected = Pick<PublishedImage, 'reference' | 'tag' | 'digest'>;

export function announcements(
  before: Publication,
  after: SelectionResult,
  image: Repository,
): readonly EventNote[] {
  const known = selectedBefore(before);
  if (known === undefined) return [];
  const isHere = ({ reference, tag }: Selected): boolean => reference === formatReference({ ...image, tag });
  const elsewhere = known.filter((one) => !isHere(one)).map(({ reference }) => reference);
  const { added, removed, moved } = diffScans(known.filter(isHere), after.images);
  const retired = [...removed, ...elsewhere];
  const recommended = recommendedMove(before, after);
  // The recommended tag moves whenever another image is recommended: one change, one event.
  const others = moved.filter(({ tag }) => recommended === undefined || tag !== after.recommended?.tag);
  return [
    ...(recommended === undefined ? [] : [recommended]),
    ...(added.length > 0 ? [imagesSelected(added)] : []),
    ...(retired.length > 0 ? [imagesRetired(retired)] : []),
    ...(others.length > 0 ? [tagsMoved(others)] : []),
  ];
}

/** Undefined if it cannot be told: the status shows only some of the images. */
function selectedBefore({ status, published }: Publication): readonly Selected[] | undefined {
  if (published !== undefined) return published.images;
  const { images = [], counts } = status;
  if ((counts?.selected ?? 0) > images.length) return undefined;
  return images.map(({ reference, tag, digest = null }) => ({ reference, tag, digest }));
}

function recommendedMove({ status }: Publication, after: SelectionResult): EventNote | undefined {
  // The first publication selects everything, and nothing has changed.
  if (status.images === undefined) return undefined;
  const before: Named | undefined = status.recommended;
  const now: Named | undefined = after.recommended ?? undefined;
  if (isSame(before, now)) return undefined;
  if (now !== undefined) return recommendedChanged(before, now);
  return before === undefined ? undefined : recommendedGone(before);
}

/** By digest, whatever it is called: the name says more once other tags of the image are known. */
function isSame(before: Named | undefined, now: Named | undefined): boolean {
  const [from = null, to = null] = [before?.digest, now?.digest];
  // A digest that only becomes known is none other.
  return from === null || to === null ? before?.name === now?.name : from === to;
}
