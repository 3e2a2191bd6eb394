import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Daemon, freePorts, watchOwner } from '../../../hack/dev-cluster/daemon.ts';
import { eventually } from '../../support/fake-clock.ts';

const REAP_LIMIT_MS = 15_000;

let folder: string;
let children: ChildProcess[];
let daemons: Daemon[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larder-daemon-'));
  children = [];
  daemons = [];
});

afterEach(async () => {
  for (const daemon of daemons) await daemon.stop();
  for (const child of children) child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

/** A daemon that runs JavaScript; its folder stands in its command line, as with all real ones. */
function start(script: string, name = 'worker'): Daemon {
  const daemon = Daemon.start({ name, command: process.execPath, args: ['-e', script, folder], folder });
  daemons.push(daemon);
  return daemon;
}

const IDLE = 'console.log("up"); setInterval(() => {}, 1000);';

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('a daemon', () => {
  it('logs to its file, is ready when it says so, and stops when told', async () => {
    const daemon = start(`${IDLE} process.on("SIGTERM", () => { console.log("bye"); process.exit(3); });`);
    await daemon.waitUntil(() => daemon.hasLogged('up'), 10_000);
    expect(await readFile(join(folder, 'worker.pid'), 'utf8')).toBe(String(daemon.pid));
    await daemon.stop();
    expect(await daemon.exited()).toBe(3);
    expect(await readFile(daemon.logFile, 'utf8')).toBe('up\nbye\n');
    expect(existsSync(join(folder, 'worker.pid'))).toBe(false);
    await daemon.stop();
  });

  it('that ends too early is reported with the end of its log', async () => {
    const script =
      'for (let i = 0; i < 40; i++) console.log("line " + i); console.error("no port"); process.exit(1)';
    const daemon = start(script);
    const failure = await daemon.waitUntil(() => Promise.resolve(false), 10_000).catch(String);
    expect(failure).toContain('worker has exited:');
    expect(failure).toContain('no port');
    expect(failure).not.toContain('line 3\n');
    expect(await daemon.exited()).toBe(1);
  });

  it('that is never ready is reported with the end of its log', async () => {
    const daemon = start(IDLE);
    await eventually(() => daemon.hasLogged('up'), REAP_LIMIT_MS);
    const probe = (): Promise<boolean> => Promise.reject(new Error('refused'));
    await expect(daemon.waitUntil(probe, 100)).rejects.toThrow(/worker is not ready after 0\.1 s:\nup/);
  });

  it('that cannot be started has exited', async () => {
    const daemon = Daemon.start({ name: 'none', command: join(folder, 'nothing'), args: [], folder });
    expect(daemon.hasExited).toBe(true);
    await expect(daemon.waitUntil(() => Promise.resolve(false), 1_000)).rejects.toThrow('none has exited');
    await daemon.stop();
  });

  it('has exited with null if a signal ended it', async () => {
    const daemon = start(IDLE);
    daemon.signal('SIGKILL');
    expect(await daemon.exited()).toBeNull();
  });
});

describe('when the owner is killed', () => {
  /** A process that watches the folder through `watchOwner` and owns a daemon in it. */
  async function startOwner(
    extra = '',
  ): Promise<{ readonly owner: ChildProcess; readonly daemonPid: number }> {
    const module = join(import.meta.dirname, '../../../hack/dev-cluster/daemon.ts');
    const script = `
      const { Daemon, watchOwner } = await import(${JSON.stringify(module)});
      const folder = ${JSON.stringify(folder)};
      const dismiss = watchOwner(folder);
      const args = ['-e', 'setInterval(() => {}, 1000)', folder];
      const daemon = Daemon.start({ name: 'worker', command: process.execPath, args, folder });
      console.log(daemon.pid);
      ${extra}
      setInterval(() => {}, 1000);`;
    const owner = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(owner);
    let said = '';
    owner.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    await eventually(() => said.includes('\n'), REAP_LIMIT_MS);
    return { owner, daemonPid: Number.parseInt(said, 10) };
  }

  it('neither process nor folder is left', async () => {
    const { owner, daemonPid } = await startOwner();
    expect(isAlive(daemonPid)).toBe(true);
    owner.kill('SIGKILL');
    await eventually(() => !isAlive(daemonPid) && !existsSync(folder), REAP_LIMIT_MS);
  });

  it('a stranger that has the number of a daemon of old is left alone', async () => {
    const stranger = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    children.push(stranger);
    await writeFile(join(folder, 'old.pid'), String(stranger.pid));
    const { owner } = await startOwner();
    owner.kill('SIGKILL');
    await eventually(() => !existsSync(folder), REAP_LIMIT_MS);
    expect(isAlive(stranger.pid ?? 0)).toBe(true);
  });

  it('nothing happens once the watch was dismissed', async () => {
    const { owner, daemonPid } = await startOwner('dismiss();');
    owner.kill('SIGKILL');
    await eventually(() => owner.signalCode !== null, REAP_LIMIT_MS);
    expect(isAlive(daemonPid)).toBe(true);
    expect(existsSync(folder)).toBe(true);
    process.kill(daemonPid, 'SIGKILL');
  });

  it('a dismissed watch is harmless to its own process', () => {
    const dismiss = watchOwner(folder);
    dismiss();
    dismiss();
    expect(existsSync(folder)).toBe(true);
  });
});

describe('freePorts', () => {
  it('gives different ports that can be listened on', async () => {
    const ports = await freePorts(20);
    expect(new Set(ports).size).toBe(20);
    for (const port of ports) {
      await expect(canConnect(port)).resolves.toBe(false);
      const listener = createServer();
      await new Promise<void>((resolve, reject) => {
        listener.once('error', reject);
        listener.listen(port, '127.0.0.1', resolve);
      });
      await new Promise((resolve) => listener.close(resolve));
    }
  });

  it('gives none if none are asked for', async () => {
    expect(await freePorts(0)).toEqual([]);
  });
});

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
}
