/** Reads one page of a tag list; junk is dropped and counted, anything that is no tag list is an error. */

import { type Digest, isValidDigest } from '../domain/digest.ts';
import { isValidTag } from '../domain/reference.ts';
import { err, ok, type Result } from '../domain/result.ts';
import { isJsonObject, type JsonObject, parseJSON } from '../json.ts';

/** What some registries tell about a tag in the list itself. */
export interface TagFact {
  readonly digest: Digest;
  readonly mediaType?: string;
  /** Compressed bytes as the registry counts them. */
  readonly size?: number;
  /** When the tag was pushed, milliseconds since the epoch. */
  readonly pushedMs?: number;
}

/** One page, in the order of the registry. */
export interface TagPage {
  readonly tags: readonly string[];
  /** By tag; empty unless the registry lists digests. */
  readonly facts: ReadonlyMap<string, TagFact>;
  /** Entries that are no tags: null, "", digests, illegal characters. */
  readonly junk: number;
}

/** Most commas and most brackets of a page: JSON.parse of more would stall the process or eat its memory. */
const MAX_COMMAS = 1_500_000;
const MAX_BRACKETS = 300_000;
/** Tags checked between two pauses of the event loop. */
const CHUNK = 10_000;

const COUNTED_BYTES = 1024 * 1024;

const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const OPEN_BRACE = 0x7b;

/** The page, or why it is none. */
export async function readTagPage(body: Buffer): Promise<Result<TagPage>> {
  if (await hasTooManyElements(body)) return err('the page has too many elements');
  const json = parseJSON(body);
  if (!isJsonObject(json) || !('tags' in json)) return err('the answer is not a tag list');
  const entries = json['tags'] ?? [];
  if (!Array.isArray(entries)) return err('the answer is not a tag list');
  const tags = await validTags(entries);
  return ok({ tags, facts: readManifestMap(json['manifest']), junk: entries.length - tags.length });
}

async function validTags(entries: readonly unknown[]): Promise<readonly string[]> {
  const tags: string[] = [];
  for (let start = 0; start < entries.length; start += CHUNK) {
    if (start > 0) await breathe();
    for (const entry of entries.slice(start, start + CHUNK)) {
      if (typeof entry === 'string' && isValidTag(entry)) tags.push(entry);
    }
  }
  return tags;
}

/** Lets other work run between two chunks. */
function breathe(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** GCR and Artifact Registry: `"manifest": {"sha256:…": {"tag": […], "mediaType": …, "imageSizeBytes": "…"}}`. */
function readManifestMap(manifests: unknown): ReadonlyMap<string, TagFact> {
  const facts = new Map<string, TagFact>();
  if (!isJsonObject(manifests)) return facts;
  for (const [digest, entry] of Object.entries(manifests)) {
    if (!isValidDigest(digest) || !isJsonObject(entry) || !Array.isArray(entry['tag'])) continue;
    const fact = buildFact(digest, entry);
    for (const tag of entry['tag'] as unknown[]) if (typeof tag === 'string') facts.set(tag, fact);
  }
  return facts;
}

function buildFact(digest: Digest, entry: JsonObject): TagFact {
  const { mediaType } = entry;
  const size = positive(entry['imageSizeBytes']);
  const pushedMs = positive(entry['timeUploadedMs']);
  return {
    digest,
    ...(typeof mediaType === 'string' && { mediaType }),
    ...(size !== undefined && { size }),
    ...(pushedMs !== undefined && { pushedMs }),
  };
}

/** Numbers come as text. */
function positive(text: unknown): number | undefined {
  const number = typeof text === 'string' ? Number(text) : 0;
  return Number.isSafeInteger(number) && number > 0 ? number : undefined;
}

/** Whether JSON.parse of this would be dear; looks at a megabyte at a time. */
async function hasTooManyElements(body: Buffer): Promise<boolean> {
  const count = { commas: 0, brackets: 0 };
  for (let start = 0; start < body.length; start += COUNTED_BYTES) {
    if (start > 0) await breathe();
    countElements(body.subarray(start, start + COUNTED_BYTES), count);
    if (count.commas > MAX_COMMAS || count.brackets > MAX_BRACKETS) return true;
  }
  return false;
}

/** An index, not an iterator: this is the one loop over every byte. */
function countElements(bytes: Buffer, count: { commas: number; brackets: number }): void {
  let commas = 0;
  let brackets = 0;
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index];
    if (byte === COMMA) commas++;
    else if (byte === OPEN_BRACKET || byte === OPEN_BRACE) brackets++;
  }
  count.commas += commas;
  count.brackets += brackets;
}
