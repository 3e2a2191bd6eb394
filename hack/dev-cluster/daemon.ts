/** A background process with a log file, and the guarantee that it goes when its owner goes. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const STOP_GRACE_MS = 10_000;
const POLL_MS = 50;

export interface DaemonOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Folder of `<name>.log` and `<name>.pid`. */
  readonly folder: string;
  readonly env?: NodeJS.ProcessEnv;
}

export class Daemon {
  readonly name: string;
  readonly logFile: string;
  readonly #options: DaemonOptions;
  readonly #pidFile: string;
  #child: ChildProcess;

  private constructor(options: DaemonOptions) {
    this.name = options.name;
    this.logFile = join(options.folder, `${options.name}.log`);
    this.#pidFile = join(options.folder, `${options.name}.pid`);
    this.#options = options;
    this.#child = this.#spawn();
  }

  /** Starts the process in a group of its own, so that Ctrl-C reaches its owner only and it is stopped in order. */
  static start(options: DaemonOptions): Daemon {
    return new Daemon(options);
  }

  /** Kills the process and starts it once more, as a supervisor would; the log goes on. */
  async restart(): Promise<void> {
    this.signal('SIGKILL');
    await this.exited();
    this.#child = this.#spawn();
  }

  #spawn(): ChildProcess {
    const { command, args, folder, env } = this.#options;
    const log = openSync(this.logFile, 'a');
    const child = spawn(command, args, {
      cwd: folder,
      detached: true,
      env: env ?? process.env,
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    child.on('error', () => undefined);
    if (child.pid !== undefined) writeFileSync(this.#pidFile, String(child.pid));
    return child;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get hasExited(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null || this.#child.pid === undefined;
  }

  signal(signal: NodeJS.Signals): void {
    if (!this.hasExited) this.#child.kill(signal);
  }

  /** Resolves with the exit code, or null if a signal ended it. */
  async exited(): Promise<number | null> {
    if (!this.hasExited) await once(this.#child, 'exit');
    return this.#child.exitCode;
  }

  async stop(): Promise<void> {
    this.signal('SIGTERM');
    const killer = setTimeout(() => {
      this.signal('SIGKILL');
    }, STOP_GRACE_MS);
    await this.exited();
    clearTimeout(killer);
    rmSync(this.#pidFile, { force: true });
  }

  /** Lets the process outlive this one (a cluster that is stopped by a later command). */
  release(): void {
    this.#child.unref();
  }

  /**
   * Waits until `probe` holds.
   * @throws Error with the end of the log if the process exits first or `limitMs` pass.
   */
  async waitUntil(probe: () => Promise<boolean>, limitMs: number): Promise<void> {
    const deadline = performance.now() + limitMs;
    while (!(await probe().catch(() => false))) {
      if (this.hasExited) throw new Error(`${this.name} has exited:\n${await this.#lastLines()}`);
      if (performance.now() > deadline) {
        throw new Error(`${this.name} is not ready after ${limitMs / 1000} s:\n${await this.#lastLines()}`);
      }
      await delay(POLL_MS);
    }
  }

  /** Whether the log holds the text. */
  async hasLogged(text: string): Promise<boolean> {
    return (await readFile(this.logFile, 'utf8')).includes(text);
  }

  async #lastLines(): Promise<string> {
    return (await readFile(this.logFile, 'utf8')).split('\n').slice(-15).join('\n');
  }
}

/** Waits for the end of its standard input, then ends every process recorded in the folder or one below, and removes it. */
const REAPER = `
cat > /dev/null
for file in $(find "$0" -maxdepth 2 -name '*.pid'); do
  pid=$(cat "$file" 2>/dev/null) || continue
  tr '\\0' ' ' < "/proc/$pid/cmdline" 2>/dev/null | grep -qF -- "$0" && kill -9 "$pid"
done
sleep 1
rm -rf "$0"`;

/**
 * Watches this process from outside: when it dies in whatever way (kill -9 too), the daemons recorded in `folder`
 * are ended and the folder is removed. Returns the function that dismisses the watch after an orderly stop.
 */
export function watchOwner(folder: string): () => void {
  const reaper = spawn('sh', ['-c', REAPER, folder], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  reaper.unref();
  return () => {
    reaper.kill('SIGKILL');
  };
}

/** `count` loopback TCP ports that are free at this moment, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  const ports: number[] = [];
  for (const server of servers) {
    if (!server.listening) await once(server, 'listening');
    const address = server.address();
    if (address !== null && typeof address === 'object') ports.push(address.port);
  }
  for (const server of servers) {
    server.close();
    await once(server, 'close');
  }
  return ports;
}
