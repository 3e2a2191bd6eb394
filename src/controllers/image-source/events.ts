/** Events on an ImageSource: what a person wants to know that Ready does not say. Scans that fail or recover are told by Ready. */

import type { IMAGE_SOURCE_REASONS } from '../../api/reasons.ts';
import type { MovedTag } from '../../domain/scan-diff.ts';
import type { EventNote } from '../../kube/events.ts';

type Reason = (typeof IMAGE_SOURCE_REASONS)[number]['reason'];

/** The rest is counted. */
const MAX_NAMES = 10;
/** Enough of a digest to tell it from others. */
const SHORT_DIGEST = 'sha256:'.length + 12;

export function imagesSelected(tags: readonly string[]): EventNote {
  return note('ImagesSelected', 'Scan', `${plural(tags.length, 'image')} selected: ${names(tags)}`);
}

export function imagesRetired(tags: readonly string[]): EventNote {
  return note('ImagesRetired', 'Scan', `${plural(tags.length, 'image')} no longer selected: ${names(tags)}`);
}

export function tagsMoved(moved: readonly MovedTag[]): EventNote {
  const lines = moved.map(({ tag, from, to }) => `${tag} from ${shorten(from)} to ${shorten(to)}`);
  return note('TagsMoved', 'Scan', `${plural(moved.length, 'tag')} moved: ${names(lines)}`);
}

/** `digest` may be unknown. */
export interface Named {
  readonly name: string;
  readonly digest?: string | null | undefined;
}

export function recommendedChanged(before: Named | undefined, after: Named): EventNote {
  const past = before === undefined ? '' : `; it was ${describe(before)}`;
  return note('RecommendedChanged', 'Scan', `recommended is now ${describe(after)}${past}`);
}

export function recommendedGone(before: Named): EventNote {
  return note('RecommendedChanged', 'Scan', `no image is recommended any more; it was ${describe(before)}`);
}

function note(reason: Reason, action: string, message: string): EventNote {
  return { type: 'Normal', reason, action, message };
}

function plural(count: number, noun: string): string {
  return count === 1 ? `1 ${noun}` : `${count} ${noun}s`;
}

function names(all: readonly string[]): string {
  const more = all.length - MAX_NAMES;
  return all.slice(0, MAX_NAMES).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

function describe({ name, digest = null }: Named): string {
  return digest === null ? name : `${name} (${shorten(digest)})`;
}

function shorten(digest: string): string {
  return digest.slice(0, SHORT_DIGEST);
}
