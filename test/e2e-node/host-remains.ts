/** What nodes could leave on the host, as sorted lines: two snapshots are compared. */

import { readdir, readFile } from 'node:fs/promises';

/** Processes of containers and nodes, mounts, network devices, control groups, folders with fixed paths. */
export async function hostRemains(): Promise<readonly string[]> {
  const mounts = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n');
  const devices = await readdir('/sys/class/net');
  const groups = await containerGroups();
  const folders = await Promise.all(FIXED_FOLDERS.map(async (folder) => [folder, await entries(folder)]));
  return [
    ...(await nodeProcesses()).map((line) => `process ${line}`),
    ...mounts.map((line) => `mount ${line.split(' ')[4] ?? ''}`),
    ...devices.map((device) => `device ${device}`),
    ...groups.map((group) => `group ${group}`),
    ...folders.map((entry) => `folder ${JSON.stringify(entry)}`),
    `forwarding ${(await readFile('/proc/sys/net/ipv4/ip_forward', 'utf8')).trim()}`,
    `rules ${(await readFile('/proc/net/ip_tables_names', 'utf8').catch(() => '')).trim()}`,
  ].sort();
}

/** Paths that containerd, CNI and the kubelet use unless something stops them. */
const FIXED_FOLDERS = [
  '/run/netns',
  '/run/containerd',
  '/var/lib/cni',
  '/var/lib/kubelet',
  '/var/lib/containerd',
  '/var/log/containers',
  '/var/log/pods',
  '/usr/libexec/kubernetes',
];

async function entries(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch(() => ['absent']);
}

const NODE_COMMANDS = /containerd|kubelet|unshare|nsenter|sleep\0(?:infinity|2147483647)/;

async function nodeProcesses(): Promise<readonly string[]> {
  const pids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry));
  const lines = await Promise.all(
    pids.map(async (pid) => `${pid} ${await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')}`),
  );
  return lines.filter((line) => NODE_COMMANDS.test(line));
}

async function containerGroups(): Promise<readonly string[]> {
  const hierarchies = [
    '/sys/fs/cgroup',
    ...(await entries('/sys/fs/cgroup')).map((name) => `/sys/fs/cgroup/${name}`),
  ];
  const found = await Promise.all(
    hierarchies.map(async (path) =>
      (await entries(`${path}/k8s.io`)).map((name) => `${path}/k8s.io/${name}`),
    ),
  );
  return found.flat();
}
