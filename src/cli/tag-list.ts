/** A tag list from a file: a JSON array of names or of `{tag, digest, size?}`, in the registry's order. */

import { validateDigest } from '../domain/digest.ts';
import type { ListedTag } from '../domain/listing.ts';
import { isValidTag } from '../domain/reference.ts';
import { badInput, parseInput } from './io.ts';

/** @throws CliError that names the entry which is no tag */
export function readTagList(text: string): readonly ListedTag[] {
  const value = parseInput('tags', text);
  if (!Array.isArray(value)) throw badInput('tags', 'not a JSON array');
  return value.map(readEntry);
}

function readEntry(entry: unknown, index: number): ListedTag {
  if (typeof entry === 'string') return { tag: readTag(entry, index) };
  if (typeof entry !== 'object' || entry === null)
    throw badInput(`tags[${index}]`, 'neither a name nor an object');
  const { tag, digest, size } = entry as Readonly<Record<string, unknown>>;
  if (typeof tag !== 'string') throw badInput(`tags[${index}].tag`, 'is missing');
  return { tag: readTag(tag, index), ...readDigest(digest, index), ...readSize(size, index) };
}

function readTag(tag: string, index: number): string {
  if (isValidTag(tag)) return tag;
  throw badInput(`tags[${index}]`, `${JSON.stringify(tag)} is not a tag`, Math.max(0, tag.search(/[^\w.-]/)));
}

function readDigest(digest: unknown, index: number): Pick<ListedTag, 'digest'> {
  if (digest === undefined || digest === null) return {};
  if (typeof digest !== 'string') throw badInput(`tags[${index}].digest`, 'is not text');
  const result = validateDigest(digest);
  if (!result.ok) throw badInput(`tags[${index}].digest`, result.error.message, result.error.position);
  return { digest: result.value };
}

function readSize(size: unknown, index: number): Pick<ListedTag, 'size'> {
  if (size === undefined || size === null) return {};
  if (typeof size === 'number' && Number.isSafeInteger(size) && size >= 0) return { size };
  throw badInput(`tags[${index}].size`, 'is not a number of bytes');
}
