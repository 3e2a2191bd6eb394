/** Credentials from pull secrets, matched to repositories exactly: whole host labels, port and path segments. */

import { type Repository, withRuntimeDefaults } from '../domain/reference.ts';
import { err, ok, type Result } from '../domain/result.ts';
import { isJsonObject, type JsonObject, parseJSON } from '../json.ts';
import { credentialHost } from './hub-hosts.ts';

/** What a registry is shown; `anonymous` is a value, so nobody forgets the case. */
export type Credentials =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  | { readonly kind: 'identityToken'; readonly username: string; readonly token: string }
  | { readonly kind: 'registryToken'; readonly token: string };

/** Shown where nothing else matches. */
export const anonymous: Credentials = { kind: 'anonymous' };

/** Finds what to show for a repository. */
export interface Keychain {
  /** Candidates, the most specific first; empty if none match. May fetch (cloud identities), hence the promise. */
  find(repository: Repository, signal?: AbortSignal): Promise<readonly Credentials[]>;
}

/** Knows no credentials for anything. */
export const emptyKeychain: Keychain = { find: () => Promise.resolve([]) };

/** One row of `auths`: host pattern, port, path prefix, credentials. */
interface Entry {
  readonly labels: readonly string[];
  readonly port: string;
  readonly path: readonly string[];
  readonly credentials: Credentials;
}

/** Reads the value of `.dockerconfigjson` (type kubernetes.io/dockerconfigjson) or the old `.dockercfg`. */
export function parseDockerConfig(json: string): Result<Keychain> {
  const config = parseJSON(json);
  if (config === undefined) return err('the docker config is not JSON');
  if (!isJsonObject(config)) return err('the docker config is not a JSON object');
  const auths = authsOf(config);
  return isJsonObject(auths)
    ? ok(keychainOf(readEntries(auths)))
    : err('auths of the docker config is not an object');
}

/** The old format has the rows at the top level. */
function authsOf(config: JsonObject): unknown {
  if ('auths' in config) return config['auths'];
  return 'credHelpers' in config || 'credsStore' in config ? {} : config;
}

function readEntries(auths: JsonObject): readonly Entry[] {
  return Object.entries(auths).flatMap(([key, value]) => {
    const credentials = isJsonObject(value) ? readCredentials(value) : undefined;
    const entry = credentials && buildEntry(key, credentials);
    return entry ? [entry] : [];
  });
}

/** A kubernetes.io/basic-auth Secret: valid for the one registry it is used with. */
export function basicAuthKeychain(registry: string, username: string, password: string): Keychain {
  const entry = buildEntry(registry, { kind: 'basic', username, password });
  return keychainOf(entry ? [entry] : []);
}

/** Several secrets: all candidates of the first, then of the second, and so on, the more specific first. */
export function joinKeychains(keychains: readonly Keychain[]): Keychain {
  return {
    async find(repository, signal) {
      const found = await Promise.all(keychains.map((keychain) => keychain.find(repository, signal)));
      return found.flat();
    },
  };
}

function keychainOf(entries: readonly Entry[]): Keychain {
  const ordered = [...entries].sort((a, b) => b.path.length - a.path.length || wildcards(a) - wildcards(b));
  return {
    find(repository) {
      const { registry, repository: path } = withRuntimeDefaults(repository);
      const target = splitHost(credentialHost(registry));
      const segments = path.split('/');
      const matching = ordered.filter(
        (entry) => hostMatches(entry, target) && pathMatches(entry.path, segments),
      );
      return Promise.resolve(matching.map((entry) => entry.credentials));
    },
  };
}

function wildcards(entry: Entry): number {
  return entry.labels.filter((label) => label.includes('*')).length;
}

/** A key such as `https://index.docker.io/v1/`, `host:port`, `*.host` or `host/path`. */
function buildEntry(key: string, credentials: Credentials): Entry | undefined {
  const bare = key.replace(/^https?:\/\//i, '');
  const slash = bare.indexOf('/');
  const host = credentialHost(slash < 0 ? bare : bare.slice(0, slash));
  if (slash === 0 || bare === '') return undefined;
  // /v1/ and /v2/ are the API's own paths, as `docker login` writes them.
  const path =
    slash < 0
      ? []
      : bare
          .slice(slash + 1)
          .split('/')
          .filter(Boolean);
  const isApiPath = path.length === 1 && /^v[12]$/.test(path[0] ?? '');
  return { ...splitHost(host), path: isApiPath ? [] : path, credentials };
}

function splitHost(host: string): { labels: readonly string[]; port: string } {
  const { name = host, port = '' } =
    /^(?<name>\[[^\]]*\]|[^:]*)(?::(?<port>[0-9]+))?$/.exec(host)?.groups ?? {};
  return { labels: name.startsWith('[') ? [name] : name.split('.'), port };
}

function hostMatches(entry: Entry, target: { labels: readonly string[]; port: string }): boolean {
  if (entry.port !== target.port || entry.labels.length !== target.labels.length) return false;
  return entry.labels.every((label, index) => labelMatches(label, target.labels[index] ?? ''));
}

/** `*` stands for any characters within one label, as the kubelet reads it. */
function labelMatches(pattern: string, label: string): boolean {
  if (!pattern.includes('*')) return pattern === label;
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop() ?? '';
  if (label.length < first.length + last.length || !label.startsWith(first) || !label.endsWith(last))
    return false;
  let position = first.length;
  for (const part of rest) {
    const at = label.indexOf(part, position);
    if (at < 0 || at + part.length > label.length - last.length) return false;
    position = at + part.length;
  }
  return true;
}

function pathMatches(prefix: readonly string[], path: readonly string[]): boolean {
  return prefix.every((segment, index) => segment === path[index]);
}

function readCredentials(entry: JsonObject): Credentials | undefined {
  const token = textOf(entry['registrytoken']);
  if (token !== '') return { kind: 'registryToken', token };
  const auth = textOf(entry['auth']);
  const pair = auth === '' ? undefined : decodeAuth(auth);
  const { username, password } = pair ?? {
    username: textOf(entry['username']),
    password: textOf(entry['password']),
  };
  const identityToken = textOf(entry['identitytoken']);
  if (identityToken !== '') return { kind: 'identityToken', username, token: identityToken };
  return username === '' && password === '' ? undefined : { kind: 'basic', username, password };
}

/** base64 of `user:password`, split at the first ":" because passwords may hold more. */
function decodeAuth(auth: string): { username: string; password: string } | undefined {
  const text = Buffer.from(auth, 'base64').toString('utf8').replace(/\0+$/, '');
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
