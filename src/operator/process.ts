/** What exists once per process, made before anything else and handed to all that is composed. */

import type { Clock } from '../clock.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Logger } from '../kube/logger.ts';
import type { Transport } from '../kube/transport.ts';
import type { OperatorOptions } from '../options.ts';
import type { CloudSettings } from '../registry/providers/cloud.ts';
import type { Metrics } from '../server/metrics.ts';

/** What is made once and handed to everything else. */
export interface Process {
  readonly options: OperatorOptions;
  /** Name of this replica in the Lease and in Events. */
  readonly identity: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly transport: Transport;
  /** Not fenced by the lease: what every replica may do. */
  readonly client: KubeClient;
  readonly cloudSettings: CloudSettings;
}
