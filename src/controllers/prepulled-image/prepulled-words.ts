/** What the condition Prepulled says about a report. */

import type { PrepulledImageReason } from '../../api/reasons.ts';
import type { StockReport } from '../../domain/stock-report.ts';
import type { Condition } from '../../kube/condition.ts';

export type Words = Pick<Condition, 'status' | 'reason' | 'message'>;

/** Content is shared between identities, permission is not: what others have pulled is of no use to this object's pods. */
function unauthorizedWords({ present, eligible }: StockReport, { reason, message }: Condition): Words {
  const found =
    present === 0 ? '' : `; it lies on ${present} of ${eligible} eligible nodes for those who may use it`;
  return { status: 'False', reason, message: `${message}${found}` };
}

/** Where every node that lacks it fails, some reasons are worth being told apart. */
const CAUSES: Readonly<Record<string, PrepulledImageReason>> = {
  PodRefused: 'AdmissionRefused',
  EvictedRepeatedly: 'EvictedRepeatedly',
};

/** Whether a reason of Prepulled tells why nodes lack the image, rather than that they do. */
export function isCause(reason: string): boolean {
  return Object.values(CAUSES).some((cause) => cause === reason);
}

/** What Prepulled says. `report` shows every skipped node where none is eligible and those shown could not run it. */
export function prepulledWords(report: StockReport, refusal: Condition | undefined): Words {
  const { eligible } = report;
  if (refusal !== undefined) return unauthorizedWords(report, refusal);
  if (eligible === 0) return nowhereWords(report);
  if (isEverywhere(report))
    return { status: 'True', reason: 'AllNodes', message: `On all ${eligible} eligible nodes` };
  return missingWords(report);
}

function missingWords({ eligible, present, failed, missing: [first] }: StockReport): Words {
  const trouble = failed === 0 ? '' : `; ${failed} failed: ${first?.message ?? ''}`;
  const cause = failed > 0 && failed === eligible - present ? CAUSES[first?.reason ?? ''] : undefined;
  return {
    status: 'False',
    reason: cause ?? 'NodesMissing',
    message: `On ${present} of ${eligible} eligible nodes${trouble}`,
  };
}

/** Why no node counts: a selector that selects nothing is told apart from nodes that cannot take the image now. */
export function nowhereMessage(
  skipped: number,
  first: { readonly node: string; readonly message?: string | undefined } | undefined,
): string {
  if (first === undefined) return 'spec.nodes selects no node of the cluster';
  return `None of the ${skipped} nodes that want the image can pull it now; ${first.node}: ${first.message ?? ''}`;
}

/** Nodes that want an image which none of them can run are another matter than no nodes. */
function nowhereWords({ skipped, missing }: StockReport): Words {
  const [first] = missing;
  if (first === undefined || missing.some(({ reason }) => reason !== 'PlatformMismatch')) {
    return { status: 'False', reason: 'NoEligibleNodes', message: nowhereMessage(skipped, first) };
  }
  const message = `No platform of the image fits any of the ${missing.length} nodes that want it: ${first.message}`;
  return { status: 'False', reason: 'NoMatchingPlatform', message };
}

function isEverywhere({ eligible, present }: StockReport): boolean {
  return eligible > 0 && present === eligible;
}
