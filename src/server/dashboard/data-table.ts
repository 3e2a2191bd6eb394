/** Tables and lists of facts, from a description of their columns: the same markup on every page. */

import { html } from 'hono/html';
import type { Html } from './markup.ts';

/** One column of a table. */
export interface Column<T> {
  readonly head: string;
  readonly cell: (row: T) => Html | string | number;
  /** The cell that names its row. */
  readonly isName?: boolean;
  /** Left out on a phone. */
  readonly isWide?: boolean;
  readonly isNumber?: boolean;
}

/** A table in a group of its own, which the keyboard can reach and scroll; its section is the landmark. */
export function dataTable<T>(label: string, columns: readonly Column<T>[], rows: readonly T[]): Html {
  const heads = columns.map((column) => html`<th scope="col"${classOf(column)}>${column.head}</th>`);
  const body = rows.map((row) => html`<tr>${columns.map((column) => dataCell(column, row))}</tr>`);
  return scrollRegion(label, html`<table><thead><tr>${heads}</tr></thead><tbody>${body}</tbody></table>`);
}

export function scrollRegion(label: string, table: Html): Html {
  return html`<div class="scroll" role="group" aria-label="${label}" tabindex="0">${table}</div>`;
}

function dataCell<T>(column: Column<T>, row: T): Html {
  const content = column.cell(row);
  if (column.isName === true) return html`<th scope="row"${classOf(column)}>${content}</th>`;
  return html`<td${classOf(column)}>${content}</td>`;
}

function classOf({ isWide = false, isNumber = false }: Omit<Column<never>, 'cell'>): Html | string {
  const names = [isWide ? 'wide' : '', isNumber ? 'number' : ''].filter((name) => name !== '');
  return names.length === 0 ? '' : html` class="${names.join(' ')}"`;
}

/** A name and what it is. */
export type Fact = readonly [name: string, value: Html | string | number];

export function factList(className: 'facts' | 'figures-list' | 'labels', facts: readonly Fact[]): Html {
  const items = facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`);
  return html`<dl class="${className}">${items}</dl>`;
}
