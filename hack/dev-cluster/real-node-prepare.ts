/** Prepares the binaries of a real node, so that no test waits for a Go build. */

import { findBinaries } from './binaries.ts';
import { deploymentBinaryNames, nodeBinaryNames } from './versions.ts';

await findBinaries([...nodeBinaryNames, ...deploymentBinaryNames], (line) => {
  process.stdout.write(`${line}\n`);
});
