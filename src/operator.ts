/** The composition root: what is made for one process, and in which order it is connected; the parts are in operator/. */

import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { EVENT_CONTROLLER } from './api/group-version.ts';
import { type Clock, systemClock } from './clock.ts';
import { AccessReader } from './controllers/access.ts';
import { ScanMemory } from './controllers/image-source/scan-memory.ts';
import { Stock } from './controllers/stock.ts';
import { BaseOperator, type Composition, type OperatorRuntime } from './kube/base-operator.ts';
import { KubeClient } from './kube/client.ts';
import { KubeConfigCredentials, loadKubeConfig } from './kube/credentials.ts';
import { EventWriter } from './kube/events.ts';
import { LeaderElector } from './kube/leader-election.ts';
import { leaseOnServer } from './kube/lease.ts';
import { Transport } from './kube/transport.ts';
import { createLogging } from './logging.ts';
import { type Caches, createCaches } from './operator/caches.ts';
import { createControllers } from './operator/controllers.ts';
import { stockLimits } from './operator/node-stocking.ts';
import type { Process } from './operator/process.ts';
import { createCatalogue } from './operator/records.ts';
import { startServers } from './operator/servers.ts';
import type { OperatorOptions } from './options.ts';
import { RegistryClient } from './registry/client.ts';
import { openCloudKeychains, readCloudSettings } from './registry/providers/cloud.ts';
import { createMetrics } from './server/metrics.ts';
import { objectMetrics } from './server/object-metrics.ts';
import { registryMetrics } from './server/registry-metrics.ts';
import { USER_AGENT } from './version.ts';

const LEASE_NAME = 'larder';
const FIELD_MANAGER = 'larder';

/**
 * Builds an operator that has not done anything yet. `environment` tells the cloud the pod runs in, if any.
 * @throws Error if there is no usable kubeconfig
 */
export function createOperator(
  options: OperatorOptions,
  environment: Readonly<Record<string, string | undefined>> = {},
  clock: Clock = systemClock,
): LarderOperator {
  const log = createLogging({ level: options.logLevel, format: options.logFormat, clock });
  const metrics = createMetrics();
  const credentials = new KubeConfigCredentials(clock, () => loadKubeConfig({ file: options.kubeconfig }));
  const { qps, burst } = options;
  const transport = new Transport({
    clock,
    credentials,
    metrics: metrics.runtime,
    userAgent: USER_AGENT,
    rate: qps === 0 ? { qps: Number.POSITIVE_INFINITY, burst: Number.POSITIVE_INFINITY } : { qps, burst },
  });
  const client = new KubeClient({ transport, fieldManager: FIELD_MANAGER });
  const identity = options.identity ?? `${hostname()}-${randomBytes(4).toString('hex')}`;
  const cloudSettings = readCloudSettings(environment);
  return new LarderOperator(
    { client, credentials, clock, log },
    { options, identity, clock, log, metrics, transport, client, cloudSettings },
  );
}

/** One process: standby until it leads, then until it is stopped. */
export class LarderOperator extends BaseOperator {
  readonly #process: Process;

  constructor(runtime: OperatorRuntime, process: Process) {
    super(runtime);
    this.#process = process;
  }

  protected override async compose(): Promise<Composition> {
    const process = this.#process;
    const { options, clock, transport } = process;
    const caches = createCaches(process);
    const elector = options.leaderElect ? createElector(process) : undefined;
    const client = elector === undefined ? process.client : process.client.fenced(() => elector.holdsLease());
    const registry = createRegistryClient(process);
    const access = new AccessReader(
      client,
      openCloudKeychains(process.cloudSettings, clock),
      options.namespace,
    );
    const events = createEvents(process, client);
    const { nodeStatusMaxImages } = options;
    const limits = stockLimits(options);
    const stock = new Stock({ ...caches, ...limits, clock, random: Math.random, nodeStatusMaxImages });
    const catalogue = createCatalogue(process, caches);
    measureObjects(process, caches);
    const checks = { isHealthy: () => this.isHealthy, isReady: () => this.isReady };
    const memory = new ScanMemory();
    const closeServers = await startServers({ process, checks, caches, memory, registry, access, catalogue });
    return {
      caches: Object.values(caches),
      controllers: [
        stock,
        ...createControllers({ process, client, registry, access, events, caches, memory, stock, catalogue }),
      ],
      elector,
      drainMs: options.drainMs,
      // Before the lease is given back: what was decided while leading is told while leading.
      flush: () => events.flush(),
      closers: [...closeServers, () => registry.close(), () => transport.close()],
    };
  }
}

function createElector({ client, clock, log, metrics, identity, options }: Process): LeaderElector {
  const store = leaseOnServer(client, { namespace: options.namespace, name: LEASE_NAME });
  return new LeaderElector({ store, identity, clock, name: LEASE_NAME, log, metrics: metrics.runtime });
}

function createRegistryClient({ clock, options, metrics }: Process): RegistryClient {
  const { allowedCIDRs, allowedRealms } = options;
  const observe = registryMetrics(metrics.registry);
  return new RegistryClient({ clock, allowedCIDRs, allowedRealms, userAgent: USER_AGENT, observe });
}

function createEvents({ clock, log, identity }: Process, client: KubeClient): EventWriter {
  return new EventWriter({ client, clock, controller: EVENT_CONTROLLER, instance: identity, log });
}

function measureObjects({ metrics }: Process, { sources, images }: Caches): void {
  objectMetrics(metrics.registry, {
    sources: () => sources.lister.list(),
    images: () => images.lister.list(),
  });
}
