/** Annotations by which people and tools ask for an immediate pass, as `flux reconcile` and `kubectl annotate` write them. */

import type { KubeObject } from './resource.ts';

/** Characters that `lastHandledReconcileAt` holds; anybody may annotate with more, and no status would be taken then. */
const MAX_REQUEST = 128;

/**
 * The newest value of the request annotations if it is not the one that has been answered; of a longer value, as much as
 * the status can hold.
 */
export function pendingRequest(
  { metadata }: KubeObject,
  annotations: readonly string[],
  answered: string | undefined,
): string | undefined {
  const values = annotations
    .map((name) => metadata.annotations?.[name])
    .filter((value) => value !== undefined)
    .map((value) =>
      Array.from(value.slice(0, 2 * MAX_REQUEST))
        .slice(0, MAX_REQUEST)
        .join(''),
    )
    .sort((left, right) => timeOf(left) - timeOf(right) || (left < right ? -1 : 1));
  const newest = values.at(-1);
  return newest === answered ? undefined : newest;
}

/** Tools write RFC 3339, people `date +%s`; whatever is no time is older than all that is. */
function timeOf(text: string): number {
  if (/^\d{9,11}$/.test(text)) return Number(text) * 1_000;
  const time = /^\d{12,14}$/.test(text) ? Number(text) : Date.parse(text);
  return Number.isNaN(time) ? 0 : time;
}
