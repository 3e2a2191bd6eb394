import { describe, expect, it } from 'vitest';
import { FLAGS, type Flag, type OperatorOptions, readOptions } from '../src/options.ts';

const ROWS = Object.entries<Flag>(FLAGS) as readonly [keyof OperatorOptions, Flag][];

function read(flags: Record<string, string> = {}, env: Record<string, string> = {}): OperatorOptions {
  const options = readOptions(flags, env);
  if (!options.ok) throw new Error(options.error.join('\n'));
  return options.value;
}

function problems(flags: Record<string, string>, env: Record<string, string> = {}): readonly string[] {
  const options = readOptions(flags, env);
  return options.ok ? [] : options.error;
}

/** For each option: its default, a text a person may type, and what that means. */
const CASES: Readonly<Record<keyof OperatorOptions, readonly [unknown, string, unknown]>> = {
  kubeconfig: [undefined, '/etc/larder/kubeconfig', '/etc/larder/kubeconfig'],
  namespace: ['larder-system', 'stock', 'stock'],
  leaderElect: [true, 'false', false],
  identity: [undefined, 'larder-0', 'larder-0'],
  healthHost: ['0.0.0.0', '127.0.0.1', '127.0.0.1'],
  healthPort: [8081, '0', 0],
  httpHost: ['0.0.0.0', '127.0.0.1', '127.0.0.1'],
  httpPort: [8080, 'off', undefined],
  httpCertFile: [undefined, '/tls/tls.crt', '/tls/tls.crt'],
  httpKeyFile: [undefined, '/tls/tls.key', '/tls/tls.key'],
  httpRate: [100, '0', 0],
  httpAccessLog: [true, 'false', false],
  anonymousRead: [false, 'true', true],
  recordsNamespace: [undefined, 'records', 'records'],
  qps: [100, '0', 0],
  burst: [200, '1', 1],
  workers: [8, '256', 256],
  pullSlots: [50, '0', 0],
  pullSlotsPerRegistry: [0, '5', 5],
  pullSlotsPerImage: [0, '5', 5],
  maxImagesPerNamespace: [0, '100', 100],
  maxBytesPerNamespace: [0, '1000000000000', 1_000_000_000_000],
  maxKeptPods: [2_000, '0', 0],
  nodeStatusMaxImages: [50, '0', 0],
  warmGate: [false, 'true', true],
  allowedCIDRs: [[], '10.0.0.0/8, fd00::/8', ['10.0.0.0/8', 'fd00::/8']],
  allowedRealms: [[], 'auth.example.org', ['auth.example.org']],
  drainMs: [20_000, '1m30s', 90_000],
  logLevel: ['info', 'debug', 'debug'],
  logFormat: ['json', 'text', 'text'],
};

/** For each option that can be wrong: a text, and what is said about it. */
const WRONG: Partial<Record<keyof OperatorOptions, readonly (readonly [string, string])[]>> = {
  namespace: [['', 'must not be empty']],
  leaderElect: [
    ['yes', 'must be true or false'],
    ['', 'must be true or false'],
  ],
  healthHost: [['', 'must not be empty']],
  healthPort: [
    ['65536', 'from 0 to 65535'],
    ['-1', 'from 0 to 65535'],
    ['http', 'from 0 to 65535'],
  ],
  qps: [
    ['1.5', 'whole number'],
    ['1e3', 'whole number'],
    ['', 'whole number'],
  ],
  burst: [['0', 'from 1 to 100000']],
  workers: [
    ['0', 'from 1 to 256'],
    ['257', 'from 1 to 256'],
  ],
  pullSlots: [['many', 'whole number']],
  maxKeptPods: [['12001', 'from 0 to 12000']],
  nodeStatusMaxImages: [['-1', 'whole number']],
  warmGate: [['1', 'must be true or false']],
  allowedCIDRs: [
    ['10.0.0.0', 'address/prefix'],
    ['10.0.0.0/33', 'address/prefix'],
    ['10.0.0.0/8,', 'address/prefix'],
  ],
  drainMs: [
    ['20', 'duration such as 20s'],
    ['-1s', 'duration such as 20s'],
  ],
  logLevel: [['verbose', 'must be one of']],
  logFormat: [['xml', 'must be one of json, text']],
};

describe.each(ROWS)('%s', (option, flag) => {
  const [fallback, typed, meaning] = CASES[option];

  it('has its default', () => {
    expect(read()[option]).toEqual(fallback);
  });

  it(`is set by --${flag.name} and by ${flag.env}, and the flag wins`, () => {
    expect(read({ [flag.name]: typed })[option]).toEqual(meaning);
    expect(read({}, { [flag.env]: typed })[option]).toEqual(meaning);
    expect(read({ [flag.name]: typed }, { [flag.env]: flag.default })[option]).toEqual(meaning);
  });

  it.each(WRONG[option] ?? [])('refuses %j and names the place', (text, words) => {
    for (const [place, problem] of [
      [`--${flag.name}`, problems({ [flag.name]: text })],
      [flag.env, problems({}, { [flag.env]: text })],
    ] as const) {
      expect(problem).toHaveLength(1);
      expect(problem[0]).toContain(`${place} `);
      expect(problem[0]).toContain(words);
      expect(problem[0]).toContain(JSON.stringify(text));
    }
  });
});

describe('the table', () => {
  it('names each flag and variable once, in one style, with help', () => {
    const flags = ROWS.map(([, flag]) => flag);
    for (const key of ['name', 'env'] as const) {
      expect(new Set(flags.map((flag) => flag[key])).size).toBe(flags.length);
    }
    for (const flag of flags) {
      expect(flag.name).toMatch(/^[a-z]+(-[a-z]+)*$/);
      expect(flag.env).toMatch(/^LARDER_[A-Z_]+$/);
      expect(flag.help).toMatch(/\.$/);
    }
  });

  it('tells all problems at once', () => {
    const wrong = { workers: '0', 'log-level': 'loud' };
    expect(problems(wrong, { LARDER_PULL_SLOTS: '-' })).toEqual([
      expect.stringContaining('--workers '),
      expect.stringContaining('LARDER_PULL_SLOTS '),
      expect.stringContaining('--log-level '),
    ]);
  });

  it('gives options that nobody can change later', () => {
    expect(Object.isFrozen(read())).toBe(true);
  });
});
