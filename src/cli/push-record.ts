/** DockerImageRecords of push items: what the items tell, and what a file says of all of them; nothing else. */

import { API_VERSION } from '../api/group-version.ts';
import { parseDockerImageRecord } from '../api/parse.ts';
import { architectureOf, digestSpecForType } from '../domain/pull-spec.ts';
import { err, ok, type Result } from '../domain/result.ts';
import { DOCKER_LIST, OCI_INDEX } from '../registry/media-types.ts';
import { recordName } from '../server/docker/record-name.ts';
import type { ImageGroup } from './push-group.ts';
import type { ImageItem } from './push-item-file.ts';

/** A manifest that the API server takes, and what did not fit into it. */
export interface PushRecord {
  readonly manifest: object;
  readonly name: string;
  readonly version: string;
  readonly image: string;
  readonly notes: readonly string[];
}

/** Longest text of one entry of spec.provenance. */
const MAX_PROVENANCE = 256;

/** `stated` are fields of a spec that no item tells. The error holds one line a problem, beginning with the field. */
export function buildPushRecord(
  { head, items }: ImageGroup,
  stated: Readonly<Record<string, unknown>>,
): Result<PushRecord, readonly string[]> {
  const { name, version, image, isSource } = head;
  const { entries, notes } = provenanceOf(items);
  const architectures = architecturesOf(items);
  const keys = signingKeysOf(items);
  const { prepull, ...others } = stated;
  const spec = {
    name,
    version,
    image,
    ...others,
    ...(!isSource && prepull !== undefined && { prepull }),
    ...(isSource && { contentKind: 'Source' }),
    ...(architectures.length > 0 && { platforms: architectures.map((architecture) => ({ architecture })) }),
    ...(keys.length > 0 && { signing: { keys } }),
    ...(Object.keys(entries).length > 0 && { provenance: entries }),
  };
  const metadata = { name: recordName(name, version) };
  const manifest = { apiVersion: API_VERSION, kind: 'DockerImageRecord', metadata, spec };
  const parsed = parseDockerImageRecord(manifest);
  return parsed.ok ? ok({ manifest, name, version, image, notes }) : err(parsed.error);
}

/**
 * Empty if not all are known. Also of an index without a build: it is of pushsource's registry source, which makes one
 * item of an index and looks at its first manifest only.
 */
function architecturesOf(items: readonly ImageItem[]): readonly string[] {
  const architectures = items.map((item) =>
    isFirstOfIndex(item) ? undefined : architectureOf({ platform: item.arch, label: item.architectureLabel }),
  );
  const known = architectures.filter((architecture) => architecture !== undefined);
  return known.length === items.length ? [...new Set(known)] : [];
}

function isFirstOfIndex({ build, pullInfo }: ImageItem): boolean {
  const isIndex = [DOCKER_LIST, OCI_INDEX].some((type) => digestSpecForType(pullInfo, type) !== undefined);
  return build === undefined && isIndex;
}

/** A key that signed it, and one that should: both signatures should exist. */
function signingKeysOf(items: readonly ImageItem[]): readonly string[] {
  const keys = items.flatMap(({ destSigningKey, signingKey }) => [destSigningKey, signingKey?.toLowerCase()]);
  return [...new Set(keys.filter((key) => key !== undefined))];
}

function provenanceOf(items: readonly ImageItem[]): {
  readonly entries: Readonly<Record<string, string>>;
  readonly notes: readonly string[];
} {
  const told: Readonly<Record<string, readonly (string | undefined)[]>> = {
    dest: items.flatMap(({ dest }) => dest),
    origin: items.map(({ origin }) => origin),
    product: items.map(({ productName }) => productName),
    build: items.map(({ build }) => build && `${build.name}-${build.version}-${build.release}`),
    sourceTags: items.flatMap(({ sourceTags }) => sourceTags),
  };
  const entries: Record<string, string> = {};
  const notes: string[] = [];
  for (const [field, texts] of Object.entries(told)) {
    const { joined, left } = join(texts);
    if (joined !== '') entries[field] = joined;
    if (left > 0)
      notes.push(`provenance.${field} lacks ${left} entries, it has at most ${MAX_PROVENANCE} characters`);
  }
  return { entries, notes };
}

/** Each text once, as many as fit, and how many are left; a text is never cut, because a part of it would be a lie. */
function join(texts: readonly (string | undefined)[]): { readonly joined: string; readonly left: number } {
  const distinct = new Set(texts.filter((text) => text !== undefined && text !== ''));
  const kept: string[] = [];
  let length = -2;
  for (const text of distinct) {
    if (text === undefined || length + 2 + text.length > MAX_PROVENANCE) break;
    kept.push(text);
    length += 2 + text.length;
  }
  return { joined: kept.join(', '), left: distinct.size - kept.length };
}
