/** Fields of a pushsource item that a record may take over: signing keys, checksums, the build's name-version-release. */

import { err, ok, type Result } from './result.ts';

export interface PushItem {
  readonly name: string;
  readonly state: string;
  readonly dest: readonly string[];
  /** Lower case. */
  readonly md5sum?: string;
  /** Lower case. */
  readonly sha256sum?: string;
  readonly origin?: string;
  readonly build?: Build;
  /** Key the content was signed with, upper case. */
  readonly signingKey?: string;
  /** Key the content should be signed with, lower case. */
  readonly destSigningKey?: string;
}

/** A name-version-release in its parts. */
export interface Build {
  readonly name: string;
  readonly version: string;
  readonly release: string;
}

const TEXT_FIELDS = [
  'name',
  'state',
  'md5sum',
  'sha256sum',
  'origin',
  'build',
  'signing_key',
  'dest_signing_key',
] as const;
const MD5_LENGTH = 32;
const SHA256_LENGTH = 64;

/** Reads the fields as pushsource names them; unknown ones are ignored, null counts as absent. */
export function readPushItem(fields: Readonly<Record<string, unknown>>): Result<PushItem> {
  const texts = readTexts(fields);
  if (!texts.ok) return texts;
  const { md5sum, sha256sum } = texts.value;
  const checksum =
    checksumProblem('md5sum', md5sum, MD5_LENGTH) ?? checksumProblem('sha256sum', sha256sum, SHA256_LENGTH);
  if (checksum !== undefined) return err(checksum);
  const dest = fields['dest'] ?? [];
  if (!isTextList(dest)) return err('dest must be a list of strings');
  const build = texts.value.build === undefined ? undefined : parseBuild(texts.value.build);
  return build?.ok === false ? build : ok(assemble(texts.value, dest, build?.value));
}

type Texts = Partial<Readonly<Record<(typeof TEXT_FIELDS)[number], string>>>;

function readTexts(fields: Readonly<Record<string, unknown>>): Result<Texts> {
  const texts: Partial<Record<(typeof TEXT_FIELDS)[number], string>> = {};
  for (const field of TEXT_FIELDS) {
    const value = fields[field];
    if (value === undefined || value === null) continue;
    if (typeof value !== 'string') return err(`${field} must be a string`);
    texts[field] = value;
  }
  return ok(texts);
}

function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string');
}

/** `name-version-release`; the name may hold hyphens. */
export function parseBuild(text: string): Result<Build> {
  const match = /^(?<name>.+)-(?<version>[^-]+)-(?<release>[^-]+)$/.exec(text);
  const { name = '', version = '', release = '' } = match?.groups ?? {};
  return match === null
    ? err(`${JSON.stringify(text)} is not name-version-release`)
    : ok({ name, version, release });
}

function assemble(texts: Texts, dest: readonly string[], build: Build | undefined): PushItem {
  const { name = '', state = 'PENDING', origin } = texts;
  const optional = {
    md5sum: texts.md5sum?.toLowerCase(),
    sha256sum: texts.sha256sum?.toLowerCase(),
    origin,
    build,
    signingKey: texts.signing_key?.toUpperCase(),
    destSigningKey: texts.dest_signing_key?.toLowerCase(),
  };
  const present = Object.entries(optional).filter(([, value]) => value !== undefined && value !== '');
  return { name, state, dest, ...(Object.fromEntries(present) as Partial<PushItem>) };
}

function checksumProblem(field: string, value: string | undefined, length: number): string | undefined {
  if (value === undefined) return undefined;
  if (value.length !== length) return `${field} has ${value.length} characters, not ${length}`;
  return /^[0-9a-f]+$/i.test(value) ? undefined : `${field} is not hexadecimal`;
}
