/**
 * Push items of pushsource: what a record may take over from them. Checksums are those of files, not of manifests: they
 * are checked as pushsource does, and only the cases look at their values.
 */

import type { PullInfo } from './pull-spec.ts';
import { type Fields, isFields, readTextList, readTexts } from './push-fields.ts';
import { readPullInfo } from './push-pull-info.ts';
import { err, ok, type Result } from './result.ts';

export interface PushItem {
  readonly name: string;
  readonly state: string;
  /** Name of pushsource's class, such as SourceContainerImagePushItem. */
  readonly type?: string;
  readonly dest: readonly string[];
  /** Lower case. */
  readonly md5sum?: string;
  /** Lower case. */
  readonly sha256sum?: string;
  readonly origin?: string;
  readonly productName?: string;
  readonly build?: Build;
  /** Key the content was signed with, upper case. */
  readonly signingKey?: string;
  /** Key the content should be signed with, lower case. */
  readonly destSigningKey?: string;
  readonly sourceTags: readonly string[];
  /** As it was written, such as x86_64. */
  readonly arch?: string;
  /** Label `architecture` of the image, as it was written. */
  readonly architectureLabel?: string;
  /** Only of container images. */
  readonly pullInfo?: PullInfo;
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
  'type',
  'md5sum',
  'sha256sum',
  'origin',
  'product_name',
  'build',
  'signing_key',
  'dest_signing_key',
  'arch',
] as const;
const MD5_LENGTH = 32;
const SHA256_LENGTH = 64;

type Texts = Partial<Readonly<Record<(typeof TEXT_FIELDS)[number], string>>>;

/** Reads the fields as pushsource names them; unknown ones are ignored, null counts as absent. Errors begin with the field. */
export function readPushItem(fields: Fields): Result<PushItem> {
  const texts = readTexts(fields, TEXT_FIELDS);
  if (!texts.ok) return texts;
  const checksum = checksumProblem(texts.value);
  if (checksum !== undefined) return err(checksum);
  const text = assembleTexts(texts.value);
  if (!text.ok) return text;
  const lists = readLists(fields);
  if (!lists.ok) return lists;
  const image = readImage(fields);
  return image.ok ? ok({ ...text.value, ...lists.value, ...image.value }) : image;
}

/** `name-version-release`; the name may hold hyphens. */
export function parseBuild(text: string): Result<Build> {
  const match = /^(?<name>.+)-(?<version>[^-]+)-(?<release>[^-]+)$/.exec(text);
  const { name = '', version = '', release = '' } = match?.groups ?? {};
  return match === null
    ? err(`${JSON.stringify(text)} is not name-version-release`)
    : ok({ name, version, release });
}

function readBuild(text: string | undefined): Result<Build | undefined> {
  return text === undefined ? ok(undefined) : parseBuild(text);
}

type TextPart = Omit<PushItem, 'dest' | 'sourceTags' | 'architectureLabel' | 'pullInfo'>;

function assembleTexts(texts: Texts): Result<TextPart> {
  const { name = '', state = 'PENDING', type, origin, arch } = texts;
  const build = readBuild(texts.build);
  if (!build.ok) return err(`build ${build.error}`);
  const optional = {
    type,
    md5sum: texts.md5sum?.toLowerCase(),
    sha256sum: texts.sha256sum?.toLowerCase(),
    origin,
    productName: texts.product_name,
    build: build.value,
    signingKey: texts.signing_key?.toUpperCase(),
    destSigningKey: texts.dest_signing_key?.toLowerCase(),
    arch,
  };
  const present = Object.entries(optional).filter(([, value]) => value !== undefined && value !== '');
  return ok({ name, state, ...(Object.fromEntries(present) as Partial<TextPart>) });
}

function readLists(fields: Fields): Result<Pick<PushItem, 'dest' | 'sourceTags'>> {
  const dest = readTextList(fields, 'dest');
  if (!dest.ok) return dest;
  const sourceTags = readTextList(fields, 'source_tags');
  return sourceTags.ok ? ok({ dest: dest.value, sourceTags: sourceTags.value }) : sourceTags;
}

function readImage(fields: Fields): Result<Pick<PushItem, 'architectureLabel' | 'pullInfo'>> {
  const labels = fields['labels'] ?? {};
  if (!isFields(labels)) return err('labels must be an object');
  const label = readTexts(labels, ['architecture']);
  if (!label.ok) return err(`labels.${label.error}`);
  const { architecture } = label.value;
  const info = fields['pull_info'] ?? undefined;
  const pullInfo = info === undefined ? undefined : readPullInfo(info);
  if (pullInfo?.ok === false) return pullInfo;
  return ok({
    ...(architecture !== undefined && { architectureLabel: architecture }),
    ...(pullInfo && { pullInfo: pullInfo.value }),
  });
}

function checksumProblem({ md5sum, sha256sum }: Texts): string | undefined {
  return hexProblem('md5sum', md5sum, MD5_LENGTH) ?? hexProblem('sha256sum', sha256sum, SHA256_LENGTH);
}

function hexProblem(field: string, value: string | undefined, length: number): string | undefined {
  if (value === undefined) return undefined;
  if (value.length !== length) return `${field} has ${value.length} characters, not ${length}`;
  return /^[0-9a-f]+$/i.test(value) ? undefined : `${field} is not hexadecimal`;
}
