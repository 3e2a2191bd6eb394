/** Images × nodes: one row a pool, or one a node; every sign has its word in the legend. */

import { html } from 'hono/html';
import { scrollRegion } from './data-table.ts';
import { type Html, imageHref, nodeHref, nothing } from './markup.ts';
import {
  isMissing,
  type MatrixGroup,
  type MatrixQuery,
  type MatrixRow,
  type MatrixSelection,
} from './matrix-view.ts';
import { CELL_STATES, type CellState, type MatrixImage } from './model.ts';
import { type Page, section } from './page.ts';

const SIGNS: Readonly<Record<CellState, string>> = {
  Present: '✓',
  Pulling: '↻',
  Waiting: '…',
  Failed: '✗',
  Skipped: '–',
  Unknown: '?',
  NotWanted: '',
};

export function matrixPage(selection: MatrixSelection, query: MatrixQuery, sources: readonly string[]): Page {
  return {
    title: 'Images × nodes',
    nav: '/matrix',
    intro: filterForm(selection, query, sources),
    sections: [section('matrix', 'Matrix', matrixContent(selection, query))],
  };
}

function filterForm(selection: MatrixSelection, query: MatrixQuery, sources: readonly string[]): Html {
  return html`<form method="get" action="/matrix" class="filters" aria-label="Filter">
${choice('Source', 'source', { empty: 'all', values: sources, chosen: query.source })}
<label>Image <input type="search" name="image" value="${query.image}" maxlength="128"></label>
<label>Node <input type="search" name="node" value="${query.node}" maxlength="128"></label>
${choice('Group by', 'group', { empty: 'automatic', values: selection.labels, chosen: query.group })}
${check('missing', 'Missing only', query.missing)}
${check('all', 'Every node', query.all)}
<button type="submit">Show</button>
</form>`;
}

interface Choice {
  /** What choosing nothing means. */
  readonly empty: string;
  readonly values: readonly string[];
  readonly chosen: string;
}

function choice(label: string, name: string, { empty, values, chosen }: Choice): Html {
  const options = values.map((value) => {
    const selected = value === chosen ? html` selected` : '';
    return html`<option value="${value}"${selected}>${value}</option>`;
  });
  return html`<label>${label} <select name="${name}"><option value="">${empty}</option>${options}</select></label>`;
}

function check(name: string, text: string, isOn: boolean): Html {
  const checked = isOn ? html` checked` : '';
  return html`<label><input type="checkbox" name="${name}" value="1"${checked}> ${text}</label>`;
}

function matrixContent(selection: MatrixSelection, query: MatrixQuery): Html {
  const { images, groups } = selection;
  if (images.length === 0 || groups.length === 0) {
    return nothing(query.missing ? 'Nothing is missing.' : 'No image or no node fits the filter.');
  }
  const explanation = html`<p>${explain(selection)}</p>${legend()}`;
  return html`${explanation}${scrollRegion('Images and nodes', matrixTable(selection, query))}`;
}

function explain({ hidden, label, collapsed }: MatrixSelection): string {
  const parts = [
    label === undefined ? '' : `Grouped by ${label}; −2: two nodes of the group lack the image.`,
    collapsed ? 'Nodes of a group are behind its name.' : '',
    hidden.nodes + hidden.images === 0 ? '' : `Hidden: ${hidden.nodes} nodes, ${hidden.images} images.`,
  ];
  return parts.filter((part) => part !== '').join(' ');
}

function legend(): Html {
  const entries = CELL_STATES.map((state) => {
    const word = state === 'NotWanted' ? 'Not wanted' : state;
    const sign = html`<span class="cell ${kindOf(state)}" aria-hidden="true">${SIGNS[state]}</span>`;
    return html`<li>${sign} ${word}</li>`;
  });
  return html`<ul class="legend" aria-label="Signs">${entries}</ul>`;
}

function kindOf(state: CellState): string {
  return `cell-${state.toLowerCase()}`;
}

function matrixTable({ images, groups }: MatrixSelection, query: MatrixQuery): Html {
  const heads = images.map((image) => columnHead(image, images));
  const head = html`<thead><tr><th scope="col">Node</th>${heads}</tr></thead>`;
  const bodies = groups.map((group) => groupBody(group, images, query));
  return html`<table class="matrix">${head}${bodies}</table>`;
}

/** The tag is enough, unless another repository has one of that name. */
function columnHead({ object, tag, repository }: MatrixImage, images: readonly MatrixImage[]): Html {
  const title = `${repository}:${tag}`;
  const isShared = images.some((other) => other.tag === tag && other.repository !== repository);
  const name = isShared ? title.slice(title.indexOf('/') + 1) : tag;
  return html`<th scope="col"><a href="${imageHref(object)}" title="${title}">${name}</a></th>`;
}

function groupBody(group: MatrixGroup, images: readonly MatrixImage[], query: MatrixQuery): Html {
  const { name, size, totals, rows } = group;
  const link = html`<a href="${groupHref(name, query)}">${name}</a>`;
  const count = html`<span class="why">${size === 1 ? '1 node' : `${size} nodes`}</span>`;
  const figures = totals.map((total, index) => groupCell(total, images[index]));
  const row = html`<tr class="group"><th scope="row">${link} ${count}</th>${figures}</tr>`;
  return html`<tbody>${row}${rows.map((each) => nodeRow(each, images))}</tbody>`;
}

/** How many lack it, in the colour of the worst: a number is narrower than a fraction. */
function groupCell(
  { present, eligible, failed }: MatrixGroup['totals'][number],
  image: MatrixImage | undefined,
): Html {
  if (eligible === 0) return html`<td></td>`;
  if (present === eligible) return html`<td class="cell-present">${SIGNS.Present}</td>`;
  const kind = kindOf(failed > 0 ? 'Failed' : 'Waiting');
  const meaning = `${image?.tag ?? ''}: ${present} of ${eligible} nodes have it, ${failed} failed`;
  return html`<td class="${kind}" title="${meaning}">−${eligible - present}</td>`;
}

function nodeRow({ node, cells }: MatrixRow, images: readonly MatrixImage[]): Html {
  const name = html`<th scope="row"><a href="${nodeHref(node.name)}">${node.name}</a></th>`;
  return html`<tr>${name}${cells.map((state, index) => cell(state, node.name, images[index]))}</tr>`;
}

/** A missing image leads to the reason; the others are signs only, so that a large table stays small. */
function cell(state: CellState, node: string, image: MatrixImage | undefined): Html {
  if (!isMissing(state)) return html`<td class="${kindOf(state)}">${SIGNS[state]}</td>`;
  const label = `${state}: ${image?.tag ?? ''} on ${node}`;
  const link = html`<a href="${nodeHref(node)}#missing" aria-label="${label}">${SIGNS[state]}</a>`;
  return html`<td class="${kindOf(state)}">${link}</td>`;
}

function groupHref(name: string, query: MatrixQuery): string {
  const parameters = new URLSearchParams({ pool: name });
  for (const key of ['group', 'node', 'image', 'source'] as const) {
    if (query[key] !== '') parameters.set(key, query[key]);
  }
  if (query.missing) parameters.set('missing', '1');
  return `/matrix?${parameters.toString()}`;
}
