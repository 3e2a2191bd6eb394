/** The Secret of a webhook: key `token`, and `secret` if its vendor can show or sign with one. */

import type { ImageSource } from '../../api/image-source.ts';
import { WEBHOOK_TOKEN_KEY, webhookSecretName } from '../../api/webhook-address.ts';
import { ApiError } from '../../kube/api-error.ts';
import type { KubeClient } from '../../kube/client.ts';
import { type Secret, secretType } from '../../kube/core-types.ts';
import type { Logger } from '../../kube/logger.ts';
import { formatKey, keyOf } from '../../kube/resource.ts';
import { BoundedCache } from '../../registry/bounded-cache.ts';
import type { HookSecret } from './authenticity.ts';

/** Shorter tokens can be guessed. */
const MIN_TOKEN_LENGTH = 16;
const TIMEOUT_MS = 5_000;
const MAX_KNOWN = 10_000;

/**
 * Reads it anew; undefined if that cannot be or the token is too short to be one. While the API server does not answer,
 * what it said last holds: registries that are told 404 may give up a webhook. The log says so once for each source and
 * cause: whoever tries tokens must not fill it.
 */
export function hookSecretReader(
  client: Pick<KubeClient, 'get'>,
  log: Logger,
): (source: ImageSource) => Promise<HookSecret | undefined> {
  const told = new Map<string, string>();
  const known = new BoundedCache<HookSecret>(MAX_KNOWN);
  const tell = (source: ImageSource, cause: string): void => {
    const imageSource = formatKey(keyOf(source));
    if (told.get(imageSource) === cause) return;
    told.set(imageSource, cause);
    log.warn('the secret of a webhook cannot be used', {
      imageSource,
      secret: webhookSecretName(source),
      cause,
    });
  };
  return async (source) => {
    const { namespace } = source.metadata;
    const key = { namespace, name: webhookSecretName(source) };
    const place = `${source.metadata.uid ?? ''} ${formatKey(key)}`;
    try {
      const secret = await client.get(secretType, key, { timeoutMs: TIMEOUT_MS });
      const read = secret === undefined ? undefined : readHookSecret(secret);
      if (read === undefined) tell(source, 'it is missing, or has no key token of at least 16 characters');
      else told.delete(formatKey(keyOf(source)));
      if (read === undefined) known.delete(place);
      else known.set(place, read);
      return read;
    } catch (error) {
      tell(source, error instanceof Error ? error.message : String(error));
      if (error instanceof ApiError && error.temporary) return known.get(place);
      known.delete(place);
      return undefined;
    }
  };
}

function readHookSecret({ data = {} }: Secret): HookSecret | undefined {
  const token = decode(data[WEBHOOK_TOKEN_KEY]);
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
