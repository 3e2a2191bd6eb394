/** The list of all nodes: how many of the wanted images each has. */

import { html } from 'hono/html';
import { type Column, dataTable } from './data-table.ts';
import { coverageMeter, nodeHref, nothing } from './markup.ts';
import type { NodeView } from './model.ts';
import { type Page, section } from './page.ts';

export interface NodeRow {
  readonly node: NodeView;
  readonly present: number;
  readonly eligible: number;
  readonly failed: number;
}

const COLUMNS: readonly Column<NodeRow>[] = [
  {
    head: 'Node',
    isName: true,
    cell: ({ node }) => html`<a href="${nodeHref(node.name)}">${node.name}</a>`,
  },
  { head: 'State', cell: ({ node }) => (node.ready ? 'Ready' : 'NotReady') },
  { head: 'Remarks', isWide: true, cell: ({ node }) => node.remarks.join('; ') || '–' },
  { head: 'Images', cell: coverageMeter },
  { head: 'Failed', isNumber: true, cell: ({ failed }) => failed },
];

export function nodesPage(rows: readonly NodeRow[]): Page {
  const content = rows.length === 0 ? nothing('There is no node.') : dataTable('Nodes', COLUMNS, rows);
  return { title: 'Nodes', nav: '/nodes', sections: [section('nodes', 'All nodes', content)] };
}
