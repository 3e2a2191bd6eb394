/** Case files as tests: one test a case, and how each group came out, printed at the end of the run. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, describe, it } from 'vitest';

/** The folder of `LARDER_CASES`, else the copies in the repository. */
const FOLDER = process.env['LARDER_CASES'] ?? join(import.meta.dirname, '..', 'cases', 'data');

export function readCaseFile(name: string): unknown {
  return JSON.parse(readFileSync(join(FOLDER, name), 'utf8'));
}

/** A deliberate difference, named as in docs/design/dialects.md; judged by the case's own properties only. */
export interface Difference<T> {
  readonly name: string;
  readonly applies: (row: T) => boolean;
}

interface Group<T> {
  readonly title: string;
  readonly rows: readonly T[];
  /** Throws if the case does not hold. */
  readonly check: (row: T) => void;
  readonly differences?: readonly Difference<T>[];
  /** What must hold for a case that differs on purpose: our own reading. */
  readonly checkDifferent?: (row: T, difference: string) => void;
}

const tally = new Map<string, { passed: number; different: number; failed: number }>();

/** One test a case. A case under a difference must not pass: then the difference would be idle. */
export function playCases<T extends { readonly id: string }>(group: Group<T>): void {
  const counts = { passed: 0, different: 0, failed: 0 };
  tally.set(group.title, counts);
  describe(group.title, () => {
    it.each(group.rows.map((row) => [row.id, row] as const))('%s', (_, row) => {
      counts.failed++;
      const difference = group.differences?.find(({ applies }) => applies(row));
      if (difference === undefined) group.check(row);
      else group.checkDifferent?.(row, difference.name);
      counts.failed--;
      counts[difference === undefined ? 'passed' : 'different']++;
    });
  });
}

/** Prints the tally once the file is done. */
export function printTally(file: string): void {
  afterAll(() => {
    for (const [title, counts] of tally) process.stdout.write(`${file} ${title} ${JSON.stringify(counts)}\n`);
  });
}
