/** Linters that `make lint-build` has put into the cache. */

import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

const SUMS = resolve(import.meta.dirname, '../../hack/lint/go.sum');

/** Path of the linter; undefined, with a word on standard error, if it has not been built. */
export function linter(name: 'actionlint' | 'kube-score'): string | undefined {
  const key = createHash('sha256').update(readFileSync(SUMS)).digest('hex').slice(0, 12);
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  const path = join(cache, 'larder', 'lint', key, name);
  if (existsSync(path)) return path;
  process.stderr.write(`skipped: ${name} is not built; make lint-build\n`);
  return undefined;
}
