/** What Ready of a PrepulledImage says after a pass. */

import { isHeldBackEverywhere, type PrepulledImage } from '../../api/prepulled-image.ts';
import type { PrepulledImageReason } from '../../api/reasons.ts';
import type { StockReport } from '../../domain/stock-report.ts';
import type { Draft, Summary } from '../../kube/conclusion.ts';
import { type Condition, findCondition } from '../../kube/condition.ts';
import { isCause, nowhereMessage } from './prepulled-words.ts';
import type { Status } from './status.ts';

/**
 * Ready: the registry and the credentials are in order, and `minReady` of all eligible nodes have the image. Once the
 * generation was on so many, `newcomers` - nodes that joined a moment ago and lack it - do not count. No node at all
 * is ready, or an empty pool would block a rollout; but that says nothing about the first nodes that come.
 */
export function summarise(image: PrepulledImage, draft: Draft<Status>, newcomers = 0): Summary {
  const trouble = ['CredentialsReady', 'Resolved'].map((type) => findCondition(draft, type)).find(isFalse);
  if (trouble !== undefined) return retrying(trouble);
  const prepulled = findCondition(draft, 'Prepulled');
  if (prepulled !== undefined && LASTING.has(prepulled.reason)) return refused(prepulled);
  // What single nodes wait for concerns the others as little as any node that lacks the image.
  if (isHeldBackEverywhere(draft.backoff)) return retrying(backoffWords(draft));
  const wasStocked = draft.stockedGeneration === image.metadata.generation;
  const summary = stockSummary(draft, percentOf(image), wasStocked ? newcomers : 0);
  return summary.status === 'False' ? withCause(summary, prepulled) : summary;
}

/** Why too few nodes have it, where that is known for all that lack it. */
function withCause(summary: Summary, prepulled: Condition | undefined): Summary {
  return prepulled !== undefined && isCause(prepulled.reason) ? retrying(prepulled) : summary;
}

function retrying({ reason, message }: Pick<Condition, 'reason' | 'message'>): Summary {
  return { status: 'False', reason, message, progressing: { reason: 'ProgressingWithRetry', message } };
}

/** Of Prepulled: it stays so until other images go, or a person changes limit, image or nodes. */
const LASTING: ReadonlySet<string> = new Set<PrepulledImageReason>([
  'NamespaceLimitExceeded',
  'NoMatchingPlatform',
]);

function refused({ reason, message }: Condition): Summary {
  return { status: 'False', reason, message };
}

/** What failed on several nodes and worked on none. */
function backoffWords({ backoff, notPresent = [] }: Draft<Status>): Pick<Condition, 'reason' | 'message'> {
  const cause = notPresent.find(({ state }) => state === 'Failed')?.message ?? 'no node could pull the image';
  const reason = backoff?.class === 'Registry' ? 'RegistryUnreachable' : 'ImagePullFailed';
  return { reason, message: `${cause}; tried again at ${backoff?.nextAttempt ?? 'once'}` };
}

/** Whether so many nodes have it, newcomers counted. */
export function isStocked(
  image: PrepulledImage,
  { eligible, present }: Pick<StockReport, 'eligible' | 'present'>,
): boolean {
  return eligible > 0 && present * 100 >= percentOf(image) * eligible;
}

function percentOf({ spec }: PrepulledImage): number {
  return Number.parseInt(spec.minReady, 10);
}

function stockSummary(
  { nodes, notPresent = [] }: Pick<Draft<Status>, 'nodes' | 'notPresent'>,
  minReadyPercent: number,
  newcomers: number,
): Summary {
  if (nodes === undefined) {
    const message = 'Nobody has looked yet where it is';
    return {
      status: 'False',
      reason: 'Progressing',
      message,
      progressing: { reason: 'Progressing', message },
    };
  }
  if (nodes.eligible === 0) return nowhere(nowhereMessage(nodes.skipped, notPresent[0]));
  const { eligible, present } = nodes;
  const message = `On ${present} of ${eligible} eligible nodes`;
  if (eligible === newcomers) return nowhere(`${message}, all of which joined within pull.timeout`);
  if (present * 100 >= minReadyPercent * (eligible - newcomers)) {
    // Who waits for the image must not wait for a node that may never have it: minReady says how many are enough.
    return { status: 'True', reason: 'Stocked', message };
  }
  const progressing = { reason: 'Progressing', message };
  return { status: 'False', reason: 'Stocking', message, progressing };
}

/** No node counts. */
function nowhere(message: string): Summary {
  return { status: 'True', reason: 'NoEligibleNodes', message };
}

function isFalse(condition: Condition | undefined): condition is Condition {
  return condition?.status === 'False';
}
