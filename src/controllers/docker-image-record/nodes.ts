/** Phase: which nodes have the hardware and a platform of the image. */

import type { DockerImageRecord } from '../../api/docker-image-record.ts';
import { countEligible, type Eligibility } from '../../domain/hardware-census.ts';
import type { Platform } from '../../domain/platform.ts';
import type { Draft } from '../../kube/conclusion.ts';
import { findCondition } from '../../kube/condition.ts';
import type { PhaseContext } from '../../kube/reconciler.ts';
import { done, type Result } from '../../kube/result.ts';
import { needsOf } from './catalogue.ts';
import type { NodeCensus } from './node-census.ts';
import { type Mark, marker, type Status } from './status.ts';

export interface NodesOptions {
  readonly census: Pick<NodeCensus, 'current'>;
}

/**
 * Taints, cordons and conditions do not count here: the question is what the image could run on, not where a pod would be
 * put at this moment. The PrepulledImage asks that.
 */
export function nodesPhase({ census }: NodesOptions) {
  return (record: DockerImageRecord, draft: Draft<Status>, context: PhaseContext): Result => {
    const mark = marker(record, draft, context);
    const needs = needsOf(record.spec, draft.resolved);
    if (record.spec.contentKind === 'Source') {
      draft.nodes = undefined;
      mark('Schedulable', 'False', { reason: 'SourceImage', message: 'The image holds source code' });
    } else if (needs === undefined) {
      draft.nodes = undefined;
      markUnknown(draft, mark);
    } else {
      const found = countEligible(census.current(), needs, platformsOf(record, draft));
      draft.nodes = { ...found, ...(found.names.length === 0 && { names: undefined }) };
      markFound(found, mark);
    }
    return done;
  };
}

/** What limits the nodes is not in the catalogue; that is said in the words of Resolved. */
function markUnknown(draft: Draft<Status>, mark: Mark): void {
  const resolved = findCondition(draft, 'Resolved');
  const reason = resolved?.reason === 'UnknownHardwareGeneration' ? resolved.reason : 'UnknownCUDAVersion';
  const message = `Which nodes fit is not known: ${resolved?.message ?? 'nothing is resolved yet'}`;
  mark('Schedulable', 'Unknown', {
    reason: resolved?.reason === 'CatalogueUnavailable' ? 'CatalogueUnavailable' : reason,
    message,
  });
}

function markFound({ eligible, total, reasons }: Eligibility, mark: Mark): void {
  const others = reasons.map(({ reason, count }) => `${count} ${reason}`).join(', ');
  const message = `${eligible} of ${total} nodes fit${others === '' ? '' : `; ${others}`}`;
  if (eligible > 0) mark('Schedulable', 'True', { reason: 'NodesEligible', message });
  else mark('Schedulable', 'False', { reason: 'NoEligibleNodes', message });
}

/** Undefined while the registry has not told any; none left by spec.platforms means that no node fits. */
function platformsOf(
  { spec }: DockerImageRecord,
  { pullInfo, platforms }: Draft<Status>,
): readonly Platform[] | undefined {
  const told = (pullInfo?.digestSpecs ?? []).some(({ platform }) => platform !== undefined);
  if (!told) return spec.platforms?.map(plain);
  return (platforms ?? []).map(plain);
}

function plain({
  os,
  architecture,
  variant,
}: Pick<Platform, 'os' | 'architecture'> & { readonly variant?: string | undefined }): Platform {
  return { os, architecture, ...(variant !== undefined && { variant }) };
}
