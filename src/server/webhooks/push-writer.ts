/** Makes pushed tags known to the leader: an annotation of the ImageSource, under its resourceVersion. */

import { randomUUID } from 'node:crypto';
import { ANNOTATIONS } from '../../api/group-version.ts';
import type { ImageSource } from '../../api/image-source.ts';
import { type Clock, sleep } from '../../clock.ts';
import { notePushes } from '../../domain/pushed-tags.ts';
import { ApiError } from '../../kube/api-error.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Logger } from '../../kube/logger.ts';
import { formatKey, type ResourceType } from '../../kube/resource.ts';
import type { PushBatch } from './push-batches.ts';
import type { WebhookMetrics } from './webhook-metrics.ts';

export interface PushWriterOptions {
  /** Not fenced: every replica writes. */
  readonly client: Pick<KubeClient, 'get' | 'patch'>;
  readonly type: ResourceType<ImageSource>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: WebhookMetrics;
}

/** Another replica may write at the same time, the leader writes its status; later the next scan sees the tag. */
const ATTEMPTS = 6;
const PAUSE_MS = 200;

/** Resolves when it is written or given up; what is given up is logged and counted. */
export function pushWriter(options: PushWriterOptions): (batch: PushBatch) => Promise<void> {
  return async (batch) => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        options.metrics.written((await writeOnce(options, batch)) ? 'Written' : 'Unchanged');
        return;
      } catch (error) {
        if (attempt === ATTEMPTS || !isWorthRetrying(error)) {
          giveUp(options, batch, error);
          return;
        }
      }
      await sleep(options.clock, PAUSE_MS * 2 ** (attempt - 1));
    }
  };
}

/** False if there was nothing to write. */
async function writeOnce(
  { client, type }: PushWriterOptions,
  { source, pushed }: PushBatch,
): Promise<boolean> {
  const object = await client.get(type, source);
  if (object === undefined) return false;
  const { annotations, resourceVersion } = object.metadata;
  const note = notePushes({
    text: annotations?.[ANNOTATIONS.pushedTags],
    answered: object.status?.lastHandledPush,
    pushed,
    revision: randomUUID(),
  });
  if (note === undefined) return false;
  const metadata = { resourceVersion, annotations: { [ANNOTATIONS.pushedTags]: note } };
  await client.patch(type, source, { metadata });
  return true;
}

function isWorthRetrying(error: unknown): boolean {
  return error instanceof ApiError && (error.reason === 'Conflict' || error.temporary);
}

function giveUp({ log, metrics }: PushWriterOptions, { source, pushed }: PushBatch, error: unknown): void {
  metrics.written('Failed');
  const fields = { imageSource: formatKey(source), tags: pushed.length, err: error };
  log.warn('pushed tags could not be noted; the next scan finds them', fields);
}
