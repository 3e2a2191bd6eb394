/**
 * Google Artifact Registry's message as a Pub/Sub push subscription delivers it, wrapped or unwrapped.
 * https://cloud.google.com/artifact-registry/docs/configure-notifications
 */
import * as z from 'zod';
import { validateReference } from '../../domain/reference.ts';
import { parseJSON } from '../../json.ts';
import { eventId, time } from './fields.ts';
import { defineFormat, hasField } from './format.ts';
import type { PushDraft } from './push.ts';

const REFERENCE_MAX = 1_024;

const noticeSchema = z.object({
  action: z.string().max(32),
  /** host/project/repository/image:tag; absent when only a digest was uploaded. */
  tag: z.string().max(REFERENCE_MAX).optional(),
  /** host/project/repository/image@sha256:… */
  digest: z.string().max(REFERENCE_MAX).optional(),
});

const schema = z.object({
  message: z.object({
    data: z.base64().max(8_192).transform(decode).pipe(noticeSchema),
    messageId: eventId,
    publishTime: time,
  }),
});

export const google = defineFormat({
  vendor: 'Google',
  expects: 'message.data, base64 of {action, tag}',
  recognises: (payload) => hasField(payload, 'message') && hasField(payload, 'subscription'),
  schema,
  drafts: ({ message: { data, messageId, publishTime } }) =>
    draftsOf(data).map((draft) => ({ ...draft, eventId: messageId, time: publishTime })),
});

function decode(base64: string, context: z.RefinementCtx): unknown {
  const json = parseJSON(Buffer.from(base64, 'base64'));
  if (json === undefined) context.addIssue({ code: 'custom', message: 'not JSON in base64' });
  return json;
}

/** `tag` and `digest` are whole references. */
function draftsOf({ action, tag, digest }: z.output<typeof noticeSchema>): readonly PushDraft[] {
  if (action !== 'INSERT' || tag === undefined) return [];
  const tagged = validateReference(tag);
  if (!tagged.ok) return [];
  const pinned = validateReference(digest ?? '');
  const { repository, tag: name } = tagged.value;
  return [{ repository, tag: name, digest: pinned.ok ? pinned.value.digest : undefined }];
}
