/** Configuration files of containerd, the pod network and the kubelet of a real node. */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface NodeFiles {
  readonly folder: string;
  /** Name of the pods' bridge. */
  readonly bridge: string;
  readonly sandboxImage: string;
  /** Network of the pods, `address/prefix`. */
  readonly subnet: string;
  /** Folder of the CNI plugins. */
  readonly cniPlugins: string;
}

/** The only socket that is needed from outside. */
export function containerdSocket(folder: string): string {
  return join(folder, 'containerd.sock');
}

/** Writes containerd's configuration and the pod network; returns the path of the configuration file. */
export async function writeContainerdConfig(files: NodeFiles): Promise<string> {
  const { folder } = files;
  const network = join(folder, 'cni');
  await mkdir(network, { recursive: true });
  await mkdir(join(folder, 'hosts'), { recursive: true });
  await writeFile(join(network, '10-pods.conflist'), JSON.stringify(podNetwork(files), undefined, 2));
  const file = join(folder, 'containerd.toml');
  await writeFile(file, containerdConfig(files));
  return file;
}

/**
 * restrict_oom_score_adj: without CAP_SYS_RESOURCE no sandbox starts, because lowering the score needs that
 * capability; all one is told is "can't get final child's PID from pipe: EOF".
 */
function containerdConfig({ folder, sandboxImage, cniPlugins }: NodeFiles): string {
  const cri = 'plugins."io.containerd.grpc.v1.cri"';
  return `version = 2
root = "${join(folder, 'containerd')}"
state = "/run/larder-containerd"
[grpc]
  address = "${containerdSocket(folder)}"
[${cri}]
  sandbox_image = "${sandboxImage}"
  restrict_oom_score_adj = true
  [${cri}.cni]
    bin_dir = "${cniPlugins}"
    conf_dir = "${join(folder, 'cni')}"
  [${cri}.registry]
    config_path = "${join(folder, 'hosts')}"
`;
}

/** No gateway and no masquerading: nothing of the host changes but one bridge, and pods reach nothing. */
function podNetwork({ bridge, folder, subnet }: NodeFiles): object {
  return {
    cniVersion: '0.4.0',
    name: bridge,
    plugins: [
      {
        type: 'bridge',
        bridge,
        isGateway: false,
        ipMasq: false,
        ipam: {
          type: 'host-local',
          dataDir: join(folder, 'addresses'),
          ranges: [[{ subnet }]],
        },
      },
    ],
  };
}

/** Lets containerd speak plain HTTP with a registry; read again for each pull. */
export async function allowPlainHttp(folder: string, host: string): Promise<void> {
  const hosts = join(folder, 'hosts', host);
  await mkdir(hosts, { recursive: true });
  const url = `http://${host}`;
  const text = `server = "${url}"\n[host."${url}"]\n  capabilities = ["pull", "resolve"]\n`;
  await writeFile(join(hosts, 'hosts.toml'), text);
}

export interface KubeletPorts {
  readonly port: number;
  readonly healthzPort: number;
}

/** Fields of a KubeletConfiguration, by their names there. */
export type KubeletSettings = Readonly<Record<string, unknown>>;

/**
 * Starts on control groups v1 too, which a kubelet of today refuses unless told. Status is written as soon as it
 * changes; the list of images behind it is refreshed every 30 s, which cannot be set.
 */
export async function writeKubeletConfig(
  folder: string,
  { port, healthzPort }: KubeletPorts,
  settings: KubeletSettings,
): Promise<string> {
  const config = {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: '127.0.0.1',
    port,
    healthzPort,
    readOnlyPort: 0,
    authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
    authorization: { mode: 'AlwaysAllow' },
    containerRuntimeEndpoint: `unix://${containerdSocket(folder)}`,
    failCgroupV1: false,
    cgroupDriver: 'cgroupfs',
    cgroupsPerQOS: false,
    enforceNodeAllocatable: [],
    failSwapOn: false,
    evictionHard: {},
    localStorageCapacityIsolation: false,
    makeIPTablesUtilChains: false,
    resolvConf: '/dev/null',
    podLogsDir: join(folder, 'pod-logs'),
    volumePluginDir: join(folder, 'volume-plugins'),
    nodeStatusUpdateFrequency: '1s',
    nodeStatusReportFrequency: '10s',
    shutdownGracePeriod: '0s',
    ...settings,
  };
  const file = join(folder, 'kubelet.json');
  await writeFile(file, JSON.stringify(config, undefined, 2));
  return file;
}
