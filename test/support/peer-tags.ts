/** How other tools read tags and references, said in our own functions. */

import { RE2JS } from 're2js';
import { compilePattern, type Pattern } from '../../src/domain/pattern.ts';
import { compileRange, type Range } from '../../src/domain/range/range.ts';
import { compareDocker, readDocker, trackOf } from '../../src/domain/tag/docker.ts';
import {
  compareVersions,
  readIdentifiers,
  readLooseVersion,
  readStrictVersion,
  type Version,
  versionOf,
} from '../../src/domain/tag/version.ts';

export const PEER_DIALECTS = [
  'flux',
  'masterminds-v3',
  'argocd-image-updater',
  'regclient',
  'renovate-docker',
  'renovate-npm',
  'nublado',
] as const;
export type PeerDialect = (typeof PEER_DIALECTS)[number];

/** The policy of a case; each kind uses some of it. */
export interface PeerPolicy {
  readonly type?: string;
  readonly dialect?: PeerDialect;
  readonly range?: string;
  readonly order?: string;
  readonly includePrerelease?: boolean;
  readonly filterTags?: { readonly pattern: string; readonly extract: string };
  readonly exclusionList?: readonly string[];
  readonly ignoreGlobs?: readonly string[];
  readonly semverRange?: readonly string[];
  readonly allow?: readonly string[];
  readonly deny?: readonly string[];
  readonly tagMatches?: string;
  readonly tagExcludes?: string;
  readonly repoMatches?: string;
  readonly repoExcludes?: string;
  readonly untagged?: boolean;
  readonly tagFilter?: string;
  readonly versionPattern?: string;
  readonly current?: string;
  readonly bump?: string;
  readonly matchPreRelease?: boolean;
  readonly glob?: string;
  readonly regexp?: string;
  readonly sortBy?: string;
  readonly pick?: string;
  readonly dates?: readonly number[];
  readonly limit?: number;
  readonly test?: string;
  readonly k?: number;
  readonly n?: number;
  readonly days?: number;
}

/** Ranges of Go tools are Masterminds', all others npm's. */
export function rangeOf(policy: PeerPolicy): Range | undefined {
  const { dialect = 'flux', range = '*', includePrerelease = false } = policy;
  const isNpm = dialect === 'regclient' || dialect === 'renovate-npm';
  const compiled = compileRange(
    range,
    isNpm ? 'npm' : 'Masterminds',
    includePrerelease || dialect === 'regclient',
  );
  return compiled.ok ? compiled.value : undefined;
}

const READERS: Readonly<Record<PeerDialect, (text: string) => Version | undefined>> = {
  // Three dot-separated parts, wherever the dots are; then as loose as Masterminds.
  flux: (text) => (text.split('.').length < 3 ? undefined : readUpTo64Bits(text)),
  'masterminds-v3': readUpTo64Bits,
  'argocd-image-updater': readUpTo64Bits,
  regclient: readManyParts,
  'renovate-docker': (text) => readDocker(text).version ?? undefined,
  'renovate-npm': (text) => readStrictVersion(text.replace(/^[=v\s]+/, '').trim()),
  nublado: () => undefined,
};

export function versionIn(dialect: PeerDialect | undefined, text: string): Version | undefined {
  return READERS[dialect ?? 'argocd-image-updater'](text);
}

/** Go holds each number in 64 bits and refuses larger ones. */
function readUpTo64Bits(text: string): Version | undefined {
  const version = readLooseVersion(text);
  const fits = version && [version.major, version.minor, version.patch].every((number) => number < 2n ** 64n);
  return fits === true ? version : undefined;
}

/** regclient: any number of numbers. */
function readManyParts(text: string): Version | undefined {
  const match = /^v?([0-9]+(?:\.[0-9]+)*)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$/.exec(text);
  if (match === null) return undefined;
  const [, numbers = '', prerelease] = match;
  return versionOf(
    numbers.split('.').map(Number),
    prerelease === undefined ? [] : readIdentifiers(prerelease),
  );
}

export function isValidTagIn({ dialect, test }: PeerPolicy, text: string): boolean {
  if (dialect === 'renovate-npm' && test === 'isValid') return compileRange(text, 'npm').ok;
  return versionIn(dialect, text) !== undefined;
}

/** Sign of the age of two tags; undefined if either is no version. */
export function comparePeer(
  dialect: PeerDialect | undefined,
  left: string,
  right: string,
): number | undefined {
  if (dialect === 'renovate-docker') return Math.sign(compareDocker(readDocker(left), readDocker(right)));
  const versions = [versionIn(dialect, left), versionIn(dialect, right)] as const;
  return versions[0] && versions[1] && Math.sign(compareVersions(versions[0], versions[1]));
}

export function isStableIn(dialect: PeerDialect | undefined, text: string): boolean {
  if (dialect === 'renovate-docker') return readDocker(text).type === 'release';
  return versionIn(dialect, text)?.prerelease.length === 0;
}

export function isSameTrack(left: string, right: string): boolean {
  const track = trackOf(readDocker(left));
  return track !== undefined && track === trackOf(readDocker(right));
}

/** The tag without its variant. */
export function stripVariant(text: string): string {
  const { extra } = readDocker(text);
  return extra === null ? text : text.slice(0, -extra.length - 1);
}

export function isLessThanRange({ dialect, range = '' }: PeerPolicy, text: string): boolean {
  if (dialect === 'renovate-docker') return compareDocker(readDocker(text), readDocker(range)) < 0;
  const version = versionIn(dialect, text);
  return (
    version !== undefined &&
    (rangeOf({ dialect: dialect ?? 'renovate-npm', range })?.isAbove(version) ?? false)
  );
}

/** @throws if it is not RE2: callers turn that into the expected error */
export function pattern(source: string): Pattern {
  const compiled = compilePattern(source);
  if (!compiled.ok) throw new Error(compiled.error.message);
  return compiled.value;
}

/** Go's Expand: `template` with $1, $name or ${name} replaced by groups of the first match; undefined without match. */
export function expand(source: string, text: string, template: string): string | undefined {
  const matcher = RE2JS.compile(source).matcher(text);
  if (!matcher.find()) return undefined;
  return template.replace(/\$(?:(\w+)|\{(\w+)\})/g, (_, bare?: string, braced?: string) => {
    const group = bare ?? braced ?? '';
    return matcher.group(/^[0-9]+$/.test(group) ? Number(group) : group) ?? '';
  });
}

/** Globs of Argo, Keel and Harbor as RE2: `*`, `**`, `?`, `{a,b}`, `[...]`. */
export function globPattern(glob: string, star = '.*'): Pattern {
  const body = glob.replace(
    /\*\*|[*?{},.+^$()|\\]/g,
    (token) => GLOB_TOKENS[token] ?? (token === '*' ? star : `\\${token}`),
  );
  return pattern(`^(?:${body})$`);
}

const GLOB_TOKENS: Readonly<Record<string, string>> = {
  '**': '.*',
  '?': '.',
  '{': '(?:',
  '}': ')',
  ',': '|',
};
