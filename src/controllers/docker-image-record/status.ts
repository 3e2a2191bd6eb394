/** The status this controller writes, the conditions in it that are its own, and how they are marked. */

import type { DockerImageRecord, DockerImageRecordStatus } from '../../api/docker-image-record.ts';
import type { RecordReason } from '../../api/reasons.ts';
import type { Draft } from '../../kube/conclusion.ts';
import { type ConditionStatus, setCondition } from '../../kube/condition.ts';
import type { PhaseContext } from '../../kube/reconciler.ts';

/** The status this controller writes. */
export type Status = DockerImageRecordStatus;

/** Types that nobody else writes. */
export const OWNED_CONDITIONS = [
  'Accepted',
  'Resolved',
  'CredentialsReady',
  'Available',
  'InUse',
  'DeletionBlocked',
  'Schedulable',
] as const;

/** Why a condition is as it is. */
export interface Words {
  readonly reason: RecordReason;
  readonly message: string;
}

export type Mark = (type: (typeof OWNED_CONDITIONS)[number], status: ConditionStatus, words: Words) => void;

/** Sets conditions of this pass on the draft. */
export function marker(
  { metadata }: Pick<DockerImageRecord, 'metadata'>,
  draft: Draft<Status>,
  { now }: Pick<PhaseContext, 'now'>,
): Mark {
  const moment = { now, generation: metadata.generation };
  return (type, status, { reason, message }) => {
    setCondition(draft, { type, status, reason, message }, moment);
  };
}

/** Lists whose true length the status tells, and how much of them it shows. */
const LIMITS: readonly (readonly [limit: number, length: (status: Status) => number | undefined])[] = [
  [64, ({ referenceCount }) => referenceCount],
  [16, ({ signing }) => signing && (signing.present ?? 0) + (signing.missing ?? 0)],
  [32, ({ operatorBundle }) => operatorBundle?.relatedImageCount],
  // Platforms have no count: a list of specs that is full may have been longer.
  [16, ({ pullInfo }) => pullInfo?.digestSpecs?.length],
];

/** Whether a list of the status is longer than it is shown. */
export function isTruncated(status: Status): boolean {
  return LIMITS.some(([limit, length]) => (length(status) ?? 0) > limit);
}
