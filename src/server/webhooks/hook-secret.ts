/** The Secret of a webhook: key `token`, and `secret` if its vendor can show or sign with one. */

import type { ImageSource } from '../../api/image-source.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Logger } from '../../kube/logger.ts';
import { formatKey, type KubeObject, keyOf, type ResourceType } from '../../kube/resource.ts';
import type { HookSecret } from './authenticity.ts';

interface SecretObject extends KubeObject {
  /** Base64. */
  readonly data?: Readonly<Record<string, string>>;
}

const secretType: ResourceType<SecretObject> = {
  group: '',
  version: 'v1',
  plural: 'secrets',
  kind: 'Secret',
  namespaced: true,
};

/** Shorter tokens can be guessed. */
const MIN_TOKEN_LENGTH = 16;
const TIMEOUT_MS = 5_000;

/** Where the token of a source is: as spec.webhook.secretRef says, else where the operator made one. */
export function hookSecretName({ metadata, spec }: ImageSource): string {
  return spec.webhook.secretRef?.name ?? `${metadata.name}-webhook`;
}

/** Reads it anew; undefined, and a line in the log, if that cannot be or the token is too short to be one. */
export function hookSecretReader(
  client: Pick<KubeClient, 'get'>,
  log: Logger,
): (source: ImageSource) => Promise<HookSecret | undefined> {
  return async (source) => {
    const { namespace } = source.metadata;
    const name = hookSecretName(source);
    try {
      const secret = await client.get(secretType, { namespace, name }, { timeoutMs: TIMEOUT_MS });
      const read = secret === undefined ? undefined : readHookSecret(secret);
      if (read === undefined) warn(log, source, { secret: name, cause: 'it is missing or has no key token' });
      return read;
    } catch (error) {
      warn(log, source, { secret: name, err: error });
      return undefined;
    }
  };
}

function readHookSecret({ data = {} }: SecretObject): HookSecret | undefined {
  const token = decode(data['token']);
  const secret = decode(data['secret']);
  if (token === undefined || token.length < MIN_TOKEN_LENGTH) return undefined;
  return secret === undefined ? { token } : { token, secret };
}

/** `kubectl create secret --from-file` takes the newline of an editor with it. */
function decode(base64: string | undefined): string | undefined {
  const text = Buffer.from(base64 ?? '', 'base64')
    .toString('utf8')
    .replace(/\r?\n$/, '');
  return text === '' ? undefined : text;
}

function warn(log: Logger, source: ImageSource, fields: Readonly<Record<string, unknown>>): void {
  log.warn('the secret of a webhook cannot be used', { imageSource: formatKey(keyOf(source)), ...fields });
}
