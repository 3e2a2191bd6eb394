/** Where the API of a registry is: Docker Hub's is not at the host its references name. */

import {
  DEFAULT_REGISTRY,
  formatRepository,
  type Repository,
  withRuntimeDefaults,
} from '../domain/reference.ts';
import type { RegistryAccess } from './access.ts';
import { RegistryError } from './errors.ts';
import { HUB_REGISTRY_HOST } from './hub-hosts.ts';
import type { Subject } from './transport-errors.ts';

/**
 * The URL of the API's root, "https://host[:port]/v2/".
 * @throws RegistryError for what the reference grammar takes for a host but URLs do not, such as 1.2.3.4.5
 */
export function apiRoot(repository: Repository, access: RegistryAccess): URL {
  const { registry } = withRuntimeDefaults(repository);
  const host = registry === DEFAULT_REGISTRY ? HUB_REGISTRY_HOST : registry;
  const text = `${access.plainHTTP ? 'http' : 'https'}://${host}/v2/`;
  if (URL.canParse(text)) return new URL(text);
  const subject = subjectOf('asking for', repository);
  throw new RegistryError(`${subject.action}: ${host} is not a host`, { ...subject, code: 'NAME_INVALID' });
}

/** `path` below the repository, such as "tags/list" or "manifests/latest". */
export function apiURL(repository: Repository, access: RegistryAccess, path: string): URL {
  return new URL(`${withRuntimeDefaults(repository).repository}/${path}`, apiRoot(repository, access));
}

/** `verb` and what it is done to, for error messages. */
export function subjectOf(verb: string, repository: Repository, identifier = ''): Subject {
  return {
    action: `${verb} ${formatRepository(repository)}${identifier}`,
    registry: withRuntimeDefaults(repository).registry,
    repository: repository.repository,
  };
}
