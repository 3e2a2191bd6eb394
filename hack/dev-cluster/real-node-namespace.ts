/** A process and mount namespace of its own: all that runs or is mounted inside goes with its first process. */

import { execFile, spawn } from 'node:child_process';
import { access, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Daemon } from './daemon.ts';

const run = promisify(execFile);

const READY_LIMIT_MS = 10_000;
const GONE_LIMIT_MS = 20_000;
const POLL_MS = 20;

/**
 * First process inside; $0 is the folder. containerd, its shims, the CNI plugins and the kubelet have fixed
 * paths below /run, /var/lib and /var/log: here these are memory and overlays in the folder. The endless wait
 * reaps the orphans of a killed containerd.
 */
const FIRST_PROCESS = `
set -e
mount -t tmpfs tmpfs /run
for path in lib log; do
  own="$0/overlay/$path"
  mkdir -p "$own/upper" "$own/work"
  mount -t overlay overlay -o "lowerdir=/var/$path,upperdir=$own/upper,workdir=$own/work" "/var/$path"
done
sleep infinity &
touch "$0/namespace.ready"
while :; do wait; done`;

/**
 * Removes what no namespace holds; $0 is the folder, $1 the name of the bridge. Control groups of containers lie
 * under k8s.io, which another containerd may share: only those of our containers go. They empty a moment after
 * the last process died, hence the tries.
 */
const SWEEP = `
ids=$(cd "$0/containerd/io.containerd.grpc.v1.cri" 2>/dev/null && ls -d sandboxes/* containers/* 2>/dev/null)
before_sweep "$@"
ip link delete "$1" 2>/dev/null
for id in $ids; do
  for try in 1 2 3 4 5; do
    groups=$(find /sys/fs/cgroup -depth -type d -path "*/k8s.io/\${id##*/}*" 2>/dev/null)
    [ -z "$groups" ] && break
    echo "$groups" | xargs rmdir 2>/dev/null || sleep 0.2
  done
done
rmdir /sys/fs/cgroup/k8s.io /sys/fs/cgroup/*/k8s.io 2>/dev/null
rm -rf "$0"`;

/** After an orderly end: no process is left. */
const SWEEP_AFTER_END = `before_sweep() { :; }${SWEEP}`;

/** Waits for the end of its standard input, which only the owner holds; $2 is the process to end. */
const SWEEP_AFTER_OWNER = `
before_sweep() {
  tr '\\0' ' ' < "/proc/$2/cmdline" 2>/dev/null | grep -qF -- "$0" && kill -9 "$2"
  sleep 0.5
}
cat > /dev/null
${SWEEP}`;

export interface NamespaceOptions {
  /** Everything that is written inside lies here; removed at the end. */
  readonly folder: string;
  /** At most 15 characters: the bridge of the pods has this name. */
  readonly name: string;
}

export class NodeNamespace {
  readonly #options: NamespaceOptions;
  readonly #outer: Daemon;
  readonly #dismissWatch: () => void;
  readonly #daemons: NamespaceDaemon[] = [];
  #firstPid = 0;

  private constructor(options: NamespaceOptions, outer: Daemon, dismissWatch: () => void) {
    this.#options = options;
    this.#outer = outer;
    this.#dismissWatch = dismissWatch;
  }

  /** Creates the namespaces; needs root. However this process dies, they and their remains go with it. */
  static async create(options: NamespaceOptions): Promise<NodeNamespace> {
    const { folder } = options;
    const outer = Daemon.start({
      name: 'namespace',
      command: 'unshare',
      args: [
        '--mount',
        '--pid',
        '--fork',
        '--kill-child',
        '--mount-proc',
        '--propagation',
        'private',
        '--',
        'sh',
        '-c',
        FIRST_PROCESS,
        folder,
      ],
      folder,
    });
    const namespace = new NodeNamespace(options, outer, watch(options, outer.pid));
    try {
      await outer.waitUntil(async () => {
        await access(join(folder, 'namespace.ready'));
        return true;
      }, READY_LIMIT_MS);
      namespace.#firstPid = await childOf(outer);
    } catch (error) {
      await namespace.end();
      throw error;
    }
    return namespace;
  }

  /** Starts a process inside, with `<name>.log` in the folder. */
  async start(name: string, command: string, args: readonly string[]): Promise<NamespaceDaemon> {
    const enter = ['--target', String(this.#firstPid), '--mount', '--pid', '--', command, ...args];
    const daemon = Daemon.start({ name, command: 'nsenter', args: enter, folder: this.#options.folder });
    const started = new NamespaceDaemon(daemon, await childOf(daemon));
    this.#daemons.push(started);
    return started;
  }

  /** Ends every process inside at once, and so every mount and network namespace; then removes the rest. */
  async end(): Promise<void> {
    this.#outer.signal('SIGKILL');
    await this.#outer.exited();
    for (const daemon of this.#daemons) await daemon.exited();
    await gone(this.#firstPid);
    const { folder, name } = this.#options;
    await run('sh', ['-c', SWEEP_AFTER_END, folder, name]);
    this.#dismissWatch();
  }
}

/** A process inside the namespace; signals reach it and not the process that entered for it. */
export class NamespaceDaemon {
  readonly outer: Daemon;
  /** As seen from outside the namespace. */
  readonly pid: number;

  constructor(outer: Daemon, pid: number) {
    this.outer = outer;
    this.pid = pid;
  }

  signal(signal: NodeJS.Signals): void {
    if (!this.outer.hasExited) process.kill(this.pid, signal);
  }

  async exited(): Promise<void> {
    await this.outer.exited();
  }

  /** @throws Error with the end of the log, as `Daemon.waitUntil` */
  async waitUntil(probe: () => Promise<boolean>, limitMs: number): Promise<void> {
    await this.outer.waitUntil(probe, limitMs);
  }
}

function watch({ folder, name }: NamespaceOptions, pid: number): () => void {
  const watcher = spawn('sh', ['-c', SWEEP_AFTER_OWNER, folder, name, String(pid)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  watcher.unref();
  // The shell must not take the end of the pipe for that of its owner, hence this order; its `cat` must.
  return () => {
    watcher.kill('SIGKILL');
    watcher.stdin.destroy();
  };
}

/** The one child of a process that forks after it has entered a namespace. */
async function childOf(daemon: Daemon): Promise<number> {
  let child = 0;
  await daemon.waitUntil(async () => {
    for (const entry of await readdir('/proc')) {
      if (/^\d+$/.test(entry) && (await parentOf(entry)) === daemon.pid) child = Number(entry);
    }
    return child > 0;
  }, READY_LIMIT_MS);
  return child;
}

/** Parent's pid: the second field after the command name, which stands in parentheses. */
async function parentOf(pid: string): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] ?? 0);
}

async function gone(pid: number): Promise<void> {
  const deadline = performance.now() + GONE_LIMIT_MS;
  while (pid > 0 && performance.now() < deadline) {
    const alive = await access(`/proc/${pid}`).then(
      () => true,
      () => false,
    );
    if (!alive) return;
    await delay(POLL_MS);
  }
}
