/** Prepares the binaries of a real node, so that no test waits for a Go build. */

import { findBinaries } from './binaries.ts';
import { nodeBinaryNames } from './versions.ts';

await findBinaries(nodeBinaryNames, (line) => {
  process.stdout.write(`${line}\n`);
});
