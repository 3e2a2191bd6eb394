/** A push as every vendor's event is read: which tag of which repository now means something else. */

import { type Digest, isValidDigest } from '../../domain/digest.ts';
import { isValidTag } from '../../domain/reference.ts';
import { err, ok, type Result } from '../../domain/result.ts';

/** One tag that was pushed. */
export interface Push {
  /** Path below the registry, lower case, without host. */
  readonly repository: string;
  readonly tag: string;
  /** As the event says; the registry is asked all the same. */
  readonly digest?: Digest;
  /** The vendor's id of the event, if it has one: the same id twice is a replay. */
  readonly eventId?: string;
  /** When it happened by the vendor's clock, milliseconds since the epoch. */
  readonly occurredAt?: number;
}

/** What an event says before it is checked; null and absent are the same. */
export interface PushDraft {
  readonly repository: string;
  /** Absent: an event about a blob or an untagged manifest. */
  readonly tag?: string | null | undefined;
  readonly digest?: string | null | undefined;
  readonly eventId?: string | undefined;
  /** RFC 3339, or seconds since the epoch. */
  readonly time?: string | number | undefined;
}

/** What has no tag concerns no tag and is left out; what names an impossible tag refuses the whole payload. */
export function readPushes(drafts: readonly PushDraft[]): Result<readonly Push[]> {
  const pushes: Push[] = [];
  for (const draft of drafts) {
    const { tag } = draft;
    if (tag === undefined || tag === null || tag === '') continue;
    if (!isValidTag(tag)) return err('the tag of an event is not a valid tag');
    pushes.push(readPush(draft, tag));
  }
  return ok(pushes);
}

function readPush({ repository, digest, eventId, time }: PushDraft, tag: string): Push {
  const occurredAt = readTime(time);
  return {
    repository: repository.toLowerCase(),
    tag,
    ...(isDigest(digest) && { digest }),
    ...(eventId !== undefined && eventId !== '' && { eventId }),
    ...(occurredAt !== undefined && { occurredAt }),
  };
}

function isDigest(text: string | null | undefined): text is Digest {
  return typeof text === 'string' && isValidDigest(text);
}

/** Milliseconds since the epoch; undefined if it is no time. */
function readTime(time: string | number | undefined): number | undefined {
  if (time === undefined) return undefined;
  const milliseconds = typeof time === 'number' ? time * 1000 : Date.parse(time);
  return Number.isFinite(milliseconds) ? milliseconds : undefined;
}
