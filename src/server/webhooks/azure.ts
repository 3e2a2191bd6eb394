/**
 * Azure Container Registry: its own webhooks, and the same as CloudEvents of Event Grid.
 * https://learn.microsoft.com/azure/container-registry/container-registry-webhook-reference
 */
import * as z from 'zod';
import { digest, eventId, repository, tag, time } from './fields.ts';
import { defineFormat, hasField, textField } from './format.ts';
import type { PushDraft } from './push.ts';

const eventSchema = z.object({
  id: eventId,
  timestamp: time,
  action: z.string().max(64),
  target: z.object({ repository, tag, digest }).optional(),
});

const cloudSchema = z.object({ type: z.string().max(128), data: eventSchema });

export const azure = defineFormat({
  vendor: 'Azure',
  expects: 'action, target.repository and target.tag',
  // Docker Hub and GitHub have no target, Distribution has it inside events.
  recognises: (payload) => hasField(payload, 'target') || textField(payload, 'action') === 'ping',
  schema: eventSchema,
  drafts: draftsOf,
});

export const azureCloudEvents = defineFormat({
  vendor: 'Azure',
  expects:
    'specversion, type Microsoft.ContainerRegistry.ImagePushed, data.target.repository and data.target.tag',
  recognises: (payload) => textField(payload, 'type')?.startsWith('Microsoft.ContainerRegistry.') === true,
  schema: cloudSchema,
  drafts: ({ data }) => draftsOf(data),
});

function draftsOf({ id, timestamp, action, target }: z.output<typeof eventSchema>): readonly PushDraft[] {
  return action === 'push' && target !== undefined ? [{ ...target, eventId: id, time: timestamp }] : [];
}
