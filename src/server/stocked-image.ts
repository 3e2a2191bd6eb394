/** A PrepulledImage as the routes tell it. */

import type * as z from 'zod';
import type { ImageDescription } from '../api/image-description.ts';
import type { PrepulledImage } from '../api/prepulled-image.ts';
import type { MissingNode } from '../domain/stock-report.ts';
import { findCondition, formatTime } from '../kube/condition.ts';
import { controllerOf } from '../kube/owner-reference.ts';
import type { conditionSchema, imageCoverageSchema, lackingSchema, stockedImageSchema } from './answers.ts';
import type { ImageCoverage } from './image-coverage.ts';

type Stocked = z.output<typeof stockedImageSchema>;
type Conditions = Parameters<typeof findCondition>[0];

export function describeStocked(coverage: ImageCoverage): Stocked {
  const { image, eligible, present, pulling, waiting, failed, unknown, skipped, prepulled } = coverage;
  const { metadata, spec, status } = image;
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    source: sourceOf(image),
    image: spec.image,
    ...describeFound(status?.image),
    priority: spec.pull.priority,
    suspended: spec.suspend,
    prepulled,
    ready: describeReady(status),
    counts: { eligible, present, pulling, waiting, failed, unknown, skipped },
  };
}

export function describeCoverage(coverage: ImageCoverage): z.output<typeof imageCoverageSchema> {
  return {
    ...describeStocked(coverage),
    on: [...coverage.on],
    lacking: coverage.missing.map(describeMissing),
  };
}

function describeMissing({ lastAttempt, ...entry }: MissingNode): z.output<typeof lackingSchema> {
  return { ...entry, lastAttempt: lastAttempt === undefined ? null : formatTime(lastAttempt) };
}

function describeFound({
  tag = null,
  digest = null,
  displayName = null,
  type = null,
  size = null,
}: Nullable<ImageDescription> = {}): Pick<Stocked, 'tag' | 'digest' | 'displayName' | 'type' | 'size'> {
  return { tag, digest, displayName, type, size };
}

type Nullable<T> = { readonly [Field in keyof T]?: T[Field] | null };

/** `namespace/name` of the ImageSource that controls it. */
export function sourceOf(image: PrepulledImage): string | null {
  const owner = controllerOf(image);
  return owner?.kind === 'ImageSource' ? `${image.metadata.namespace ?? ''}/${owner.name}` : null;
}

export function describeReady(status: Conditions): z.output<typeof conditionSchema> | null {
  const ready = findCondition(status, 'Ready');
  if (ready === undefined) return null;
  const { status: value, reason, message } = ready;
  return { status: value, reason, message };
}
