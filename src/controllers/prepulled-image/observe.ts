/** Phase: where the image is, from the coverage index; writes are paced while pulls are under way. */

import type { PrepulledImage } from '../../api/prepulled-image.ts';
import type { Circuits } from '../../domain/circuits.ts';
import type { StockIndex } from '../../domain/stock-index.ts';
import type { StockReport } from '../../domain/stock-report.ts';
import type { Want } from '../../domain/want.ts';
import type { Draft } from '../../kube/conclusion.ts';
import { findCondition, formatTime } from '../../kube/condition.ts';
import type { PhaseContext } from '../../kube/reconciler.ts';
import { done, minResult, type Result } from '../../kube/result.ts';
import { wantOf } from '../want.ts';
import { figuresOf, NO_FIGURES, tellsFigures } from './figures.ts';
import { prepulledWords, type Words } from './prepulled-words.ts';
import { findRefusal } from './refusal.ts';
import { marker, type Pass, type Status } from './status.ts';
import { isStocked } from './summary.ts';

export interface ObserveOptions {
  readonly index: StockIndex;
  readonly circuits: Circuits;
  /** Why an image is not stocked although it could be; see `Wants`. */
  readonly refusal: (wantId: string) => string | undefined;
}

/** Between two writes for one object while it is being pulled; times in a status have whole seconds. */
const PACE_MS = 3_000;
/** As many nodes as the status names. */
const LIMITS = { present: 100, missing: 32 };

export function observePhase(options: ObserveOptions) {
  return (image: PrepulledImage, draft: Draft<Status>, context: PhaseContext): Result => {
    const pass = { image, draft, context };
    const want = wantOf({ ...image, status: draft });
    if (want === undefined) {
      // Nobody knows which image the spec means: figures of another one would be a lie.
      const { reason = 'Progressing', message = '' } = findCondition(draft, 'Resolved') ?? {};
      return lookAway(pass, { status: 'Unknown', reason, message });
    }
    const refusal = options.refusal(want.id);
    if (refusal === undefined) return look(options, pass, want);
    // No node is asked for it; what may lie on nodes is not looked after.
    return lookAway(pass, { status: 'False', reason: 'NamespaceLimitExceeded', message: refusal });
  };
}

function lookAway(pass: Pass, words: Words): Result {
  Object.assign(pass.draft, NO_FIGURES);
  marker(pass)({ type: 'Prepulled', ...words });
  return done;
}

/** Writes the figures into the draft, at once or when it is their turn. */
function look(options: ObserveOptions, pass: Pass, want: Want): Result {
  const { image, draft, context } = pass;
  const report = options.index.report(want, LIMITS);
  const later = { requeueAfterMs: options.index.newcomers(want.id).lookAfterMs };
  const words = prepulledWords(wholeReport(options, want, report), findRefusal(image, draft));
  const { circuits } = options;
  const figures = figuresOf(want, report, { circuits, prepulled: words.status === 'True' });
  const isSaid = isObserved(image, draft) && findCondition(draft, 'Prepulled')?.reason === words.reason;
  if (isSaid && tellsFigures(draft, figures)) return later;
  const mayWait = isSaid && isAboutTheSame(image, draft) && isUnderWay(report);
  const waitMs = mayWait ? paceOf(draft, context.now) : 0;
  if (waitMs > 0) return minResult({ requeueAfterMs: waitMs }, later);
  Object.assign(draft, figures, { coverageTime: formatTime(context.now) });
  if (isStocked(image, report)) draft.stockedGeneration = image.metadata.generation;
  marker(pass)({ type: 'Prepulled', ...words });
  return later;
}

/** That no node can run the image is not told from a part of the list; any other reason in it is enough. */
function wholeReport({ index }: ObserveOptions, want: Want, report: StockReport): StockReport {
  const { eligible, skipped, missing } = report;
  const mayBeAll = eligible === 0 && missing.every(({ reason }) => reason === 'PlatformMismatch');
  return mayBeAll && skipped > missing.length ? index.report(want, { present: 0, missing: skipped }) : report;
}

function isUnderWay({ pulling, waiting, unknown }: StockReport): boolean {
  return pulling + waiting + unknown > 0;
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
