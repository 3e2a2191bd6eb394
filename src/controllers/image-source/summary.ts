/** What Ready of an ImageSource says after a pass. */

import type { ImageSourceStatus } from '../../api/image-source.ts';
import type { ImageSourceReason } from '../../api/reasons.ts';
import type { HeldBack } from '../../domain/newest-seen.ts';
import { unselectedNames } from '../../domain/selection.ts';
import type { Draft, Summary } from '../../kube/conclusion.ts';
import { type Condition, findCondition } from '../../kube/condition.ts';
import { CREDENTIALS_READY } from '../credentials-condition.ts';
import type { ScanResult } from './scan.ts';
import type { SourceMemory } from './scan-memory.ts';

/**
 * Ready: the newest scan attempt has succeeded, nodes can pull with the same credentials, the list is not older than
 * one seen before, and every selected image has a digest that could be asked for, now or earlier.
 */
export function summarise(memory: SourceMemory | undefined, draft: Draft<ImageSourceStatus>): Summary {
  const trouble = memory?.failure ?? findFalse(draft, CREDENTIALS_READY);
  if (trouble !== undefined) return retrying(trouble);
  return judge(memory?.held?.[0], memory?.result) ?? succeeded(draft, memory?.result);
}

/** A verdict of our own; what failed outside brings its own word. */
interface Verdict extends Summary {
  readonly reason: ImageSourceReason;
}

/** A list that was read may still be older than it should be, or tell too little. */
function judge(held: HeldBack | undefined, result: ScanResult | undefined): Verdict | undefined {
  if (held !== undefined) return { status: 'False', reason: 'DowngradeRefused', message: heldMessage(held) };
  return result === undefined || result.failed.length === 0 ? undefined : incomplete(result);
}

function succeeded(
  { counts: { selected = 0, known = 0 } = {} }: Draft<ImageSourceStatus>,
  result: ScanResult | undefined,
): Verdict {
  const leftOut = selected === 0 ? leftOutWords(result) : '';
  const message = `${selected} of ${known} tags are selected${leftOut}${unselected(result)}`;
  return { status: 'True', reason: 'Succeeded', message };
}

/** A source that selects nothing has retired all it had: a filter that takes everything away must not go unseen. */
function leftOutWords(result: ScanResult | undefined): string {
  const count = result?.plan.listing.ignored.size ?? 0;
  return count === 0 ? '' : `; spec.tags leaves out the other ${count} of the repository`;
}

/** Tags may be named before they are pushed, and after they are gone: nothing is wrong, but somebody may have mistyped. */
function unselected(result: ScanResult | undefined): string {
  if (result === undefined) return '';
  const [first, ...more] = unselectedNames(result.images.selection, result.plan);
  if (first === undefined) return '';
  const others = more.length === 0 ? '' : `, and ${more.length} more that rules name`;
  return `, but not ${first.tag} (rule ${first.rule}): ${first.reason}${others}`;
}

interface Words<R extends string> {
  readonly reason: R;
  readonly message: string;
}

function findFalse(draft: Draft<ImageSourceStatus>, type: string): Condition | undefined {
  const condition = findCondition(draft, type);
  return condition?.status === 'False' ? condition : undefined;
}

function retrying<R extends string>({ reason, message }: Words<R>): Summary & Words<R> {
  return { status: 'False', reason, message, progressing: { reason: 'ProgressingWithRetry', message } };
}

/** False only if a selected image has no digest at all: it cannot be stocked then. */
function incomplete({ failed, plan }: ScanResult): Verdict {
  const kept = failed.filter((tag) => tag.kept).length;
  const [first] = failed;
  const message =
    `${failed.length} of ${plan.needsDigest.length} digests could not be asked for (${kept} keep their last one, ` +
    `${failed.length - kept} have none), first ${first?.tag ?? ''}: ${first?.message ?? ''}`;
  const isStocked = failed.every(({ tag, kept: stands }) => stands || !plan.chosen.has(tag));
  const words = { reason: 'DigestsIncomplete', message } as const;
  // Nothing is pending then: who waits for the source must not wait for a tag that may never be told.
  return isStocked ? { status: 'True', ...words } : retrying(words);
}

function heldMessage({ field, candidate, newestSeen }: HeldBack): string {
  const now = candidate ?? 'nothing, or to an image of which no version is known';
  return `${field} stays: the list has lost ${newestSeen} and would move it back to ${now}; spec.allowDowngrade permits that`;
}
