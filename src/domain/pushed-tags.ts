/**
 * Push events on their way from any replica to the leader: the value of the annotation `larder.dev/pushed-tags`.
 * `<revision> <tag>[@<digest>] …`; in place of the tags `*` means: too many, scan the whole list. The leader answers
 * by writing the revision into the status. docs/design/webhooks.md says who writes it, and when.
 */

import { type Digest, validateDigest } from './digest.ts';
import { isValidTag } from './reference.ts';

/** A tag that somebody has pushed. */
export interface PushedTag {
  readonly tag: string;
  /** What the event says it means now; a hint that saves a request, never believed by itself. */
  readonly digest?: Digest | undefined;
}

/** An annotation that was read. */
export interface PushedTags {
  /** Changes with every write; what the leader answers. */
  readonly revision: string;
  readonly tags: readonly PushedTag[];
  /** More tags than the annotation holds. */
  readonly overflow: boolean;
}

/** Tags of one annotation; some 6 KiB with the longest names. */
export const MAX_PUSHED_TAGS = 32;
const OVERFLOW = '*';
const REVISION = /^[A-Za-z0-9-]{1,64}$/;

/** Undefined if the text is none of ours; entries that are no tags are dropped. */
export function readPushedTags(text: string | undefined): PushedTags | undefined {
  const [revision = '', ...entries] = (text ?? '').split(' ');
  if (!REVISION.test(revision)) return undefined;
  const overflow = entries.includes(OVERFLOW) || entries.length > MAX_PUSHED_TAGS;
  return { revision, tags: overflow ? [] : entries.flatMap(readEntry), overflow };
}

/** What the leader has not answered yet. */
export function unansweredPushes(
  text: string | undefined,
  answered: string | undefined,
): PushedTags | undefined {
  const pushed = readPushedTags(text);
  return pushed === undefined || pushed.revision === answered ? undefined : pushed;
}

/** An event to be added to the annotation as it stands. */
export interface PushNote {
  /** Value of the annotation now. */
  readonly text: string | undefined;
  /** `status.lastHandledPush`. */
  readonly answered: string | undefined;
  readonly pushed: readonly PushedTag[];
  /** A new one, unlike all before: 1 to 64 letters, digits and hyphens. */
  readonly revision: string;
}

/**
 * The next value of the annotation: what is unanswered, and the pushed tags. Undefined if nothing has to be written,
 * because the very same digests are waiting already. A tag without digest is always written anew: the leader may have
 * asked for it a moment ago.
 */
export function notePushes({ text, answered, pushed, revision }: PushNote): string | undefined {
  const waiting = unansweredPushes(text, answered);
  if (waiting?.overflow !== true && pushed.every((push) => isWaiting(waiting, push))) return undefined;
  const newest = new Map([...(waiting?.tags ?? []), ...pushed].map((push) => [push.tag, push]));
  const overflows = waiting?.overflow === true || newest.size > MAX_PUSHED_TAGS;
  const entries = overflows ? [OVERFLOW] : [...newest.values()].map(formatEntry);
  return [revision, ...entries].join(' ');
}

function isWaiting(waiting: PushedTags | undefined, { tag, digest }: PushedTag): boolean {
  return (
    digest !== undefined && waiting?.tags.some((one) => one.tag === tag && one.digest === digest) === true
  );
}

function formatEntry({ tag, digest }: PushedTag): string {
  return digest === undefined ? tag : `${tag}@${digest}`;
}

function readEntry(entry: string): readonly PushedTag[] {
  const [tag = '', digest] = entry.split('@');
  if (!isValidTag(tag)) return [];
  const valid = digest === undefined ? undefined : validateDigest(digest);
  return [valid?.ok === true ? { tag, digest: valid.value } : { tag }];
}
