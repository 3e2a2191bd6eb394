import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCli } from '../../src/cli/cli.ts';
import { FLAGS, type Flag } from '../../src/options.ts';
import { FakeApiServer } from '../support/fake-api-server.ts';
import { eventually, FakeClock } from '../support/fake-clock.ts';
import { type KubeconfigFile, kubeconfigFile, QUIET_FLAGS } from '../support/operator-options.ts';

const LIMIT_MS = 15_000;
const LEASES = { group: 'coordination.k8s.io', version: 'v1', plural: 'leases' };

let stop: AbortController;
let printed: string;
let complaints: string;

beforeEach(() => {
  stop = new AbortController();
  printed = '';
  complaints = '';
});

function larder(args: readonly string[], environment: Record<string, string> = {}): Promise<number> {
  return runCli(['run', ...args], {
    readStdin: () => Promise.resolve(''),
    readFile: () => Promise.reject(new Error('reads no file')),
    writeOut: (text) => {
      printed += text;
    },
    writeError: (text) => {
      complaints += text;
    },
    clock: new FakeClock(),
    signal: stop.signal,
    stdinIsTerminal: false,
    stdoutIsTerminal: false,
    environment,
  });
}

function watchesEverything(server: FakeApiServer): boolean {
  const watched = new Set(server.watches.map(({ request }) => request.plural));
  return ['imagesources', 'prepulledimages', 'dockerimagerecords', 'nodes', 'pods'].every((each) =>
    watched.has(each),
  );
}

describe('the command line', () => {
  it('offers every option of the table, with its variable and default', async () => {
    expect(await larder(['--help'])).toBe(0);
    const help = printed.replaceAll(/\s+/g, ' ');
    for (const flag of Object.values<Flag>(FLAGS)) {
      const shown = flag.default === '' ? `(${flag.env})` : `(${flag.env}, default ${flag.default})`;
      expect(help).toContain(`--${flag.name} <value>`);
      expect(help).toContain(shown);
    }
  });

  it('ends with 2 and says everything that is wrong, by flag or variable', async () => {
    expect(await larder(['--workers=none'], { LARDER_PULL_SLOTS: '-5' })).toBe(2);
    expect(complaints).toContain('error: --workers must be a whole number from 1 to 256, not "none"\n');
    expect(complaints).toContain('error: LARDER_PULL_SLOTS must be a whole number');
  });

  it.each([['--no-such-flag'], ['--workers']])('ends with 2 for %s', async (flag) => {
    expect(await larder([flag])).toBe(2);
    expect(complaints).toContain(flag);
  });

  it('ends with 1 if there is no usable kubeconfig', async () => {
    expect(await larder(['--kubeconfig=/nowhere/kubeconfig', ...QUIET_FLAGS])).toBe(1);
    expect(complaints).toMatch(/^larder: .*\/nowhere\/kubeconfig/);
  });
});

describe('the operator in the foreground', () => {
  let server: FakeApiServer;
  let kubeconfig: KubeconfigFile;

  beforeEach(async () => {
    server = await FakeApiServer.start();
    kubeconfig = await kubeconfigFile(server);
  });

  afterEach(async () => {
    await kubeconfig[Symbol.asyncDispose]();
    await server.close();
  });

  it('works until the signal, then gives the lease back and closes its connections', async () => {
    const flags = ['--namespace=stock', '--identity=replica-1', ...QUIET_FLAGS];
    const ended = larder(flags, { LARDER_KUBECONFIG: kubeconfig.path });
    await eventually(() => watchesEverything(server), LIMIT_MS);
    await eventually(() => server.store.find(LEASES, 'stock/larder') !== undefined, LIMIT_MS);
    expect(server.store.get(LEASES, 'stock/larder')).toMatchObject({ spec: { holderIdentity: 'replica-1' } });
    stop.abort();
    expect(await ended).toBe(0);
    expect(server.store.get(LEASES, 'stock/larder')).toMatchObject({ spec: { holderIdentity: '' } });
    await eventually(() => server.openConnections === 0, LIMIT_MS);
    expect(complaints).toBe('');
  });

  it('starts no work if the signal came before', async () => {
    stop.abort();
    expect(await larder([`--kubeconfig=${kubeconfig.path}`, ...QUIET_FLAGS])).toBe(0);
    expect(server.store.list(LEASES)).toEqual([]);
  });

  it('elects nobody if told so', async () => {
    const ended = larder([`--kubeconfig=${kubeconfig.path}`, '--leader-elect=false', ...QUIET_FLAGS]);
    await eventually(() => watchesEverything(server), LIMIT_MS);
    stop.abort();
    expect(await ended).toBe(0);
    expect(server.count('create', 'leases')).toBe(0);
  });
});
