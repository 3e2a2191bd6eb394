/** Push events: what a few tags mean now, without reading the list again. */

import type { PushedTag } from '../../domain/pushed-tags.ts';
import type { TagList } from '../../registry/client.ts';
import { newScanMeter } from '../../registry/meter.ts';
import { concludeScan, planList, type RegistryVisit, type ScanResult } from './scan.ts';

export interface PushedUpdate {
  readonly pushed: readonly PushedTag[];
  /** As for a scan: events must not make the list longer than the registry may. */
  readonly maxTags: number;
}

/**
 * The last scan as it would be now that these tags were pushed. Asked for are only those of them that are wanted and
 * whose digest is not the one we know, and tags that a new one makes wanted. Undefined if only a whole scan can tell:
 * one of them is wanted, and gone or not to be asked for, or the list has become too long.
 *
 * @throws RegistryError as `findDigests`
 */
export async function updateTags(
  visit: RegistryVisit,
  last: ScanResult,
  { pushed, maxTags }: PushedUpdate,
): Promise<ScanResult | undefined> {
  const events = new Map(pushed.map((push) => [push.tag, push]));
  const list = withTags(last.list, [...events.keys()]);
  if (list.tags.length > maxTags) return undefined;
  const updated = await concludeScan(visit, {
    list,
    listed: last.listed,
    plan: list === last.list ? last.plan : await planList(visit, list),
    meter: newScanMeter(),
    started: visit.clock.monotonic(),
    believed: (tag) => {
      const known = last.digests.get(tag);
      const event = events.get(tag);
      return event === undefined || (event.digest !== undefined && event.digest === known)
        ? known
        : undefined;
    },
    lastKnown: (tag) => last.digests.get(tag),
  });
  const unanswered = [...updated.vanished, ...updated.failed.map(({ tag }) => tag)];
  if (unanswered.some((tag) => events.has(tag))) return undefined;
  const { list: current, plan, digests, images } = updated;
  // Whatever was pushed has been answered; of the others only those without any digest were asked for again.
  const standing = last.failed.filter(({ tag, kept }) => kept && digests.has(tag) && !events.has(tag));
  const failed = [...standing, ...updated.failed];
  return { ...last, list: current, plan, digests, images, failed };
}

/** New tags join at the end of the list. */
function withTags(list: TagList, names: readonly string[]): TagList {
  const listed = new Set(list.tags);
  const added = names.filter((tag) => !listed.has(tag));
  return added.length === 0 ? list : { ...list, tags: [...list.tags, ...added] };
}
