/** Random objects near a valid one: fields removed, nulled, or replaced by values that people and attackers write. */
import fc from 'fast-check';
import { allPaths, type Json, type Path, withValue } from './json-paths.ts';

const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`;

/** Texts near the edges of what some field accepts. */
const TEXTS = [
  ...['', ' ', 'a', 'A', '-', '_', '.', 'no', '0', '00', '0%', '100%', '101%', '007%', '50 %', '1e3'],
  ...[
    '5m',
    '0s',
    '10s',
    '9.999s',
    '1h30m',
    '1h 30m',
    '90',
    '1.5h',
    '500ms',
    '1us',
    '-5m',
    '99999h',
    '100000h',
  ],
  ...['5m0s', '1h1h1h1h', '1h1h1h1h1h', '.5s', '5.s', '10000ms', '1d', 'PT5M', '0.000000001h'],
  ...['registry.example.org/a', 'registry.example.org/a:1', `registry.example.org/a@${DIGEST}`],
  ...[
    `registry.example.org/a:1@${DIGEST}`,
    'localhost/a:1',
    'localhost:5000/a/b',
    'host:5000/a:1',
    'host/a:1',
  ],
  ...['docker.io/library/nginx', 'nginx', 'nginx:1', 'library/nginx', '[::1]:5000/a:1', 'https://a.b/c:1'],
  ...[
    'a.b/c__d-e.f:x',
    'a.b/C:1',
    'a.b//c:1',
    'a.b/c:',
    'a.b/c:-x',
    'a.b/c@sha256:1',
    'a.b/c:1@',
    'a.b:x/c:1',
  ],
  ...[
    'w_2026_40',
    'latest',
    'v1.2.3-alpine',
    '.hidden',
    DIGEST,
    `sha512:${'0'.repeat(128)}`,
    `SHA256:${'0'.repeat(64)}`,
  ],
  ...[
    '^a$',
    '(a',
    'a(?=b)',
    '(?P<d>a)',
    '(?<d>a)',
    '\\d+',
    '\\1',
    '[[:alpha:]]',
    '\\pL',
    'a{1001}',
    '(?i)A',
    '*',
  ],
  ...['2026-01-31', '2026-02-29', '2026-02-30', '2026-13-01', '2026-01-31T12:00:00Z', '2026-01-31T24:00:00Z'],
  ...['2026-01-31T12:00:00+14:00', '2026-01-31T12:00:00', '2026-01-31 12:00:00Z', '2026-01-31T12:00Z'],
  ...[
    '22.0.0',
    'v1',
    '1.2.3.4',
    '11.1',
    '11.10',
    '0.0',
    '0.00',
    '00.0',
    '01.1',
    '11',
    '11.1.0',
    '1234567890.1',
  ],
  ...['node.kubernetes.io/pool', '/pool', 'a/b/c', 'metadata.name', 'spec.podCIDR', '7', '-7', '7.5', '+7'],
  ...['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt', 'Equal', 'NoSchedule', 'Digest', 'Tag', 'Both'],
  ...[
    'RSP',
    'SemVer',
    'Docker',
    'Plain',
    'Source',
    'Runnable',
    'True',
    'Ready',
    'NotCamel_',
    'npm',
    'release',
  ],
  ...[
    'system-node-critical',
    'System-x',
    'default',
    'od',
    'OD',
    'odd',
    'ABC',
    '\u00df',
    '\u{1f600}',
    '\u2028',
    '\n',
  ],
  ...[
    'a\n',
    '\t',
    '\u00a0',
    '\ufeff',
    'a'.repeat(64),
    'a'.repeat(129),
    'a'.repeat(257),
    '\u{1f600}'.repeat(40),
  ],
] as const;

const NUMBERS = [
  0,
  -1,
  1,
  2,
  50,
  100,
  101,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 53 - 1,
  2 ** 53,
  -(2 ** 31),
  1.5,
  1e21,
];

const text = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...TEXTS) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 70 }) },
);

const value: fc.Arbitrary<Json> = fc.oneof(
  { weight: 10, arbitrary: text },
  { weight: 3, arbitrary: fc.constantFrom<Json>(...NUMBERS) },
  { weight: 2, arbitrary: fc.boolean() },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Json>(null, {}, [], ['a', 'a'], { a: 'b' }, [null], { a: null }, [{}]),
  },
);

type Change =
  | { readonly kind: 'replace'; readonly path: Path; readonly value: Json }
  | { readonly kind: 'remove'; readonly path: Path }
  | { readonly kind: 'repeat'; readonly path: Path };

/** `full` with one to four changes somewhere below `part`. */
export function mutated(full: Json, part: 'spec' | 'status'): fc.Arbitrary<Json> {
  const paths = allPaths(full).filter((path) => path[0] === part && path.length > 1);
  const path = fc.constantFrom(...paths);
  const change: fc.Arbitrary<Change> = fc.oneof(
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('replace' as const), path, value }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('remove' as const), path }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('repeat' as const), path }) },
  );
  return fc
    .array(change, { minLength: 1, maxLength: 4 })
    .map((changes) => changes.reduce<Json>((object, each) => apply(object, each), full));
}

/** Changes below a place that an earlier change has emptied do nothing. */
function apply(object: Json, change: Change): Json {
  const parent = parentOf(object, change.path);
  const last = change.path.at(-1);
  if (parent === undefined || last === undefined) return object;
  if (Array.isArray(parent)) return inList(object, change, parent as readonly Json[]);
  if (!(last in (parent as object))) return object;
  if (change.kind === 'replace') return withValue(object, change.path, change.value);
  return change.kind === 'remove' ? withValue(object, change.path, undefined) : object;
}

function inList(object: Json, change: Change, list: readonly Json[]): Json {
  const index = Number(change.path.at(-1));
  const item = list[index];
  if (item === undefined) return object;
  const changed = {
    replace: change.kind === 'replace' ? list.with(index, change.value) : list,
    remove: list.filter((_, each) => each !== index),
    repeat: [...list, item],
  }[change.kind];
  return withValue(object, change.path.slice(0, -1), changed);
}

function parentOf(object: Json, path: Path): Json | undefined {
  let value: Json | undefined = object;
  for (const step of path.slice(0, -1)) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Readonly<Record<string | number, Json>>)[step];
  }
  return typeof value === 'object' && value !== null ? value : undefined;
}
