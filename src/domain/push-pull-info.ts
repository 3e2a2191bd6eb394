/**
 * `pull_info` of a push item, pushsource's ContainerImagePullInfo, in our pull specs: parts are put together and checked
 * as references, order and duplicates are those of `buildPullInfo`. Its `media_types` say nothing that the specs do not.
 */

import {
  buildDigestSpec,
  buildPullInfo,
  buildTagSpec,
  type DigestSpec,
  type PullInfo,
  type TagSpec,
} from './pull-spec.ts';
import { type Fields, isFields, readList, readText, readTextList, readTexts } from './push-fields.ts';
import { type Reference, validateReference } from './reference.ts';
import { err, ok, type Result } from './result.ts';

/** Unlike pushsource we take an image that is named by digest alone. The error begins with the field. */
export function readPullInfo(value: unknown): Result<PullInfo> {
  if (!isFields(value)) return err('pull_info must be an object');
  const tags = readList(value, 'tag_specs', readTagSpec);
  if (!tags.ok) return err(`pull_info.${tags.error}`);
  const digests = readList(value, 'digest_specs', readDigestSpec);
  if (!digests.ok) return err(`pull_info.${digests.error}`);
  const isNameless = tags.value.length === 0 && digests.value.length === 0;
  return isNameless
    ? err('pull_info has neither tag_specs nor digest_specs')
    : ok(buildPullInfo(tags.value, digests.value));
}

function readTagSpec(fields: Fields): Result<TagSpec> {
  const reference = readReference(fields, 'tag', ':');
  if (!reference.ok) return reference;
  const mediaTypes = readTextList(fields, 'media_types');
  if (!mediaTypes.ok) return mediaTypes;
  return ok(buildTagSpec(reference.value, reference.value.tag ?? '', mediaTypes.value));
}

function readDigestSpec(fields: Fields): Result<DigestSpec> {
  const reference = readReference(fields, 'digest', '@');
  if (!reference.ok) return reference;
  const mediaType = readText(fields, 'media_type');
  if (!mediaType.ok) return mediaType;
  return ok(buildDigestSpec(reference.value, reference.value.digest ?? '', { mediaType: mediaType.value }));
}

/** Each part must come out of the whole as it went in: a registry that is no host would be read as a path, say. */
function readReference(fields: Fields, last: 'tag' | 'digest', separator: ':' | '@'): Result<Reference> {
  const texts = readTexts(fields, ['registry', 'repository', last]);
  if (!texts.ok) return texts;
  const { registry = '', repository = '', [last]: identifier = '' } = texts.value;
  const written = `${registry}/${repository}${separator}${identifier}`;
  const reference = validateReference(written);
  if (!reference.ok) return err(`${JSON.stringify(written)}: ${reference.error.message}`);
  const { value } = reference;
  const isSame = value.registry === registry && value.repository === repository && value[last] === identifier;
  return isSame ? ok(value) : err(`${JSON.stringify(written)} is no registry/repository${separator}${last}`);
}
