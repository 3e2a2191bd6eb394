/** The front page: sources with their health, images made by hand, pulls in flight, last events. */

import { html } from 'hono/html';
import { type Column, dataTable, type Fact, factList } from './data-table.ts';
import {
  coverageMeter,
  type Html,
  healthBadge,
  imageHref,
  nothing,
  type RenderTime,
  sourceHref,
  timeAgo,
  timeUntil,
} from './markup.ts';
import type { Overview, SourceView } from './model.ts';
import { type Page, section } from './page.ts';
import { eventTable, missingTable } from './tables.ts';

export function overviewPage(overview: Overview, moment: RenderTime): Page {
  const { sources, others, pulling, events } = overview;
  return {
    title: 'Sources',
    nav: '/',
    sections: [
      section('figures', 'At a glance', factList('figures-list', figures(overview))),
      section('sources', 'Image sources', sourceTable(sources, moment)),
      section('others', 'Images made by hand', otherTable(others)),
      section('pulling', 'Pulls in flight', missingTable(pulling, 'both', moment)),
      section('events', 'Last events', eventTable(events, moment)),
    ],
  };
}

function figures({ nodes, pairs, sources, pulling }: Overview): readonly Fact[] {
  const failing = sources.filter(({ health }) => health === 'Failing').length;
  return [
    ['Sources', withNote(sources.length, failing === 0 ? '' : `${failing} failing`)],
    ['Nodes ready', `${nodes.ready}/${nodes.all}`],
    [
      'Images on nodes',
      withNote(`${pairs.present}/${pairs.eligible}`, pairs.failed === 0 ? '' : `${pairs.failed} failed`),
    ],
    ['Pulling now', pulling.length],
  ];
}

function withNote(value: string | number, note: string): Html {
  return note === '' ? html`${value}` : html`${value} <span class="why">${note}</span>`;
}

function sourceTable(sources: readonly SourceView[], moment: RenderTime): Html {
  if (sources.length === 0) return nothing('There is no ImageSource that you may see.');
  const columns: readonly Column<SourceView>[] = [
    { head: 'Source', isName: true, cell: sourceName },
    { head: 'Health', cell: sourceHealth },
    { head: 'Recommended', isWide: true, cell: ({ recommended }) => recommended ?? '–' },
    {
      head: 'Prepulled',
      cell: ({ prepulled, selected }) => coverageMeter({ present: prepulled, eligible: selected }),
    },
    { head: 'Last scan', isWide: true, cell: ({ lastScan }) => timeAgo(lastScan, moment) },
    { head: 'Next scan', isWide: true, cell: ({ nextScan }) => timeUntil(nextScan, moment) },
  ];
  return dataTable('Image sources', columns, sources);
}

function sourceName(source: SourceView): Html {
  const { namespace, name, image } = source;
  return html`<a href="${sourceHref(source)}">${namespace}/${name}</a><br><span class="why">${image}</span>`;
}

function sourceHealth(source: SourceView): Html {
  const message = source.health === 'Failing' ? html`<br><span class="message">${source.message}</span>` : '';
  return html`${healthBadge(source)}${message}`;
}

type Other = Overview['others'][number];

function otherTable(others: readonly Other[]): Html {
  if (others.length === 0) return nothing('None.');
  const columns: readonly Column<Other>[] = [
    { head: 'PrepulledImage', isName: true, cell: otherName },
    { head: 'Health', cell: healthBadge },
    { head: 'Size', isNumber: true, cell: ({ size }) => size ?? '–' },
    { head: 'Nodes', cell: ({ nodes }) => coverageMeter(nodes) },
  ];
  return dataTable('Images made by hand', columns, others);
}

function otherName({ object, title }: Other): Html {
  if (object === undefined) return html`${title}`;
  const link = html`<a href="${imageHref(object)}">${object.namespace}/${object.name}</a>`;
  return html`${link}<br><span class="why">${title}</span>`;
}
