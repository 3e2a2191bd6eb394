/** A process that owns a cluster with a real node and a pod on it, and is killed by the test of leftovers. */

import { apply } from '../support/dev-cluster.ts';
import { plainPod } from './node-pods.ts';
import { startNodeStage } from './node-stage.ts';

const { cluster, registry, node } = await startNodeStage({ name: 'owner' });
await apply(cluster, plainPod('sleeper', `${registry.host}/larder/sandbox:1`));
await cluster.kubectl(['wait', '--for=condition=Ready', '--timeout=30s', 'pod/sleeper']);
process.stdout.write(`${cluster.folder} ${node.name}\n`);
setInterval(() => undefined, 1_000);
