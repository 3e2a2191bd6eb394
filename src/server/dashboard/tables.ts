/** Tables that occur on several pages: what is missing, conditions, events, images. */

import { html } from 'hono/html';
import {
  coverageMeter,
  type Html,
  imageHref,
  type Moment,
  nodeHref,
  nothing,
  scrollTable,
  shortDigest,
  sourceHref,
  timeAgo,
} from './markup.ts';
import type { ConditionView, EventView, ImageView, MissingView } from './model.ts';

/** Which end of the pair the page is not about. */
export type MissingColumns = 'node' | 'image' | 'both';

export function missingTable(rows: readonly MissingView[], columns: MissingColumns, moment: Moment): Html {
  if (rows.length === 0) return nothing('Nothing.');
  const showsImage = columns !== 'node';
  const showsNode = columns !== 'image';
  const head = html`<thead><tr>${showsImage ? html`<th scope="col">Image</th>` : ''}${
    showsNode ? html`<th scope="col">Node</th>` : ''
  }<th scope="col">State</th><th scope="col">Why</th><th scope="col" class="wide">Attempts</th><th scope="col" class="wide">Last attempt</th><th scope="col">Next attempt</th></tr></thead>`;
  const body = rows.map(
    (row) =>
      html`<tr>${showsImage ? imageCell(row) : ''}${
        showsNode ? html`<th scope="row"><a href="${nodeHref(row.node)}">${row.node}</a></th>` : ''
      }<td>${stateBadge(row)}</td><td><strong>${row.reason}</strong> <span class="message">${row.message}</span></td><td class="wide number">${row.attempts}</td><td class="wide">${timeAgo(row.lastAttempt, moment)}</td><td>${timeAgo(row.nextAttempt, moment)}</td></tr>`,
  );
  return scrollTable('What is missing', html`<table>${head}<tbody>${body}</tbody></table>`);
}

function imageCell({ image, imageTitle }: MissingView): Html {
  return html`<th scope="row"><a href="${imageHref(image)}">${imageTitle}</a></th>`;
}

function stateBadge({ state }: MissingView): Html {
  return html`<span class="badge cell-${state.toLowerCase()}">${state}</span>`;
}

export function imageTable(images: readonly ImageView[], moment: Moment): Html {
  if (images.length === 0) return nothing('No image is selected.');
  const rows = images.map(
    (image) =>
      html`<tr><th scope="row">${imageName(image)}${aliases(image)}</th><td>${image.rules.join(', ') || '–'}</td><td class="wide">${image.type ?? '–'}</td><td class="wide">${shortDigest(image.digest)}</td><td class="number">${image.size ?? '–'}</td><td class="wide">${timeAgo(image.date, moment)}</td><td>${coverageMeter(image.nodes)}</td><td>${image.prepulled ? html`<span class="badge ready"><span aria-hidden="true">✓</span> Yes</span>` : html`<span class="badge working">No</span>`}</td></tr>`,
  );
  return scrollTable(
    'Images',
    html`<table><thead><tr><th scope="col">Image</th><th scope="col">Kept by</th><th scope="col" class="wide">Type</th><th scope="col" class="wide">Digest</th><th scope="col">Size</th><th scope="col" class="wide">Age</th><th scope="col">Nodes</th><th scope="col">Prepulled</th></tr></thead><tbody>${rows}</tbody></table>`,
  );
}

function imageName({ tag, title, object }: ImageView): Html {
  const name = object === undefined ? html`${tag}` : html`<a href="${imageHref(object)}">${tag}</a>`;
  return title === tag || title === '' ? name : html`${name} <span class="why">${title}</span>`;
}

function aliases({ aliases: others }: ImageView): Html | string {
  return others.length === 0 ? '' : html`<br><span class="aliases">also ${others.join(', ')}</span>`;
}

export function conditionTable(conditions: readonly ConditionView[], moment: Moment): Html {
  if (conditions.length === 0) return nothing('Larder has not looked at it yet.');
  const rows = conditions.map(
    ({ type, status, reason, message, since }) =>
      html`<tr><th scope="row">${type}</th><td>${status}</td><td><strong>${reason}</strong> <span class="message">${message}</span></td><td class="wide">${timeAgo(since, moment)}</td></tr>`,
  );
  return scrollTable(
    'Conditions',
    html`<table><thead><tr><th scope="col">Condition</th><th scope="col">Status</th><th scope="col">Why</th><th scope="col" class="wide">Since</th></tr></thead><tbody>${rows}</tbody></table>`,
  );
}

export function eventTable(events: readonly EventView[] | undefined, moment: Moment): Html {
  if (events === undefined) return nothing('Events cannot be read now.');
  if (events.length === 0) return nothing('None within the last hour.');
  const rows = events.map(
    (event) =>
      html`<tr${event.isWarning ? html` class="warning"` : ''}><td>${timeAgo(event.at, moment)}</td><th scope="row">${eventObject(event)}</th><td>${event.isWarning ? html`<span class="badge failing">Warning</span> ` : ''}<strong>${event.reason}</strong> <span class="message">${event.message}</span></td></tr>`,
  );
  return scrollTable(
    'Events',
    html`<table><thead><tr><th scope="col">When</th><th scope="col">Object</th><th scope="col">What</th></tr></thead><tbody>${rows}</tbody></table>`,
  );
}

function eventObject({ kind, object }: EventView): Html {
  const name = `${kind} ${object.name}`;
  if (kind === 'ImageSource') return html`<a href="${sourceHref(object)}">${name}</a>`;
  if (kind === 'PrepulledImage') return html`<a href="${imageHref(object)}">${name}</a>`;
  return kind === 'Node' ? html`<a href="${nodeHref(object.name)}">${name}</a>` : html`${name}`;
}
