/** The layers of src/: who may import whom. A wrong import fails with the file, the line and what it may do instead. */

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { describe, expect, it } from 'vitest';

const SRC = resolve(import.meta.dirname, '../src');

/** Layer of a path below src/: its folder, `controllers/X` for a controller, the file itself at the top (operator.ts is of operator/). */
type Layer = string;

/** Imports are allowed within a layer, and from a layer to those listed here. CONTRIBUTING.md shows the same table. */
const MAY_IMPORT: Readonly<Record<Layer, readonly Layer[]>> = {
  domain: [],
  api: ['domain', 'json'],
  clock: [],
  json: [],
  registry: ['domain', 'clock', 'json', 'version'],
  kube: ['clock', 'json'],
  logging: ['clock', 'kube'],
  version: [],
  controllers: ['domain', 'api', 'registry', 'kube', 'clock', 'json'],
  'controllers/*': ['domain', 'api', 'registry', 'kube', 'clock', 'json', 'controllers'],
  server: ['domain', 'api', 'registry', 'kube', 'clock', 'json'],
  options: ['domain', 'logging'],
  operator: ['*'],
  cli: ['*'],
  main: ['*'],
};

interface Import {
  readonly file: string;
  readonly line: number;
  readonly target: string;
  /** Erased at run time. */
  readonly isType: boolean;
}

/** Every static import and export-from of the file, with its line. */
function importsOf(file: string): readonly Import[] {
  const text = readFileSync(join(SRC, file), 'utf8');
  const pattern = /^(?:import|export)\s(?<type>type\s)?(?:[^'";]*?\sfrom\s)?['"](?<target>[^'"]+)['"]/gm;
  return [...text.matchAll(pattern)].map((match) => ({
    file,
    line: text.slice(0, match.index).split('\n').length,
    target: match.groups?.['target'] ?? '',
    isType: match.groups?.['type'] !== undefined,
  }));
}

function layerOf(path: string): Layer {
  const [first = '', second = '', third] = path.split(sep);
  if (first === 'controllers' && third !== undefined) return `controllers/${second}`;
  return first.replace(/\.ts$/, '');
}

function targetsOf(layer: Layer): readonly Layer[] {
  return MAY_IMPORT[layer.startsWith('controllers/') ? 'controllers/*' : layer] ?? [];
}

/** What is wrong with the import, or undefined. */
function violation({ file, line, target, isType }: Import): string | undefined {
  const from = layerOf(file);
  if (!target.startsWith('.')) return packageViolation({ file, line, target, isType });
  const path = relative(SRC, resolve(SRC, dirname(file), target));
  if (path === join('..', 'package.json')) return undefined;
  const to = layerOf(path);
  const allowed = targetsOf(from);
  if (from === to || allowed.includes('*') || allowed.includes(to)) return undefined;
  return `src/${file}:${line} imports src/${path}: ${from} may import only ${[from, ...allowed].join(', ')}`;
}

/** The pure core knows neither Node nor packages that do I/O; the Kubernetes client has one home. */
function packageViolation({ file, line, target, isType }: Import): string | undefined {
  const layer = layerOf(file);
  const where = `src/${file}:${line} imports ${target}`;
  if (layer === 'domain' && !['re2js', 'semver'].includes(target)) {
    return `${where}: domain is pure, it may import re2js and semver only`;
  }
  if (layer === 'api' && target.startsWith('node:')) return `${where}: api is schema values only`;
  const isClient = target === '@kubernetes/client-node' || target === '@dot-i/k8s-operator';
  if (isClient && layer !== 'kube' && !isType) return `${where}: only kube may, others use \`import type\``;
  return undefined;
}

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));

describe('layers', () => {
  it('are all known', () => {
    const unknown = [...new Set(files.map(layerOf))].filter(
      (layer) => !(layer in MAY_IMPORT) && !layer.startsWith('controllers/'),
    );
    expect(unknown).toEqual([]);
  });

  it.each(files)('src/%s imports only what its layer may', (file) => {
    expect(importsOf(file).map(violation).filter(Boolean)).toEqual([]);
  });

  it('put operator.ts and its parts into one', () => {
    expect([layerOf('operator.ts'), layerOf(join('operator', 'caches.ts'))]).toEqual([
      'operator',
      'operator',
    ]);
  });

  it('names file, line and rule for a wrong import', () => {
    const wrong = { file: join('domain', 'image.ts'), line: 3, target: '../kube/client.ts', isType: false };
    expect(violation(wrong)).toBe(
      'src/domain/image.ts:3 imports src/kube/client.ts: domain may import only domain',
    );
    const other = join('controllers', 'image-source', 'scan.ts');
    const across = { file: other, line: 1, target: '../node-stocker/rest.ts', isType: true };
    expect(violation(across)).toContain('controllers/image-source may import only');
  });

  it('are those that CONTRIBUTING.md shows', () => {
    const page = readFileSync(resolve(SRC, '../CONTRIBUTING.md'), 'utf8');
    for (const [layer, allowed] of Object.entries(MAY_IMPORT)) {
      const shown = allowed.length === 0 ? 'nothing of ours' : allowed.join(', ').replace('*', 'everything');
      expect(page).toContain(`| ${layer} | ${shown} |`);
    }
  });
});

/** One home per side effect; each is found by what the source text must say to have it. */
const HOMES: readonly (readonly [effect: string, pattern: RegExp, homes: readonly string[]])[] = [
  ['wall clock', /\bDate\.now\(|new Date\(\)/, ['clock.ts']],
  // The script of the dashboard runs in browsers, which have a clock of their own.
  ['timers', /\bset(?:Timeout|Interval)\(/, ['clock.ts', 'server/dashboard/live-script.ts']],
  ['environment', /\bprocess\.env\b/, ['main.ts']],
  ['signals and exit', /\bprocess\.(?:exit\(|once\(|on\()/, ['main.ts']],
  [
    'HTTP requests',
    /^import \{[^}]*\} from 'undici'|\bfetch\(url\b/m,
    [
      'kube/agents.ts',
      'registry/connections.ts',
      'registry/providers/cloud-fetch.ts',
      'cli/record-source.ts',
    ],
  ],
  ['logger construction', /\bcreateLogger\(/, ['logging.ts']],
];

describe('side effects', () => {
  it.each(HOMES)('%s has one home', (_effect, pattern, homes) => {
    const found = files.filter((file) =>
      pattern.test(withoutComments(readFileSync(join(SRC, file), 'utf8'))),
    );
    expect(found.filter((file) => !homes.includes(file))).toEqual([]);
  });
});

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
}
