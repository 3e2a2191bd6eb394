/** Any name as the value of a label: letters, digits, "-", "_" and "."; at most 63 characters; no spaces. */

const MAX_LENGTH = 63;

/** "Apache 2.0" is `apache-2.0`; empty if nothing of the text can stand in a label. */
export function labelSlug(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, MAX_LENGTH)
    .replace(/[^a-z0-9]+$/, '');
}
