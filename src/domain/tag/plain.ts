/** Tags without structure: names, ordered by text; and the reading of a name in every grammar but RSP. */

import { BLANK, ReadTag, type TagFields } from './read-tag.ts';
import type { Tag } from './tag.ts';
import { titleCase } from './title-case.ts';
import { compareText } from './version.ts';

/** Every tag is an unknown name. */
export function readPlain(tag: string): Tag {
  return readNamed(tag, 'unknown');
}

/** A tag of which only the name is known; an alias is shown in title case. */
export function readNamed(tag: string, type: 'alias' | 'unknown'): Tag {
  return new ReadTag({ ...BLANK, tag, type, base: tag }, describeName);
}

/** By code unit, never by locale. */
export function comparePlain(left: Tag, right: Tag): number {
  return compareText(left.tag, right.tag);
}

function describeName({ tag, type }: TagFields): string {
  return type === 'alias' ? titleCase(tag.replaceAll('_', ' ')) : tag;
}
