/** Where the API of a registry is: Docker Hub's is not at the host its references name. */

import { formatRepository, type Repository, withRuntimeDefaults } from '../domain/reference.ts';
import type { RegistryAccess } from './access.ts';
import type { Subject } from './transport-errors.ts';

const HUB_API_HOST = 'registry-1.docker.io';

/** The URL of the API's root, "https://host[:port]/v2/". */
export function apiRoot(repository: Repository, access: RegistryAccess): URL {
  const { registry } = withRuntimeDefaults(repository);
  const host = registry === 'docker.io' ? HUB_API_HOST : registry;
  return new URL(`${access.plainHTTP ? 'http' : 'https'}://${host}/v2/`);
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
