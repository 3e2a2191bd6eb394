/** A registry login as a Secret: for the kubelet a docker config, for us the two values as they were given. */

import { DEFAULT_REGISTRY } from '../../domain/reference.ts';
import type { Secret } from '../../kube/core-types.ts';
import { credentialHost } from '../../registry/hub-hosts.ts';
import { parseDockerConfig } from '../../registry/keychain.ts';
import { NO_LOGIN, type RegistryLogin } from './image-view.ts';

/** What kubelets take. */
export const SECRET_TYPE = 'kubernetes.io/dockerconfigjson';
const CONFIG_KEY = '.dockerconfigjson';
const DOCKER_HUB_KEY = 'https://index.docker.io/v1/';

/**
 * Data of the Secret. The docker config has an entry only if there is a whole login: with half of one the kubelet would
 * try, and fail, where no login at all may do.
 */
export function loginData(login: RegistryLogin, registryUrl: string): Readonly<Record<string, string>> {
  const { username, password } = login;
  const auths =
    username === null || password === null
      ? {}
      : { [credentialKey(registryUrl)]: { username, password, auth: base64(`${username}:${password}`) } };
  return {
    [CONFIG_KEY]: base64(JSON.stringify({ auths })),
    ...(username !== null && { username: base64(username) }),
    ...(password !== null && { password: base64(password) }),
  };
}

/** The key of a docker config that the kubelet matches with images: `host[:port]`, or the old URL of Docker Hub. */
export function credentialKey(registryUrl: string): string {
  const host = credentialHost(hostOf(registryUrl));
  return host === DEFAULT_REGISTRY ? DOCKER_HUB_KEY : host;
}

function hostOf(registryUrl: string): string {
  return registryUrl.replace(/^[a-z]+:\/\//i, '').split('/', 1)[0] ?? '';
}

/** The login in a Secret: ours, one of type basic-auth, or whatever its docker config holds for this registry. */
export async function readLogin(secret: Secret, registryUrl: string): Promise<RegistryLogin> {
  const username = decode(secret, 'username');
  const password = decode(secret, 'password');
  if (username !== undefined || password !== undefined) {
    return { username: username ?? null, password: password ?? null };
  }
  const config = parseDockerConfig(decode(secret, CONFIG_KEY) ?? '');
  if (!config.ok) return NO_LOGIN;
  const [found] = await config.value.find({ registry: hostOf(registryUrl), repository: 'any/image' });
  return found?.kind === 'basic' ? { username: found.username, password: found.password } : NO_LOGIN;
}

function decode({ data }: Secret, key: string): string | undefined {
  const value = data?.[key];
  return value === undefined ? undefined : Buffer.from(value, 'base64').toString('utf8');
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}
