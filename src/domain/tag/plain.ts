/** Tags without structure: names, ordered by text; and the reading of a name in every grammar but RSP. */

import type { Tag } from './tag.ts';
import { titleCase } from './title-case.ts';
import { compareText } from './version.ts';

/** Every tag is an unknown name. */
export function readPlain(tag: string): Tag {
  return readNamed(tag, 'unknown');
}

/** A tag of which only the name is known; an alias is shown in title case. */
export function readNamed(tag: string, type: 'alias' | 'unknown'): Tag {
  return {
    tag,
    type,
    displayName: type === 'alias' ? titleCase(tag.replaceAll('_', ' ')) : tag,
    base: tag,
    version: null,
    semantic: false,
    cycle: null,
    cycleBuild: null,
    rspBuild: null,
    architecture: null,
    extra: null,
    dateMs: null,
  };
}

/** By code unit, never by locale. */
export function comparePlain(left: Tag, right: Tag): number {
  return compareText(left.tag, right.tag);
}
