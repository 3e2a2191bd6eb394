/** The pages of one source, one image and one node. */

import { html } from 'hono/html';
import {
  coverageMeter,
  type Html,
  healthBadge,
  imageHref,
  type Moment,
  nodeHref,
  nothing,
  scrollTable,
  shortDigest,
  timeAgo,
} from './markup.ts';
import type { ImageDetail, NamedImageView, NodeDetail, SourceDetail } from './model.ts';
import { type Page, section } from './page.ts';
import { conditionTable, imageTable, missingTable } from './tables.ts';

export function sourcePage(detail: SourceDetail, moment: Moment): Page {
  const { source, named, images, truncated, conditions } = detail;
  const matrix = `/matrix?source=${encodeURIComponent(`${source.namespace}/${source.name}`)}`;
  const more = truncated ? nothing('There are more; the HTTP API serves all.') : '';
  return {
    title: `${source.namespace}/${source.name}`,
    sections: [
      section('state', 'State', sourceState(detail, moment)),
      section('named', 'Recommended and latest', namedList(named)),
      section(
        'images',
        'Images',
        html`${imageTable(images, moment)}${more}<p><a href="${matrix}">These images × nodes</a></p>`,
      ),
      section('conditions', 'Conditions', conditionTable(conditions, moment)),
    ],
  };
}

function sourceState({ source }: SourceDetail, moment: Moment): Html {
  return html`<p>${healthBadge(source)} since ${timeAgo(source.since, moment)}</p><p class="message">${source.message}</p>
<dl class="facts"><div><dt>Repository</dt><dd>${source.image}</dd></div><div><dt>Tags known</dt><dd>${source.known ?? '–'}</dd></div><div><dt>Selected</dt><dd>${source.selected}</dd></div><div><dt>On all nodes</dt><dd>${coverageMeter({ present: source.prepulled, eligible: source.selected })}</dd></div><div><dt>Last scan</dt><dd>${timeAgo(source.lastScan, moment)}</dd></div><div><dt>Next scan</dt><dd>${timeAgo(source.nextScan, moment)}</dd></div></dl>`;
}

function namedList(named: readonly NamedImageView[]): Html {
  if (named.length === 0) return nothing('None.');
  return html`<dl class="facts">${named.map(
    ({ label, tag, title, prepulled }) =>
      html`<div><dt>${label}</dt><dd>${title} <code>${tag}</code> ${prepulled ? html`<span class="badge ready"><span aria-hidden="true">✓</span> prepulled</span>` : html`<span class="badge working">not everywhere</span>`}</dd></div>`,
  )}</dl>`;
}

export function imagePage(detail: ImageDetail, moment: Moment): Page {
  const { object, reference, image, missing, truncated, presentOn, conditions } = detail;
  const state = html`<p>${healthBadge(detail)} since ${timeAgo(detail.since, moment)}</p><p class="message">${detail.message}</p>
<dl class="facts"><div><dt>Image</dt><dd>${reference}</dd></div><div><dt>Digest</dt><dd>${shortDigest(image.digest)}</dd></div><div><dt>Aliases</dt><dd>${image.aliases.join(', ') || '–'}</dd></div><div><dt>Size</dt><dd>${image.size ?? '–'}</dd></div><div><dt>Nodes</dt><dd>${coverageMeter(image.nodes)}</dd></div></dl>`;
  const more = truncated ? nothing('There are more; the images × nodes page shows all.') : '';
  return {
    title: `${object.namespace}/${object.name}`,
    sections: [
      section('state', 'State', state),
      section('missing', 'Missing on', html`${missingTable(missing, 'node', moment)}${more}`),
      section('present', 'Present on', nodeList(presentOn)),
      section('conditions', 'Conditions', conditionTable(conditions, moment)),
    ],
  };
}

function nodeList(names: readonly string[]): Html {
  if (names.length === 0) return nothing('No node.');
  return html`<ul class="names">${names.map((name) => html`<li><a href="${nodeHref(name)}">${name}</a></li>`)}</ul>`;
}

export function nodePage({ node, present, missing }: NodeDetail, moment: Moment): Page {
  const labels = Object.entries(node.labels).sort(([left], [right]) => (left < right ? -1 : 1));
  const facts = html`<p>${healthBadge({ health: node.ready ? 'Ready' : 'Failing', reason: node.ready ? '' : 'NotReady' })} ${node.remarks.join('; ')}</p>
<details><summary>${labels.length} labels</summary><dl class="labels">${labels.map(([key, value]) => html`<div><dt>${key}</dt><dd>${value}</dd></div>`)}</dl></details>`;
  const rows = present.map(
    ({ image, title, size }) =>
      html`<tr><th scope="row"><a href="${imageHref(image)}">${title}</a></th><td class="number">${size ?? '–'}</td></tr>`,
  );
  const table = html`<table><thead><tr><th scope="col">Image</th><th scope="col">Size</th></tr></thead><tbody>${rows}</tbody></table>`;
  return {
    title: `Node ${node.name}`,
    nav: '/nodes',
    sections: [
      section('node', 'Node', facts),
      section('missing', 'Misses', missingTable(missing, 'image', moment)),
      section(
        'present',
        'Has',
        rows.length === 0 ? nothing('None of the wanted images.') : scrollTable('Images on the node', table),
      ),
    ],
  };
}
