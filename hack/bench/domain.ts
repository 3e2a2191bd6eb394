/**
 * What the pure core costs: N tags parsed, ordered and selected under three rules, in a process of its own.
 *
 *   node hack/bench/domain.ts [N...]        (default 100000 300000 1000000; each in a fresh process)
 *   node --max-old-space-size=384 --max-semi-space-size=4 hack/bench/domain.ts      (as the Dockerfile starts Larder)
 *
 * Bundled first, so that the figures are those of what is shipped and not of stripping types. Prints CPU (user + system, this process's start not counted), the longest stretch between two pauses of a fold (CPU),
 * peak resident memory, and how much of it the work added.
 *
 * The work is what every scan does: parse, order, select, conclude, summarise. What is outside: the start of the process, making the list, and compiling the spec (once per generation of an object; `compileMs`).
 * Stretches are watched in another run, because asking for the CPU at every pause costs more than the pauses.
 */

import { spawnSync } from 'node:child_process';
import { mkdtempDisposableSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import type { Digest } from '../../src/domain/digest.ts';
import { NO_BOUNDS } from '../../src/domain/display.ts';
import { type Fold, runFold } from '../../src/domain/fold.ts';
import { compileSelection, planSelection } from '../../src/domain/selection.ts';
import { summarise } from '../../src/domain/selection-result.ts';
import type { RuleSpec, SelectionSpec, Selector } from '../../src/domain/selection-spec.ts';
import { concludeSelection } from '../../src/domain/source-images.ts';

/** Bars of the issue for 100,000 tags. */
const BAR = { cpuMs: 250, stretchMs: 50, memoryMb: 100 };
/** Of each size, each in a fresh process: the median is printed, and the least CPU, which other work on the machine spoils least. */
const RUNS = 5;

interface Measurement {
  readonly tags: number;
  readonly cpuMs: number;
  readonly compileMs: number;
  readonly stretchMs: number;
  readonly peakMb: number;
  readonly addedMb: number;
  readonly selected: number;
}

/** A repository as the original's: dailies, weeklies, releases, experiments, 5 % names without version; each once. */
function makeTags(count: number): readonly string[] {
  const tags: string[] = [];
  for (let index = 0; tags.length < count; index++) {
    const year = 1990 + (index % 60);
    const month = 1 + (index % 12);
    const day = 1 + (index % 28);
    tags.push(`d_${year}_${pad(month)}_${pad(day)}_c${index % 100}.${Math.floor(index / 60) % 1000}`);
    tags.push(`w_${year}_${pad(1 + (index % 52))}_rsp${index % 4999}`);
    if (index % 3 === 0) tags.push(`r${index % 40}_${index % 10}_${index % 7}_rsp${index % 4999}`);
    if (index % 4 === 0) tags.push(`exp_w_${year}_${pad(1 + (index % 52))}_u${index}`);
    if (index % 8 === 0) tags.push(`team_${index}_name`);
  }
  if (new Set(tags).size < tags.length) throw new Error('the list names a tag twice');
  // As from a registry: flat strings out of JSON, not concatenations that are flattened when first read.
  return JSON.parse(JSON.stringify(shuffle(tags.slice(0, count)))) as readonly string[];
}

function pad(value: number): string {
  return String(value).padStart(2, '0');
}

/** Deterministic: the same list on every run. */
function shuffle(tags: readonly string[]): readonly string[] {
  const shuffled = [...tags];
  let state = 1;
  for (let index = shuffled.length - 1; index > 0; index--) {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    const other = state % (index + 1);
    const kept = shuffled[index] ?? '';
    shuffled[index] = shuffled[other] ?? '';
    shuffled[other] = kept;
  }
  return shuffled;
}

function rule(name: string, selector: Selector, newest: number): RuleSpec {
  return { name, selector, newest, maxAgeMs: null, minAgeMs: null, since: NO_BOUNDS };
}

const SPEC: SelectionSpec = {
  image: { registry: 'registry.example.org', repository: 'sciplat/lab' },
  grammar: { name: 'RSP', recommended: 'recommended', aliases: ['latest_weekly'], architectures: [] },
  cycle: null,
  include: [],
  exclude: ['^sha256-[0-9a-f]{64}(\\.[a-z]+)?$'],
  rules: [
    rule(
      'releases',
      { kind: 'semver', range: '>=20 <30', dialect: 'npm', prereleases: false, variant: null },
      3,
    ),
    rule('weeklies', { kind: 'type', type: 'weekly' }, 5),
    rule('dailies', { kind: 'type', type: 'daily' }, 7),
  ],
  display: {},
  digests: 'Named',
  allowDowngrade: false,
};

/** Drives a fold to its end and notes how long it ran between two pauses. */
function driveWatched<T>(fold: Fold<T>, onStretch: (ms: number) => void): T {
  for (;;) {
    // CPU of this thread, not the clock on the wall: other processes on the machine are not our stretch.
    const begin = process.threadCpuUsage();
    const step = fold.next();
    const { user, system } = process.threadCpuUsage(begin);
    onStretch((user + system) / 1000);
    if (step.done === true) return step.value;
  }
}

function measure(count: number, watchesStretches: boolean): Measurement {
  const tags = makeTags(count);
  global.gc?.();
  const before = process.memoryUsage().rss;
  let stretchMs = 0;
  const onStretch = (ms: number): void => {
    stretchMs = Math.max(stretchMs, ms);
  };
  const drive = <T>(fold: Fold<T>): T => (watchesStretches ? driveWatched(fold, onStretch) : runFold(fold));
  const beforeCompiling = process.cpuUsage();
  const selection = compileSelection(SPEC);
  const compileMs = milliseconds(process.cpuUsage(beforeCompiling));
  if (!selection.ok) throw new Error(selection.error.message);
  const begin = process.cpuUsage();
  const plan = drive(planSelection(selection.value, tags, Date.UTC(2026, 0, 1)));
  const facts = { digests: new Map<string, Digest>(), eligibleNodes: new Set<string>(), presence: new Map() };
  const source = drive(concludeSelection(selection.value, plan, facts));
  const result = drive(summarise(source));
  const cpuMs = milliseconds(process.cpuUsage(begin));
  const peak = process.resourceUsage().maxRSS / 1024;
  return {
    tags: count,
    cpuMs,
    compileMs,
    stretchMs: Math.round(stretchMs * 10) / 10,
    peakMb: Math.round(peak),
    addedMb: Math.round(peak - before / 1024 ** 2),
    selected: result.images.length,
  };
}

function milliseconds({ user, system }: NodeJS.CpuUsage): number {
  return Math.round((user + system) / 1000);
}

/** One process a measurement: warm code and other people's garbage would flatter or spoil the next one. */
function runOne(bundle: string, count: number, options: readonly string[] = []): Measurement {
  const args = [...process.execArgv, '--expose-gc', bundle, '--one', String(count), ...options];
  const child = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (child.status !== 0) throw new Error(child.stderr);
  return JSON.parse(child.stdout) as Measurement;
}

async function bundleSelf(folder: string): Promise<string> {
  // Not at the top: the bundle has no use for it, and must not look for it.
  const { buildSync } = await import('esbuild');
  const outfile = join(folder, 'domain.mjs');
  // re2js and semver are CommonJS in parts: they need a require.
  const banner = {
    js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
  };
  buildSync({
    entryPoints: [import.meta.filename],
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile,
    banner,
    external: ['esbuild'],
  });
  return outfile;
}

async function main(): Promise<void> {
  const options = { one: { type: 'string' }, stretches: { type: 'boolean', default: false } } as const;
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  if (values.one !== undefined) {
    process.stdout.write(JSON.stringify(measure(Number(values.one), values.stretches)));
    return;
  }
  const counts = positionals.length > 0 ? positionals.map(Number) : [100_000, 300_000, 1_000_000];
  using folder = mkdtempDisposableSync(join(tmpdir(), 'larder-bench-'));
  const bundle = await bundleSelf(folder.path);
  for (const count of counts) {
    const runs = Array.from({ length: RUNS }, () => runOne(bundle, count));
    const [least, ...others] = runs.toSorted((left, right) => left.cpuMs - right.cpuMs);
    const median = others[Math.floor(RUNS / 2) - 1];
    const { stretchMs } = runOne(bundle, count, ['--stretches']);
    process.stdout.write(`${JSON.stringify({ ...median, leastCpuMs: least?.cpuMs, stretchMs })}\n`);
  }
  process.stdout.write(`bars for 100000 tags: ${JSON.stringify(BAR)}\n`);
}

await main();
