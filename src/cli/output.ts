/** How results are printed: JSON and YAML for programs, tables for people. */

import { type Command, Option } from 'commander';
import stringWidth from 'string-width';
import { Document, visit } from 'yaml';

import type { CliIo } from './io.ts';

/** What `-o` takes. */
export const OUTPUT_FORMATS = ['json', 'yaml', 'table'] as const;
/** One of `OUTPUT_FORMATS`. */
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

/** Columns of a table, in order; a row without a column leaves it blank. */
export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number | boolean | null | undefined)[])[];
}

/** Adds `-o, --output`; the default is a table. */
export function withOutput(command: Command): Command {
  return command.addOption(
    new Option('-o, --output <format>', 'how the result is printed').choices(OUTPUT_FORMATS).default('table'),
  );
}

/** Prints `value`, or for people the table made of it. */
export function print(
  io: CliIo,
  format: OutputFormat,
  value: unknown,
  toTable: () => Table | readonly Table[],
): void {
  io.writeOut(render(format, value, toTable));
}

function render(format: OutputFormat, value: unknown, toTable: () => Table | readonly Table[]): string {
  switch (format) {
    case 'json':
      return `${JSON.stringify(value, null, 2)}\n`;
    case 'yaml':
      return toYaml(value);
    case 'table':
      return [toTable()].flat().map(formatTable).join('\n');
  }
}

/** What Go's reader takes for a number where YAML 1.1 does not: 0X1F, and underscores anywhere (taken out before). */
const GO_NUMBER = /^[-+]?(?:0[xXoObB][0-9a-fA-F]+|(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?)$/;

/** Long lines stay whole, so that diffs are by field; kubectl reads YAML 1.1, where yes and 2022_11 are no texts. */
export function toYaml(value: unknown): string {
  const document = new Document(value, { aliasDuplicateObjects: false, compat: 'yaml-1.1' });
  visit(document, {
    Scalar: (_, node) => {
      const { value: text } = node;
      if (typeof text === 'string' && GO_NUMBER.test(text.replaceAll('_', ''))) node.type = 'QUOTE_DOUBLE';
    },
  });
  return document.toString({ lineWidth: 0 });
}

/** Left-aligned columns, three blanks apart, as kubectl prints them; wide characters take two columns. */
export function formatTable({ columns, rows }: Table): string {
  const lines = [columns, ...rows.map((row) => row.map(formatCell))];
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => stringWidth(line[index] ?? ''))));
  return lines.map((line) => `${padCells(line, widths)}\n`).join('');
}

function padCells(cells: readonly string[], widths: readonly number[]): string {
  const padded = widths.map((width, index) => {
    const cell = cells[index] ?? '';
    return cell + ' '.repeat(width - stringWidth(cell));
  });
  return padded.join('   ').trimEnd();
}

/** What is not there is a dash; control characters of hostile tags never reach a terminal. */
function formatCell(value: string | number | boolean | null | undefined): string {
  if (value === null || value === undefined || value === '') return '-';
  return String(value).replace(/\p{Cc}/gu, '?');
}
