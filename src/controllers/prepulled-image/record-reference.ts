/** Phase: whether the record that spec.recordRef names takes the reference; one that is refused is not even resolved. */

import type { DockerImageRecord } from '../../api/docker-image-record.ts';
import type { PrepulledImage } from '../../api/prepulled-image.ts';
import type { PrepulledImageReason } from '../../api/reasons.ts';
import { cameTooLate } from '../../domain/record-references.ts';
import type { Lister } from '../../kube/cache.ts';
import type { Draft, Summary } from '../../kube/conclusion.ts';
import { isControlledBy } from '../../kube/owner-reference.ts';
import { done, type Result, TerminalError } from '../../kube/result.ts';
import type { Status } from './status.ts';

export interface RecordOptions {
  /** Absent: no records are kept, and recordRef is not looked at. */
  readonly records?: Pick<Lister<DockerImageRecord>, 'get'>;
}

/** What was resolved before goes on being looked after; Ready tells what is wrong. */
export function recordPhase(options: RecordOptions) {
  return (image: PrepulledImage, draft: Draft<Status>): Result => {
    const refusal = recordRefusal(options, image);
    if (refusal !== undefined && draft.image === undefined) {
      throw new TerminalError(refusal.reason, refusal.message);
    }
    return done;
  };
}

/** What Ready says while the record does not take the reference; undefined if it does. */
export function recordRefusal(
  { records }: RecordOptions,
  image: PrepulledImage,
): (Summary & { readonly reason: PrepulledImageReason }) | undefined {
  const { name } = image.spec.recordRef ?? {};
  if (records === undefined || name === undefined) return undefined;
  const record = records.get({ namespace: image.metadata.namespace, name });
  if (record === undefined) return refused('RecordNotFound', `There is no DockerImageRecord ${name}`);
  if (isControlledBy(image, record)) return undefined;
  if (record.spec.contentKind === 'Source') {
    return refused('SourceImage', `DockerImageRecord ${name} is a source image, which runs nowhere`);
  }
  if (!cameTooLate(image.metadata, record.metadata)) return undefined;
  return refused('RecordDeleting', `DockerImageRecord ${name} is being deleted and takes no new references`);
}

function refused(
  reason: PrepulledImageReason,
  message: string,
): Summary & { readonly reason: PrepulledImageReason } {
  return { status: 'False', reason, message, stalled: true };
}
