/** Phase: where push events are to be sent. The path is made from a token that only a Secret knows; see docs/design/webhooks.md. */

import { createHash, randomBytes } from 'node:crypto';
import type { ImageSource, ImageSourceStatus } from '../../api/image-source.ts';
import { HOOKS_PATH, WEBHOOK_TOKEN_KEY, webhookSecretName } from '../../api/webhook-address.ts';
import type { Clock } from '../../clock.ts';
import { ApiError, isAlreadyExists } from '../../kube/api-error.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Draft } from '../../kube/conclusion.ts';
import { removeCondition, setCondition } from '../../kube/condition.ts';
import { secretType } from '../../kube/core-types.ts';
import { controllerReference } from '../../kube/owner-reference.ts';
import type { PhaseContext } from '../../kube/reconciler.ts';
import { formatKey } from '../../kube/resource.ts';
import { done, type Result, WaitingError } from '../../kube/result.ts';
import type { AccessReader } from '../access.ts';
import { imageSourceType } from '../kinds.ts';

/** The condition that says whether events can come. */
export const WEBHOOK_READY = 'WebhookReady';

export interface WebhookOptions {
  readonly client: KubeClient;
  readonly access: Pick<AccessReader, 'secretText'>;
  readonly clock: Clock;
  /** The last look at each Secret, by source; nothing watches Secrets. */
  readonly looked: Map<string, Look>;
}

/** Of which object and spec, and when in monotonic milliseconds. */
export interface Look {
  readonly subject: string;
  readonly at: number;
}

const TOKEN_BYTES = 32;
/** A Secret that was made or changed is taken note of within this time. */
const LOOK_MS = 60_000;

export function webhookPhase(options: WebhookOptions) {
  return async (
    source: ImageSource,
    draft: Draft<ImageSourceStatus>,
    context: PhaseContext,
  ): Promise<Result> => {
    if (!source.spec.webhook.enabled) {
      closeWebhook(draft);
      return done;
    }
    const restMs = restBefore(options, source);
    if (restMs > 0) return { requeueAfterMs: restMs };
    const moment = { now: context.now, generation: source.metadata.generation };
    try {
      const token = await findToken(options, source, context);
      draft.webhookPath = pathOf(source, token);
      const message = `Push events are accepted at ${draft.webhookPath}`;
      setCondition(draft, { type: WEBHOOK_READY, status: 'True', reason: 'WebhookEnabled', message }, moment);
    } catch (error) {
      if (!(error instanceof WaitingError)) throw error;
      closeWebhook(draft);
      const { reason, message } = error;
      setCondition(draft, { type: WEBHOOK_READY, status: 'False', reason, message }, moment);
    }
    return { requeueAfterMs: LOOK_MS };
  };
}

/** While suspended, and for a source that wants no events. */
export function closeWebhook(draft: Draft<ImageSourceStatus>): void {
  draft.webhookPath = undefined;
  removeCondition(draft, WEBHOOK_READY);
}

/** How long the next look must wait; 0 if it is made now, and noted. */
function restBefore({ looked, clock }: WebhookOptions, { metadata }: ImageSource): number {
  const key = formatKey(metadata);
  const subject = `${metadata.uid ?? ''} ${String(metadata.generation)}`;
  const now = clock.monotonic();
  const last = looked.get(key);
  const restMs = last?.subject === subject ? last.at + LOOK_MS - now : 0;
  if (restMs <= 0) looked.set(key, { subject, at: now });
  return restMs;
}

/** Not to be turned back into the token, which signs events: everybody who reads the object may know the path. */
function pathOf({ metadata: { namespace = '', name } }: ImageSource, token: string): string {
  return `${HOOKS_PATH}/${createHash('sha256').update([token, namespace, name].join('/')).digest('hex')}`;
}

/** @throws WaitingError if the Secret is missing, unusable, or not ours to read or make */
async function findToken(
  { client, access }: WebhookOptions,
  source: ImageSource,
  { signal, log }: PhaseContext,
): Promise<string> {
  const { namespace = '' } = source.metadata;
  const { secretRef } = source.spec.webhook;
  const name = webhookSecretName(source);
  const request = { namespace, name, key: WEBHOOK_TOKEN_KEY, signal };
  try {
    return await access.secretText(request);
  } catch (error) {
    const isMissing = error instanceof WaitingError && error.reason === 'SecretNotFound';
    if (!isMissing || secretRef !== undefined) throw error;
  }
  const token = await makeToken(client, source, { namespace, name, signal });
  if (token === undefined) return access.secretText(request);
  log.info('webhook secret made', { secret: name });
  return token;
}

/** Undefined if somebody was faster. */
async function makeToken(
  client: KubeClient,
  source: ImageSource,
  {
    namespace,
    name,
    signal,
  }: { readonly namespace: string; readonly name: string; readonly signal: AbortSignal },
): Promise<string | undefined> {
  const token = randomBytes(TOKEN_BYTES).toString('hex');
  // The Secret goes with the source, but is not kept as the source wants it.
  const ownerReferences = [{ ...controllerReference(imageSourceType, source), controller: false }];
  const secret = {
    metadata: { namespace, name, ownerReferences },
    type: 'Opaque',
    stringData: { [WEBHOOK_TOKEN_KEY]: token },
  };
  try {
    await client.create(secretType, secret, { signal });
    return token;
  } catch (error) {
    if (isAlreadyExists(error)) return undefined;
    // The name may be too long for a Secret, as it may not be for a source.
    if (error instanceof ApiError && error.status === 422) {
      const message = `Secret ${name} cannot be made, name another in spec.webhook.secretRef: ${error.message}`;
      throw new WaitingError('SecretInvalid', message, LOOK_MS);
    }
    if (!(error instanceof ApiError) || error.status !== 403) throw error;
    throw new WaitingError('SecretAccessDenied', deniedMessage(namespace, name), LOOK_MS);
  }
}

function deniedMessage(namespace: string, name: string): string {
  return (
    `Larder may not make Secret ${name} in namespace ${namespace}; make it with: kubectl create secret generic ` +
    `${name} -n ${namespace} --from-literal=token="$(openssl rand -hex 32)", or install the component webhooks`
  );
}
