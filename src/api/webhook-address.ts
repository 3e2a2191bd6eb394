/** Where push events of a source are sent, and which Secret says so. */

import type { ImageSource } from './image-source.ts';

/** Path of the HTTP API below which every webhook has one segment. */
export const HOOKS_PATH = '/hooks';

/** Key of the Secret. */
export const WEBHOOK_TOKEN_KEY = 'token';

/** As spec.webhook.secretRef says, else the one that the operator makes. */
export function webhookSecretName({ metadata, spec }: ImageSource): string {
  return spec.webhook.secretRef?.name ?? `${metadata.name}-webhook`;
}
