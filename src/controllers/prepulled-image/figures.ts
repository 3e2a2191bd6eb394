/** Where the image is, as the status tells it: how many nodes, which ones, why not the others, and when it is tried again. */

import type { NotPresent } from '../../api/prepulled-image.ts';
import { type Circuits, hostCircuit, imageCircuit } from '../../domain/circuits.ts';
import type { Failure } from '../../domain/coverage.ts';
import { backoffMs } from '../../domain/stock-plan.ts';
import type { MissingNode, StockReport } from '../../domain/stock-report.ts';
import type { Want } from '../../domain/want.ts';
import { isEqual } from '../../json.ts';
import type { Draft } from '../../kube/conclusion.ts';
import { formatTime } from '../../kube/condition.ts';
import type { Status } from './status.ts';

const MAX_MESSAGE = 256;

/** The fields of the status that follow from a report. */
export type Figures = Pick<
  Status,
  'nodes' | 'ready' | 'prepulled' | 'presentOn' | 'notPresent' | 'truncated' | 'backoff'
>;

/** As long as nobody looks where the image is. */
export const NO_FIGURES: Record<keyof Figures | 'coverageTime', false | undefined> = {
  nodes: undefined,
  ready: undefined,
  prepulled: false,
  presentOn: undefined,
  notPresent: undefined,
  truncated: undefined,
  backoff: undefined,
  coverageTime: undefined,
};

/** `prepulled` is what the condition says. */
export function figuresOf(
  want: Want,
  report: StockReport,
  { circuits, prepulled }: { readonly circuits: Circuits; readonly prepulled: boolean },
): Figures {
  const { eligible, present, unknown, pulling, waiting, failed, skipped } = report;
  const isTruncated = eligible - present + skipped > report.missing.length;
  return {
    nodes: { eligible, present, unknown, pulling, waiting, failed, skipped },
    ready: `${present}/${eligible}`,
    prepulled,
    presentOn: report.presentOn,
    notPresent: report.missing.map(notPresent),
    truncated: isTruncated ? true : undefined,
    backoff: backoffOf(want, report, circuits),
  };
}

/** Whether the status tells the same figures already. */
export function tellsFigures(status: Draft<Status>, figures: Figures): boolean {
  const fields = Object.keys(figures) as (keyof Figures)[];
  return fields.every((field) => isEqual(status[field], figures[field]));
}

function notPresent({ node, state, reason, message, attempts, lastAttempt }: MissingNode): NotPresent {
  return {
    node,
    state,
    reason,
    message: message.slice(0, MAX_MESSAGE),
    ...(attempts > 0 && { attempts }),
    ...(lastAttempt !== undefined && { lastAttempt: formatTime(lastAttempt) }),
  };
}

/** What is held back, everywhere or on nodes that no list has room for, and until when; where nothing is missing, nothing is. */
function backoffOf(
  want: Want,
  { present, eligible, unlisted }: StockReport,
  circuits: Circuits,
): Status['backoff'] {
  if (present === eligible) return undefined;
  const image = circuits.findOpen(imageCircuit(want.id));
  const open = image ?? circuits.findOpen(hostCircuit(want.host));
  if (open === undefined) return unlisted === undefined ? undefined : unlistedBackoff(unlisted);
  const { attempts, nextAttempt } = open;
  return {
    class: image === undefined ? 'Registry' : 'Image',
    attempts,
    nextAttempt: formatTime(nextAttempt.now),
  };
}

/** By the wall clock alone: a time that is the same at every look is not written again. */
function unlistedBackoff({ reason, attempts, lastAttempt }: Failure): Status['backoff'] {
  const nextAttempt = formatTime(lastAttempt + backoffMs(attempts, 0));
  return { class: reason === 'PodRefused' ? 'Admission' : 'Node', attempts, nextAttempt };
}
