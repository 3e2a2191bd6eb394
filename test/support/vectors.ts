/** Vector files: one case a line, "#" begins a comment line, empty lines are skipped; fields are parted by tabs. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, '..', 'vectors');

/** Lines with their fields. */
export function readVectors(name: string): readonly (readonly string[])[] {
  const lines = readFileSync(join(FOLDER, name), 'utf8').split('\n');
  return lines.filter((line) => line !== '' && !line.startsWith('#')).map((line) => line.split('\t'));
}
