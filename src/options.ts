/** Every flag of `larder run` in one table: name, environment variable, default, help. */

import { isIP } from 'node:net';
import { validateDuration } from './domain/duration.ts';
import { err, ok, type Result } from './domain/result.ts';
import { LOG_FORMATS, LOG_LEVELS } from './logging.ts';

/** One setting of the operator. */
export interface Flag<T = unknown> {
  /** As typed after `--`. */
  readonly name: string;
  readonly env: string;
  readonly default: string;
  readonly help: string;
  readonly read: Read<T>;
}

type Read<T> = (text: string) => Result<T>;

// One row a flag: the parameters are the columns of the table.
function flag<T>(...[name, env, fallback, read, help]: [string, string, string, Read<T>, string]): Flag<T> {
  return { name, env, default: fallback, read, help };
}

/** Empty means not set. */
function text(value: string): Result<string | undefined> {
  return ok(value === '' ? undefined : value);
}

function name(value: string): Result<string> {
  return value === '' ? err('must not be empty') : ok(value);
}

function list(value: string): Result<readonly string[]> {
  return ok(value === '' ? [] : value.split(',').map((item) => item.trim()));
}

function networks(value: string): Result<readonly string[]> {
  const networks = list(value);
  return networks.ok && !networks.value.every(isNetwork)
    ? err('must be networks in the form address/prefix')
    : networks;
}

function isNetwork(text: string): boolean {
  const [address = '', prefix = ''] = text.split('/');
  const family = isIP(address);
  return family !== 0 && /^[0-9]{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128);
}

function toggle(value: string): Result<boolean> {
  return value === 'true' || value === 'false' ? ok(value === 'true') : err('must be true or false');
}

function whole(min: number, max: number): Read<number> {
  return (value) => {
    const number = Number(value);
    const fits = /^[0-9]+$/.test(value) && number >= min && number <= max;
    return fits ? ok(number) : err(`must be a whole number from ${min} to ${max}`);
  };
}

/** Milliseconds. */
function duration(value: string): Result<number> {
  const parsed = validateDuration(value);
  if (!parsed.ok) return err(`must be a duration such as 20s: ${parsed.error.message}`);
  return parsed.value < 0 ? err('must be a duration such as 20s, not a negative one') : parsed;
}

/** Undefined: do not listen. */
function portOrOff(value: string): Result<number | undefined> {
  return value === '' || value === 'off' ? ok(undefined) : whole(0, 65_535)(value);
}

function oneOf<T extends string>(values: readonly T[]): Read<T> {
  return (value) => {
    const found = values.find((candidate) => candidate === value);
    return found === undefined ? err(`must be one of ${values.join(', ')}`) : ok(found);
  };
}

// biome-ignore format: one row a flag
/** By the name of the option. */
export const FLAGS = {
  kubeconfig: flag('kubeconfig', 'LARDER_KUBECONFIG', '', text, 'Path of a kubeconfig. Without: KUBECONFIG, ~/.kube/config, then the service account of the pod.'),
  namespace: flag('namespace', 'LARDER_NAMESPACE', 'larder-system', name, 'Namespace of the operator itself; its Lease is there.'),
  leaderElect: flag('leader-elect', 'LARDER_LEADER_ELECT', 'true', toggle, 'Elect one working replica through a Lease.'),
  identity: flag('identity', 'LARDER_IDENTITY', '', text, 'Name of this replica in the Lease and in Events. Without: host name and a random part.'),
  healthHost: flag('health-host', 'LARDER_HEALTH_HOST', '0.0.0.0', name, 'Address for /healthz, /readyz and /metrics.'),
  healthPort: flag('health-port', 'LARDER_HEALTH_PORT', '8081', whole(0, 65_535), 'Port for /healthz, /readyz and /metrics; 0 takes a free one.'),
  httpHost: flag('http-host', 'LARDER_HTTP_HOST', '0.0.0.0', name, 'Address for the API, webhooks and the dashboard.'),
  httpPort: flag('http-port', 'LARDER_HTTP_PORT', '8080', portOrOff, 'Port for the API, webhooks and the dashboard; 0 takes a free one, off serves nothing.'),
  httpCertFile: flag('http-cert-file', 'LARDER_HTTP_CERT_FILE', '', text, 'PEM certificate chain of that port, read again when it changes. Without: plain HTTP.'),
  httpKeyFile: flag('http-key-file', 'LARDER_HTTP_KEY_FILE', '', text, 'PEM key of the certificate.'),
  httpRate: flag('http-rate', 'LARDER_HTTP_RATE', '100', whole(0, 1_000_000), 'Requests a second that one client address may send to that port; 0: no limit.'),
  httpAccessLog: flag('http-access-log', 'LARDER_HTTP_ACCESS_LOG', 'true', toggle, 'Log every request to that port; mutations are logged anyway.'),
  anonymousRead: flag('anonymous-read', 'LARDER_ANONYMOUS_READ', 'false', toggle, 'Let everybody who reaches that port read what it serves, without token and rights.'),
  recordsNamespace: flag('records-namespace', 'LARDER_RECORDS_NAMESPACE', '', text, 'Namespace whose DockerImageRecords are served under /v1/docker, as UFDL serves its images; needs the component records-facade. Without: not served.'),
  qps: flag('kube-api-qps', 'LARDER_KUBE_API_QPS', '100', whole(0, 100_000), 'Requests a second to the API server; 0: no limit.'),
  burst: flag('kube-api-burst', 'LARDER_KUBE_API_BURST', '200', whole(1, 100_000), 'Requests to the API server at once above that rate.'),
  workers: flag('workers', 'LARDER_WORKERS', '8', whole(1, 256), 'Objects of one kind worked on at the same time.'),
  pullSlots: flag('pull-slots', 'LARDER_PULL_SLOTS', '50', whole(0, 100_000), 'Nodes that pull at the same time; 0: no limit.'),
  pullSlotsPerRegistry: flag('pull-slots-per-registry', 'LARDER_PULL_SLOTS_PER_REGISTRY', '0', whole(0, 100_000), 'Nodes that pull from one registry host at the same time; 0: no limit.'),
  pullSlotsPerImage: flag('pull-slots-per-image', 'LARDER_PULL_SLOTS_PER_IMAGE', '0', whole(0, 100_000), 'Nodes that pull one image at the same time; 0: no limit. pull.maxConcurrentNodes of an image may say less.'),
  maxImagesPerNamespace: flag('max-images-per-namespace', 'LARDER_MAX_IMAGES_PER_NAMESPACE', '0', whole(0, 1_000_000), 'Images that one namespace may have stocked, the oldest first; 0: no limit.'),
  maxBytesPerNamespace: flag('max-bytes-per-namespace', 'LARDER_MAX_BYTES_PER_NAMESPACE', '0', whole(0, Number.MAX_SAFE_INTEGER), 'Compressed bytes of the images that one namespace may have stocked, the oldest first; 0: no limit.'),
  maxKeptPods: flag('max-kept-pods', 'LARDER_MAX_KEPT_PODS', '2000', whole(0, 12_000), 'Finished pull pods that keepWarm may hold back; the garbage collector of Kubernetes starts at 12500 in a cluster.'),
  warmGate: flag('warm-gate', 'LARDER_WARM_GATE', 'false', toggle, 'Remove the startup taint larder.dev/not-stocked from nodes that have all they should have; needs the component warm-gate.'),
  nodeStatusMaxImages: flag('node-status-max-images', 'LARDER_NODE_STATUS_MAX_IMAGES', '50', whole(0, 100_000), 'nodeStatusMaxImages of the kubelets: a longer list of images is cut.'),
  allowedCIDRs: flag('allow-cidr', 'LARDER_ALLOW_CIDR', '', networks, 'Networks that redirects, links and token realms of registries may lead to besides public ones, comma-separated.'),
  allowedRealms: flag('allow-realm', 'LARDER_ALLOW_REALM', '', list, 'Hosts of token services that any registry may name, comma-separated.'),
  drainMs: flag('drain-timeout', 'LARDER_DRAIN_TIMEOUT', '20s', duration, 'How long running work may take to end after SIGTERM; must fit the grace period of the pod.'),
  logLevel: flag('log-level', 'LARDER_LOG_LEVEL', 'info', oneOf(LOG_LEVELS), 'debug, info, warn or error.'),
  logFormat: flag('log-format', 'LARDER_LOG_FORMAT', 'json', oneOf(LOG_FORMATS), 'json or text.'),
};

/** What the operator runs with; complete, validated, frozen. Durations are milliseconds; `identity` may be unset. */
export type OperatorOptions = {
  readonly [Option in keyof typeof FLAGS]: (typeof FLAGS)[Option] extends Flag<infer T> ? T : never;
};

/** All options, or one line for each flag that is set to something it cannot be. `flags` is by name, as typed. */
export function readOptions(
  flags: Readonly<Record<string, string | undefined>>,
  env: NodeJS.ProcessEnv,
): Result<OperatorOptions, readonly string[]> {
  const problems: string[] = [];
  const values = Object.entries<Flag>(FLAGS).map(([option, row]): readonly [string, unknown] => {
    const typed = flags[row.name];
    const written = typed ?? env[row.env] ?? row.default;
    const value = row.read(written);
    if (value.ok) return [option, value.value];
    problems.push(
      `${typed === undefined ? row.env : `--${row.name}`} ${value.error}, not ${JSON.stringify(written)}`,
    );
    return [option, undefined];
  });
  return problems.length > 0
    ? err(problems)
    : ok(Object.freeze(Object.fromEntries(values)) as OperatorOptions);
}
