/** Images × nodes: one row a pool, or one a node; every sign has its word in the legend. */

import { html } from 'hono/html';
import { coverageMeter, type Html, imageHref, nodeHref, nothing, scrollTable } from './markup.ts';
import {
  isMissing,
  type MatrixGroup,
  type MatrixQuery,
  type MatrixRow,
  type MatrixSelection,
} from './matrix-view.ts';
import { CELL_STATES, type CellState, type MatrixImage, type NodeView } from './model.ts';
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
  const options = (values: readonly string[], chosen: string): readonly Html[] =>
    values.map(
      (value) => html`<option value="${value}"${value === chosen ? html` selected` : ''}>${value}</option>`,
    );
  const check = (name: string, text: string, isOn: boolean): Html =>
    html`<label><input type="checkbox" name="${name}" value="1"${isOn ? html` checked` : ''}> ${text}</label>`;
  return html`<form method="get" action="/matrix" class="filters" aria-label="Filter">
<label>Source <select name="source"><option value="">all</option>${options(sources, query.source)}</select></label>
<label>Image <input type="search" name="image" value="${query.image}" maxlength="128"></label>
<label>Node <input type="search" name="node" value="${query.node}" maxlength="128"></label>
<label>Group by <select name="group"><option value="">automatic</option>${options(selection.labels, query.group)}</select></label>
${check('missing', 'Missing only', query.missing)}
${check('all', 'Every node', query.all)}
<button type="submit">Show</button>
</form>`;
}

function matrixContent(selection: MatrixSelection, query: MatrixQuery): Html {
  const { images, groups, hidden, label, collapsed } = selection;
  if (images.length === 0 || groups.length === 0) {
    return nothing(query.missing ? 'Nothing is missing.' : 'No image or no node fits the filter.');
  }
  const parts = [
    label === undefined ? '' : `Grouped by ${label}; −2: two nodes of the group lack the image.`,
    collapsed ? 'Nodes of a group are behind its name.' : '',
    hidden.nodes + hidden.images === 0 ? '' : `Hidden: ${hidden.nodes} nodes, ${hidden.images} images.`,
  ].filter((part) => part !== '');
  return html`<p>${parts.join(' ')}</p>${legend()}${scrollTable('Images and nodes', table(selection, query))}`;
}

function legend(): Html {
  const entries = CELL_STATES.map(
    (state) =>
      html`<li><span class="cell cell-${state.toLowerCase()}" aria-hidden="true">${SIGNS[state]}</span> ${state === 'NotWanted' ? 'Not wanted' : state}</li>`,
  );
  return html`<ul class="legend" aria-label="Signs">${entries}</ul>`;
}

function table({ images, groups }: MatrixSelection, query: MatrixQuery): Html {
  const heads = images.map((image) => columnHead(image));
  return html`<table class="matrix"><thead><tr><th scope="col">Node</th>${heads}</tr></thead>${groups.map((group) => groupBody(group, images, query))}</table>`;
}

function columnHead({ object, tag, repository }: MatrixImage): Html {
  return html`<th scope="col"><a href="${imageHref(object)}" title="${repository}:${tag}">${tag}</a></th>`;
}

function groupBody(group: MatrixGroup, images: readonly MatrixImage[], query: MatrixQuery): Html {
  const { name, size, totals, rows } = group;
  const figures = totals.map((total, index) => groupCell(total, images[index]));
  return html`<tbody><tr class="group"><th scope="row"><a href="${groupHref(name, query)}">${name}</a> <span class="why">${size === 1 ? '1 node' : `${size} nodes`}</span></th>${figures}</tr>${rows.map((row) => nodeRow(row, images))}</tbody>`;
}

/** How many lack it, in the colour of the worst: a number is narrower than a fraction. */
function groupCell(
  { present, eligible, failed }: MatrixGroup['totals'][number],
  image: MatrixImage | undefined,
): Html {
  if (eligible === 0) return html`<td></td>`;
  if (present === eligible) return html`<td class="cell-present">${SIGNS.Present}</td>`;
  const kind = failed > 0 ? 'cell-failed' : 'cell-waiting';
  const meaning = `${image?.tag ?? ''}: ${present} of ${eligible} nodes have it, ${failed} failed`;
  return html`<td class="${kind}" title="${meaning}">−${eligible - present}</td>`;
}

function nodeRow({ node, cells }: MatrixRow, images: readonly MatrixImage[]): Html {
  const columns = cells.map((state, index) => cell(state, node.name, images[index]));
  return html`<tr><th scope="row"><a href="${nodeHref(node.name)}">${node.name}</a></th>${columns}</tr>`;
}

/** A missing image leads to the reason; the others are signs only, so that a large table stays small. */
function cell(state: CellState, node: string, image: MatrixImage | undefined): Html {
  const kind = state.toLowerCase();
  if (!isMissing(state)) return html`<td class="cell-${kind}">${SIGNS[state]}</td>`;
  const label = `${state}: ${image?.tag ?? ''} on ${node}`;
  return html`<td class="cell-${kind}"><a href="${nodeHref(node)}#missing" aria-label="${label}">${SIGNS[state]}</a></td>`;
}

function groupHref(name: string, query: MatrixQuery): string {
  const parameters = new URLSearchParams({ pool: name });
  for (const key of ['group', 'node', 'image', 'source'] as const)
    if (query[key] !== '') parameters.set(key, query[key]);
  if (query.missing) parameters.set('missing', '1');
  return `/matrix?${parameters.toString()}`;
}

/** A node in the list: how many of the wanted images it has. */
export interface NodeRow {
  readonly node: NodeView;
  readonly present: number;
  readonly eligible: number;
  readonly failed: number;
}

export function nodesPage(rows: readonly NodeRow[]): Page {
  const body = rows.map(
    ({ node, present, eligible, failed }) =>
      html`<tr><th scope="row"><a href="${nodeHref(node.name)}">${node.name}</a></th><td>${node.ready ? 'Ready' : 'NotReady'}</td><td class="wide">${node.remarks.join('; ') || '–'}</td><td>${coverageMeter({ present, eligible })}</td><td class="number">${failed}</td></tr>`,
  );
  const content = html`<table><thead><tr><th scope="col">Node</th><th scope="col">State</th><th scope="col" class="wide">Remarks</th><th scope="col">Images</th><th scope="col">Failed</th></tr></thead><tbody>${body}</tbody></table>`;
  return {
    title: 'Nodes',
    nav: '/nodes',
    sections: [
      section(
        'nodes',
        'All nodes',
        rows.length === 0 ? nothing('There is no node.') : scrollTable('Nodes', content),
      ),
    ],
  };
}
