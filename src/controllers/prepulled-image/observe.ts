/** Phase: where the image is, from the coverage index; writes are paced while pulls are under way. */

import type { NotPresent, PrepulledImage } from '../../api/prepulled-image.ts';
import { type Circuits, hostCircuit, imageCircuit } from '../../domain/circuits.ts';
import type { Failure } from '../../domain/coverage.ts';
import type { StockIndex } from '../../domain/stock-index.ts';
import { backoffMs } from '../../domain/stock-plan.ts';
import type { MissingNode, StockReport } from '../../domain/stock-report.ts';
import type { Want } from '../../domain/want.ts';
import { isEqual } from '../../json.ts';
import type { Draft } from '../../kube/conclusion.ts';
import { type ConditionMoment, findCondition, formatTime, setCondition } from '../../kube/condition.ts';
import type { PhaseContext } from '../../kube/reconciler.ts';
import { done, minResult, type Result } from '../../kube/result.ts';
import { wantOf } from '../want.ts';
import { prepulledWords } from './prepulled-words.ts';
import { findRefusal } from './refusal.ts';
import type { Status } from './status.ts';
import { isStocked } from './summary.ts';

export interface ObserveOptions {
  readonly index: StockIndex;
  readonly circuits: Circuits;
  /** Why an image is not stocked although it could be; see `Wants`. */
  readonly refusal: (wantId: string) => string | undefined;
}

/** Between two writes for one object while it is being pulled; times in a status have whole seconds. */
const PACE_MS = 3_000;
const LIMITS = { present: 100, missing: 32 };
const MAX_MESSAGE = 256;

export function observePhase(options: ObserveOptions) {
  return (image: PrepulledImage, draft: Draft<Status>, context: PhaseContext): Result => {
    const want = wantOf({ ...image, status: draft });
    const moment = { now: context.now, generation: image.metadata.generation };
    if (want === undefined) {
      forget(draft, moment);
      return done;
    }
    const refusal = options.refusal(want.id);
    if (refusal !== undefined) {
      refuse(draft, refusal, moment);
      return done;
    }
    return record(options, { image, draft, context }, want);
  };
}

interface Pass {
  readonly image: PrepulledImage;
  readonly draft: Draft<Status>;
  readonly context: PhaseContext;
}

/** Writes the figures into the draft, at once or when it is their turn. */
function record(options: ObserveOptions, { image, draft, context }: Pass, want: Want): Result {
  const report = options.index.report(want, LIMITS);
  const { lookAfterMs } = options.index.newcomers(want.id);
  const words = prepulledWords(wholeReport(options, want, report), findRefusal(image, draft));
  const backoff = backoffOf(want, report, options);
  const next = { ...figures(report), prepulled: words.status === 'True', backoff };
  const isSaid = isObserved(image, draft) && findCondition(draft, 'Prepulled')?.reason === words.reason;
  if (isSaid && isSame(draft, next)) return { requeueAfterMs: lookAfterMs };
  const mayWait = isSaid && isAboutTheSame(image, draft) && isUnderWay(report);
  const wait = mayWait ? paceOf(draft, context.now) : 0;
  if (wait > 0) return minResult({ requeueAfterMs: wait }, { requeueAfterMs: lookAfterMs });
  const { generation } = image.metadata;
  Object.assign(draft, next, { coverageTime: formatTime(context.now) });
  if (isStocked(image, report)) draft.stockedGeneration = generation;
  const moment = { now: context.now, generation };
  setCondition(draft, { type: 'Prepulled', ...words }, moment);
  return { requeueAfterMs: lookAfterMs };
}

/** That no node can run the image is not told from a part of the list; any other reason in it is enough. */
function wholeReport({ index }: ObserveOptions, want: Want, report: StockReport): StockReport {
  const { eligible, skipped, missing } = report;
  const mayBeAll = eligible === 0 && missing.every(({ reason }) => reason === 'PlatformMismatch');
  return mayBeAll && skipped > missing.length ? index.report(want, { present: 0, missing: skipped }) : report;
}

/** What is held back, everywhere or on nodes that no list has room for, and until when; where nothing is missing, nothing is. */
function backoffOf(
  want: Want,
  { present, eligible, unlisted }: StockReport,
  { circuits }: ObserveOptions,
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

type Figures = Pick<
  Status,
  'nodes' | 'ready' | 'prepulled' | 'presentOn' | 'notPresent' | 'truncated' | 'backoff'
>;

/** Nobody knows which image the spec means: figures of another one would be a lie. */
function forget(draft: Draft<Status>, moment: ConditionMoment): void {
  clearFigures(draft);
  const { reason = 'Progressing', message = '' } = findCondition(draft, 'Resolved') ?? {};
  setCondition(draft, { type: 'Prepulled', status: 'Unknown', reason, message }, moment);
}

/** Above the limits of its namespace no node is asked for it; what may lie on nodes is not looked after. */
function refuse(draft: Draft<Status>, message: string, moment: ConditionMoment): void {
  clearFigures(draft);
  setCondition(
    draft,
    { type: 'Prepulled', status: 'False', reason: 'NamespaceLimitExceeded', message },
    moment,
  );
}

function clearFigures(draft: Draft<Status>): void {
  const nothing: Record<keyof Figures | 'coverageTime', undefined> = {
    nodes: undefined,
    ready: undefined,
    prepulled: undefined,
    presentOn: undefined,
    notPresent: undefined,
    truncated: undefined,
    backoff: undefined,
    coverageTime: undefined,
  };
  Object.assign(draft, nothing, { prepulled: false });
}

function figures(report: StockReport): Omit<Figures, 'backoff' | 'prepulled'> {
  const { eligible, present, unknown, pulling, waiting, failed, skipped } = report;
  const isTruncated = eligible - present + skipped > report.missing.length;
  return {
    nodes: { eligible, present, unknown, pulling, waiting, failed, skipped },
    ready: `${present}/${eligible}`,
    presentOn: report.presentOn,
    notPresent: report.missing.map(notPresent),
    truncated: isTruncated ? true : undefined,
  };
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

function isUnderWay({ pulling, waiting, unknown }: StockReport): boolean {
  return pulling + waiting + unknown > 0;
}

function isSame(draft: Draft<Status>, next: Figures): boolean {
  const { nodes, ready, prepulled, presentOn, notPresent: missing, truncated, backoff } = draft;
  return isEqual({ nodes, ready, prepulled, presentOn, notPresent: missing, truncated, backoff }, next);
}

/** Whether the figures in the status are about this generation of the spec. */
function isObserved(image: PrepulledImage, draft: Draft<Status>): boolean {
  return findCondition(draft, 'Prepulled')?.observedGeneration === image.metadata.generation;
}

/** Figures about an older digest are never left standing: after a restart they would be taken for this one's. */
function isAboutTheSame(image: PrepulledImage, draft: Draft<Status>): boolean {
  return isObserved(image, draft) && image.status?.image?.digest === draft.image?.digest;
}

/** Longer than the pace means that the clock was set back. */
function paceOf({ coverageTime = '' }: Draft<Status>, now: number): number {
  const wait = Date.parse(coverageTime) + PACE_MS - now;
  return wait <= PACE_MS ? wait : 0;
}
