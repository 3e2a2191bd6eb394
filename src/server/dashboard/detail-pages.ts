/** The pages of one source, one image and one node. */

import { html } from 'hono/html';
import { compareNames } from '../../domain/sorted-names.ts';
import { type Column, dataTable, factList } from './data-table.ts';
import {
  coverageMeter,
  type Html,
  healthBadge,
  imageHref,
  nodeHref,
  nothing,
  prepulledBadge,
  type RenderTime,
  shortDigest,
  timeAgo,
  timeUntil,
} from './markup.ts';
import type { HealthView, ImageDetail, NamedImageView, NodeDetail, SourceDetail } from './model.ts';
import { type Page, section } from './page.ts';
import { conditionTable, imageTable, missingTable } from './tables.ts';

export function sourcePage(detail: SourceDetail, moment: RenderTime): Page {
  const { source, named, images, truncated, conditions } = detail;
  const name = `${source.namespace}/${source.name}`;
  const more = truncated ? nothing('There are more; the HTTP API serves all.') : '';
  const matrix = html`<p><a href="/matrix?source=${encodeURIComponent(name)}">These images × nodes</a></p>`;
  return {
    title: name,
    sections: [
      section('state', 'State', sourceState(detail, moment)),
      section('named', 'Recommended and latest', namedList(named)),
      section('images', 'Images', html`${imageTable(images, moment)}${more}${matrix}`),
      section('conditions', 'Conditions', conditionTable(conditions, moment)),
    ],
  };
}

/** Sign, since when, and the sentence. */
function healthText(view: HealthView, moment: RenderTime): Html {
  const since = html`<p>${healthBadge(view)} · ${timeAgo(view.since, moment)}</p>`;
  return html`${since}<p class="message">${view.message}</p>`;
}

function sourceState({ source }: SourceDetail, moment: RenderTime): Html {
  const { image, known, selected, prepulled, lastScan, nextScan } = source;
  const facts = factList('facts', [
    ['Repository', image],
    ['Tags known', known ?? '–'],
    ['Selected', selected],
    ['On all nodes', coverageMeter({ present: prepulled, eligible: selected })],
    ['Last scan', timeAgo(lastScan, moment)],
    ['Next scan', timeUntil(nextScan, moment)],
  ]);
  return html`${healthText(source, moment)}${facts}`;
}

function namedList(named: readonly NamedImageView[]): Html {
  if (named.length === 0) return nothing('None.');
  return factList(
    'facts',
    named.map(({ label, tag, title, prepulled }) => [
      label,
      html`${title} <code>${tag}</code> ${prepulledBadge(prepulled)}`,
    ]),
  );
}

export function imagePage(detail: ImageDetail, moment: RenderTime): Page {
  const { object, reference, image, missing, presentOn, conditions } = detail;
  const facts = factList('facts', [
    ['Image', reference],
    ['Digest', shortDigest(image.digest)],
    ['Aliases', image.aliases.join(', ') || '–'],
    ['Size', image.size ?? '–'],
    ['Nodes', coverageMeter(image.nodes)],
  ]);
  return {
    title: `${object.namespace}/${object.name}`,
    sections: [
      section('state', 'State', html`${healthText(detail, moment)}${facts}`),
      section('missing', 'Missing on', missingTable(missing, 'node', moment)),
      section('present', 'Present on', nodeList(presentOn)),
      section('conditions', 'Conditions', conditionTable(conditions, moment)),
    ],
  };
}

function nodeList(names: readonly string[]): Html {
  if (names.length === 0) return nothing('No node.');
  const items = names.map((name) => html`<li><a href="${nodeHref(name)}">${name}</a></li>`);
  return html`<ul class="names">${items}</ul>`;
}

export function nodePage({ node, present, missing }: NodeDetail, moment: RenderTime): Page {
  const ready = node.ready
    ? healthBadge({ health: 'Ready', reason: '' })
    : healthBadge({ health: 'Failing', reason: 'NotReady' });
  return {
    title: `Node ${node.name}`,
    nav: '/nodes',
    sections: [
      section('node', 'Node', html`<p>${ready} ${node.remarks.join('; ')}</p>${nodeLabels(node)}`),
      section('missing', 'Misses', missingTable(missing, 'image', moment)),
      section('present', 'Has', presentTable(present)),
    ],
  };
}

function nodeLabels({ labels }: NodeDetail['node']): Html {
  const sorted = Object.entries(labels).sort(([left], [right]) => compareNames(left, right));
  const list = factList('labels', sorted);
  return html`<details><summary>${sorted.length} labels</summary>${list}</details>`;
}

type PresentImage = NodeDetail['present'][number];

function presentTable(present: readonly PresentImage[]): Html {
  if (present.length === 0) return nothing('None of the wanted images.');
  const columns: readonly Column<PresentImage>[] = [
    {
      head: 'Image',
      isName: true,
      cell: ({ image, title }) => html`<a href="${imageHref(image)}">${title}</a>`,
    },
    { head: 'Size', isNumber: true, cell: ({ size }) => size ?? '–' },
  ];
  return dataTable('Images on the node', columns, present);
}
