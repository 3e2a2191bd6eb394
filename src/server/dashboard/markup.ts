/** Pieces of markup that all pages share. Everything put into `html` is escaped; nothing is marked as safe. */

import { html } from 'hono/html';
import { formatDuration } from '../../domain/duration.ts';
import type { Health, HealthView, ObjectName } from './model.ts';

/** What a view returns; hono resolves promises inside. */
export type Html = ReturnType<typeof html>;

/** The moment a page is rendered at, milliseconds since the epoch: ages are told relative to it. */
export interface RenderTime {
  readonly now: number;
}

const SIGNS: Readonly<Record<Health, string>> = {
  Ready: '✓',
  Working: '↻',
  Failing: '✗',
  Suspended: '‖',
  Unknown: '?',
};

/** Sign, word and reason: never colour alone. */
export function healthBadge({ health, reason }: Pick<HealthView, 'health' | 'reason'>): Html {
  const why = reason === '' || reason === health ? '' : html` <span class="why">${reason}</span>`;
  const sign = html`<span aria-hidden="true">${SIGNS[health]}</span>`;
  return html`<span class="badge ${health.toLowerCase()}">${sign} ${health}</span>${why}`;
}

/** A time with its age, exact in the attribute and in the tooltip; a dash if there is none. */
export function timeAgo(at: number | undefined, { now }: RenderTime): Html {
  if (at === undefined) return html`–`;
  const iso = new Date(at).toISOString().replace(/\.\d+Z$/, 'Z');
  const distance = formatAge(Math.abs(now - at));
  const text = now >= at ? `${distance} ago` : `in ${distance}`;
  return html`<time datetime="${iso}" title="${iso}">${text}</time>`;
}

/** When something is to happen: in how long, or that it is due; a dash if nobody knows. */
export function timeUntil(at: number | undefined, moment: RenderTime): Html {
  return at !== undefined && at <= moment.now ? html`due` : timeAgo(at, moment);
}

/** The largest unit only: 90 s is "1m", two days are "2d". */
function formatAge(milliseconds: number): string {
  const day = 86_400_000;
  if (milliseconds >= day) return `${Math.floor(milliseconds / day)}d`;
  if (milliseconds >= 3_600_000) return `${Math.floor(milliseconds / 3_600_000)}h`;
  if (milliseconds >= 60_000) return `${Math.floor(milliseconds / 60_000)}m`;
  return formatDuration(Math.floor(milliseconds / 1_000) * 1_000);
}

/** Whether every node that should have the image has it. */
export function prepulledBadge(prepulled: boolean): Html {
  if (!prepulled) return html`<span class="badge working">No</span>`;
  return html`<span class="badge ready"><span aria-hidden="true">✓</span> Yes</span>`;
}

/** The first characters, the whole as a tooltip. */
export function shortDigest(digest: string | undefined): Html {
  if (digest === undefined) return html`–`;
  const hex = digest.slice(digest.indexOf(':') + 1);
  return html`<code title="${digest}">${hex.slice(0, 12)}</code>`;
}

/** Present of eligible as a bar and as figures. */
export function coverageMeter(
  nodes: { readonly present: number; readonly eligible: number } | undefined,
): Html {
  if (nodes === undefined) return html`–`;
  const { present, eligible } = nodes;
  const figures = `${present}/${eligible}`;
  const range = html`min="0" max="${Math.max(1, eligible)}" value="${present}"`;
  const bar = html`<meter ${range} aria-label="nodes that have it">${figures}</meter>`;
  return html`${bar} <span class="figures">${figures}</span>`;
}

export function sourceHref({ namespace, name }: ObjectName): string {
  return `/sources/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`;
}

export function imageHref({ namespace, name }: ObjectName): string {
  return `/images/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`;
}

export function nodeHref(name: string): string {
  return `/nodes/${encodeURIComponent(name)}`;
}

/** What stands in place of an empty table. */
export function nothing(text: string): Html {
  return html`<p class="nothing">${text}</p>`;
}
