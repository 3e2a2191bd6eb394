/** Tables that occur on several pages: what is missing, conditions, events, images. */

import { html } from 'hono/html';
import { type Column, dataTable } from './data-table.ts';
import {
  coverageMeter,
  type Html,
  imageHref,
  nodeHref,
  nothing,
  prepulledBadge,
  type RenderTime,
  shortDigest,
  sourceHref,
  timeAgo,
  timeUntil,
} from './markup.ts';
import type { ConditionView, EventView, ImageView, MissingView } from './model.ts';

/** Which ends of the pair are not clear from the page. */
export type MissingColumns = 'node' | 'image' | 'both';

export function missingTable(rows: readonly MissingView[], ends: MissingColumns, moment: RenderTime): Html {
  if (rows.length === 0) return nothing('Nothing.');
  const image: Column<MissingView> = {
    head: 'Image',
    isName: true,
    cell: (row) => html`<a href="${imageHref(row.image)}">${row.imageTitle}</a>`,
  };
  const node: Column<MissingView> = {
    head: 'Node',
    isName: true,
    cell: (row) => html`<a href="${nodeHref(row.node)}">${row.node}</a>`,
  };
  const columns: readonly Column<MissingView>[] = [
    ...(ends === 'node' ? [] : [image]),
    ...(ends === 'image' ? [] : [node]),
    { head: 'State', cell: stateBadge },
    { head: 'Why', cell: reasonText },
    { head: 'Attempts', isWide: true, isNumber: true, cell: ({ attempts }) => attempts },
    { head: 'Last attempt', isWide: true, cell: ({ lastAttempt }) => timeAgo(lastAttempt, moment) },
    { head: 'Next attempt', cell: ({ nextAttempt }) => timeUntil(nextAttempt, moment) },
  ];
  return dataTable('What is missing', columns, rows);
}

function stateBadge({ state }: MissingView): Html {
  return html`<span class="badge cell-${state.toLowerCase()}">${state}</span>`;
}

function reasonText({ reason, message }: { readonly reason: string; readonly message: string }): Html {
  return html`<strong>${reason}</strong> <span class="message">${message}</span>`;
}

export function imageTable(images: readonly ImageView[], moment: RenderTime): Html {
  if (images.length === 0) return nothing('No image is selected.');
  const columns: readonly Column<ImageView>[] = [
    { head: 'Image', isName: true, cell: imageName },
    { head: 'Kept by', cell: ({ rules }) => rules.join(', ') || '–' },
    { head: 'Type', isWide: true, cell: ({ type }) => type ?? '–' },
    { head: 'Digest', isWide: true, cell: ({ digest }) => shortDigest(digest) },
    { head: 'Size', isNumber: true, cell: ({ size }) => size ?? '–' },
    { head: 'Age', isWide: true, cell: ({ date }) => timeAgo(date, moment) },
    { head: 'Nodes', cell: ({ nodes }) => coverageMeter(nodes) },
    { head: 'Prepulled', cell: ({ prepulled }) => prepulledBadge(prepulled) },
  ];
  return dataTable('Images', columns, images);
}

function imageName({ tag, title, object, aliases }: ImageView): Html {
  const name = object === undefined ? html`${tag}` : html`<a href="${imageHref(object)}">${tag}</a>`;
  const words = title === tag || title === '' ? '' : html` <span class="why">${title}</span>`;
  const others = aliases.length === 0 ? '' : html`<br><span class="why">also ${aliases.join(', ')}</span>`;
  return html`${name}${words}${others}`;
}

export function conditionTable(conditions: readonly ConditionView[], moment: RenderTime): Html {
  if (conditions.length === 0) return nothing('Larder has not looked at it yet.');
  const columns: readonly Column<ConditionView>[] = [
    { head: 'Condition', isName: true, cell: ({ type }) => type },
    { head: 'Status', cell: ({ status }) => status },
    { head: 'Why', cell: reasonText },
    { head: 'Since', isWide: true, cell: ({ since }) => timeAgo(since, moment) },
  ];
  return dataTable('Conditions', columns, conditions);
}

export function eventTable(events: readonly EventView[] | undefined, moment: RenderTime): Html {
  if (events === undefined) return nothing('Events cannot be read now.');
  if (events.length === 0) return nothing('None within the last hour.');
  const columns: readonly Column<EventView>[] = [
    { head: 'When', cell: ({ at }) => timeAgo(at, moment) },
    { head: 'Object', isName: true, cell: eventObject },
    { head: 'What', cell: eventText },
  ];
  return dataTable('Events', columns, events);
}

function eventText(event: EventView): Html {
  const warning = event.isWarning ? html`<span class="badge failing">Warning</span> ` : '';
  return html`${warning}${reasonText(event)}`;
}

function eventObject({ kind, object }: EventView): Html {
  const name = `${kind} ${object.name}`;
  if (kind === 'ImageSource') return html`<a href="${sourceHref(object)}">${name}</a>`;
  if (kind === 'PrepulledImage') return html`<a href="${imageHref(object)}">${name}</a>`;
  return kind === 'Node' ? html`<a href="${nodeHref(object.name)}">${name}</a>` : html`${name}`;
}
