/**
 * Image references by the distribution grammar, kept as they were written.
 *
 *   reference = [ registry "/" ] path [ ":" tag ] [ "@" digest ]
 *
 * The first component is a registry if it holds "." or ":", is "localhost" or holds a capital letter; otherwise
 * there is none (`registry: ''`), and only `withRuntimeDefaults` says what a runtime makes of that.
 */

import { type Digest, validateDigest } from './digest.ts';
import { ok, type Problem, type Result, refuse } from './result.ts';

/** A repository on a registry; `registry` is host[:port] as written, empty if none was. */
export interface Repository {
  readonly registry: string;
  readonly repository: string;
}

/** A repository with a tag, a digest, both or neither. */
export interface Reference extends Repository {
  readonly tag?: string;
  readonly digest?: Digest;
}

/** Longest registry + "/" + repository, as in the reference implementation. */
const MAX_NAME_LENGTH = 255;
export const DEFAULT_REGISTRY = 'docker.io';
const DEFAULT_NAMESPACE = 'library/';

const TAG = /^\w[\w.-]{0,127}$/;
/** path-component = alphanumeric, then separators ("." | "_" | "__" | 1*"-") between further ones */
const PATH_COMPONENT = /^[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*$/;
const HOST_NAME = /^[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*$/;
const IPV6 = /^\[[0-9a-fA-F:]*:[0-9a-fA-F:.]*\]$/;
const REGISTRY = /^(?<host>\[[^\]]*\]|[^:]*)(?::(?<port>[0-9]+))?$/;

/** Thrown by `parseReference` and `parseRepository`. */
export class InvalidReferenceError extends Error {
  override readonly name = 'InvalidReferenceError';
  readonly position: number;

  constructor(text: string, problem: Problem) {
    super(`parsing reference ${JSON.stringify(text)}: ${problem.message} (at ${problem.position})`);
    this.position = problem.position;
  }
}

export function validateReference(text: string): Result<Reference, Problem> {
  const at = text.indexOf('@');
  const nameAndTag = at < 0 ? text : text.slice(0, at);
  const colon = tagColon(nameAndTag);
  const name = validateRepository(colon < 0 ? nameAndTag : nameAndTag.slice(0, colon));
  if (!name.ok) return name;
  const tag = colon < 0 ? undefined : nameAndTag.slice(colon + 1);
  if (tag !== undefined && !TAG.test(tag)) return tagProblem(tag, colon + 1);
  const tagged: Reference = tag === undefined ? name.value : { ...name.value, tag };
  return at < 0 ? ok(tagged) : withDigest(tagged, text.slice(at + 1), at + 1);
}

function withDigest(tagged: Reference, text: string, position: number): Result<Reference, Problem> {
  const digest = validateDigest(text);
  if (!digest.ok) return refuse(digest.error.message, position + digest.error.position);
  return ok({ ...tagged, digest: digest.value });
}

/** Reads `registry/repository` alone, as in `ImageSource.spec.image`: no tag, no digest, no scheme. */
export function validateRepository(text: string): Result<Repository, Problem> {
  if (text === '') return refuse('the repository is missing');
  const scheme = text.indexOf('://');
  if (scheme >= 0) return refuse('an image has no scheme: leave out everything up to "//"', scheme);
  if (text.length > MAX_NAME_LENGTH)
    return refuse(`longer than ${MAX_NAME_LENGTH} characters`, MAX_NAME_LENGTH);
  const slash = text.indexOf('/');
  const hasRegistry = slash >= 0 && looksLikeRegistry(text.slice(0, slash));
  const registry = hasRegistry ? text.slice(0, slash) : '';
  const pathStart = hasRegistry ? slash + 1 : 0;
  return (
    registryProblem(registry) ??
    pathProblem(text, pathStart) ??
    ok({ registry, repository: text.slice(pathStart) })
  );
}

/** @throws InvalidReferenceError */
export function parseReference(text: string): Reference {
  const result = validateReference(text);
  if (!result.ok) throw new InvalidReferenceError(text, result.error);
  return result.value;
}

/** @throws InvalidReferenceError */
export function parseRepository(text: string): Repository {
  const result = validateRepository(text);
  if (!result.ok) throw new InvalidReferenceError(text, result.error);
  return result.value;
}

export function isValidReference(text: string): boolean {
  return validateReference(text).ok;
}

export function isValidTag(text: string): boolean {
  return TAG.test(text);
}

export function formatRepository({ registry, repository }: Repository): string {
  return registry === '' ? repository : `${registry}/${repository}`;
}

/** The inverse of `parseReference`: nothing is added, nothing left out. */
export function formatReference(reference: Reference): string {
  const tag = reference.tag === undefined ? '' : `:${reference.tag}`;
  const digest = reference.digest === undefined ? '' : `@${reference.digest}`;
  return `${formatRepository(reference)}${tag}${digest}`;
}

/** What a runtime makes of a repository: no registry is docker.io, and one plain name there is in `library/`. */
export function withRuntimeDefaults<T extends Repository>(reference: T): T {
  const hub = reference.registry === '' || reference.registry === 'index.docker.io';
  const registry = hub ? DEFAULT_REGISTRY : reference.registry;
  const bare = registry === DEFAULT_REGISTRY && !reference.repository.includes('/');
  return {
    ...reference,
    registry,
    repository: bare ? DEFAULT_NAMESPACE + reference.repository : reference.repository,
  };
}

/** Canonical text: runtime defaults filled in, as in node.status.images. */
export function formatCanonical(reference: Reference): string {
  return formatReference(withRuntimeDefaults(reference));
}

/** Familiar text: what a person would type; the inverse of `formatCanonical` for what needs no registry. */
export function formatFamiliar(reference: Reference): string {
  const { registry, repository, ...rest } = withRuntimeDefaults(reference);
  if (registry !== DEFAULT_REGISTRY) return formatReference({ registry, repository, ...rest });
  const bare = repository.startsWith(DEFAULT_NAMESPACE)
    ? repository.slice(DEFAULT_NAMESPACE.length)
    : repository;
  const familiar = bare.includes('/') ? repository : bare;
  // A first component that reads as a registry would change its meaning without docker.io before it.
  const first = familiar.split('/', 1)[0] ?? '';
  const ambiguous = familiar.includes('/') && looksLikeRegistry(first);
  return formatReference({ registry: ambiguous ? registry : '', repository: familiar, ...rest });
}

/** Index of the ":" before the tag: the last one, unless a "/" follows (then it starts a port). */
function tagColon(text: string): number {
  const colon = text.lastIndexOf(':');
  return colon > text.lastIndexOf('/') && !text.endsWith(']') ? colon : -1;
}

function looksLikeRegistry(component: string): boolean {
  return component === 'localhost' || /[.:A-Z[]/.test(component);
}

function registryProblem(registry: string): Result<never, Problem> | undefined {
  if (registry === '') return undefined;
  const { host = '', port } = REGISTRY.exec(registry)?.groups ?? {};
  if (!HOST_NAME.test(host) && !IPV6.test(host))
    return refuse('the registry is not a host name, address or [IPv6] address');
  if (port !== undefined && Number(port) > 65_535) return refuse('the port is above 65535', host.length + 1);
  return undefined;
}

function pathProblem(text: string, start: number): Result<never, Problem> | undefined {
  let position = start;
  for (const component of text.slice(start).split('/')) {
    if (!PATH_COMPONENT.test(component)) return componentProblem(component, position);
    position += component.length + 1;
  }
  return undefined;
}

function componentProblem(component: string, position: number): Result<never, Problem> {
  if (component === '') return refuse('a part of the repository is empty', position);
  const wrong = component.search(/[^a-z0-9._-]/);
  if (wrong < 0) {
    return refuse(
      'a part of the repository must begin and end with a letter or digit, one separator between',
      position,
    );
  }
  const isCapital = /[A-Z]/.test(component.charAt(wrong));
  return refuse(
    isCapital
      ? 'capital letters are not allowed in a repository'
      : 'this character is not allowed in a repository',
    position + wrong,
  );
}

function tagProblem(tag: string, position: number): Result<never, Problem> {
  if (tag === '') return refuse('the tag is empty', position);
  if (tag.length > 128) return refuse('the tag is longer than 128 characters', position + 128);
  const wrong = tag.search(/[^\w.-]/);
  if (wrong >= 0) return refuse('this character is not allowed in a tag', position + wrong);
  return refuse('a tag begins with a letter, a digit or "_"', position);
}
