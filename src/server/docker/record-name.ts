/** metadata.name of a record made for a name and version of the original's, which may hold "_", capitals and more. */

import { createHash } from 'node:crypto';

const HASH_LENGTH = 8;

/**
 * `slug(name)-slug(version)-` and 8 hexadecimal digits of sha256(name NUL version): the same for the same two, so that
 * two writers of one name and version meet as a conflict at the API server. At most 106 characters.
 */
export function recordName(name: string, version: string): string {
  const hash = createHash('sha256').update(`${name}\0${version}`).digest('hex').slice(0, HASH_LENGTH);
  return [slug(name), slug(version), hash].filter(Boolean).join('-');
}

function slug(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
}
