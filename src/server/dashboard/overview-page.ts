/** The front page: sources with their health, images made by hand, pulls in flight, last events. */

import { html } from 'hono/html';
import {
  coverageMeter,
  type Html,
  healthBadge,
  imageHref,
  type Moment,
  nothing,
  scrollTable,
  sourceHref,
  timeAgo,
} from './markup.ts';
import type { Overview, SourceView } from './model.ts';
import { type Page, section } from './page.ts';
import { eventTable, missingTable } from './tables.ts';

export function overviewPage(overview: Overview, moment: Moment): Page {
  const { sources, others, pulling, events } = overview;
  return {
    title: 'Sources',
    nav: '/',
    sections: [
      section('figures', 'At a glance', figures(overview)),
      section('sources', 'Image sources', sourceTable(sources, moment)),
      section('others', 'Images made by hand', otherTable(others)),
      section('pulling', 'Pulls in flight', missingTable(pulling, 'both', moment)),
      section('events', 'Last events', eventTable(events, moment)),
    ],
  };
}

function figures({ nodes, pairs, sources, pulling }: Overview): Html {
  const failing = sources.filter(({ health }) => health === 'Failing').length;
  const figure = (name: string, value: string, note = ''): Html =>
    html`<div><dt>${name}</dt><dd>${value}${note === '' ? '' : html` <span class="why">${note}</span>`}</dd></div>`;
  return html`<dl class="figures-list">${figure('Sources', String(sources.length), failing === 0 ? '' : `${failing} failing`)}${figure('Nodes ready', `${nodes.ready}/${nodes.all}`)}${figure('Images on nodes', `${pairs.present}/${pairs.eligible}`, pairs.failed === 0 ? '' : `${pairs.failed} failed`)}${figure('Pulling now', String(pulling.length))}</dl>`;
}

function sourceTable(sources: readonly SourceView[], moment: Moment): Html {
  if (sources.length === 0) return nothing('There is no ImageSource that you may see.');
  const rows = sources.map(
    (source) =>
      html`<tr><th scope="row"><a href="${sourceHref(source)}">${source.namespace}/${source.name}</a><br><span class="why">${source.image}</span></th><td>${healthBadge(source)}${
        source.health === 'Failing' ? html`<br><span class="message">${source.message}</span>` : ''
      }</td><td class="wide">${source.recommended ?? '–'}</td><td>${coverageMeter({ present: source.prepulled, eligible: source.selected })}</td><td class="wide">${timeAgo(source.lastScan, moment)}</td><td class="wide">${timeAgo(source.nextScan, moment)}</td></tr>`,
  );
  return scrollTable(
    'Image sources',
    html`<table><thead><tr><th scope="col">Source</th><th scope="col">Health</th><th scope="col" class="wide">Recommended</th><th scope="col">Prepulled</th><th scope="col" class="wide">Last scan</th><th scope="col" class="wide">Next scan</th></tr></thead><tbody>${rows}</tbody></table>`,
  );
}

function otherTable(others: Overview['others']): Html {
  if (others.length === 0) return nothing('None.');
  const rows = others.map(
    (image) =>
      html`<tr><th scope="row">${image.object === undefined ? image.title : html`<a href="${imageHref(image.object)}">${image.object.namespace}/${image.object.name}</a><br><span class="why">${image.title}</span>`}</th><td>${healthBadge(image)}</td><td class="number">${image.size ?? '–'}</td><td>${coverageMeter(image.nodes)}</td></tr>`,
  );
  return scrollTable(
    'Images made by hand',
    html`<table><thead><tr><th scope="col">PrepulledImage</th><th scope="col">Health</th><th scope="col">Size</th><th scope="col">Nodes</th></tr></thead><tbody>${rows}</tbody></table>`,
  );
}
