/**
 * Quay's "Push to Repository" notification: all tags of one push, without id, time or signature.
 * https://docs.redhat.com/en/documentation/red_hat_quay/3/html/use_red_hat_quay/repository_notifications
 */
import * as z from 'zod';
import { events, repository } from './fields.ts';
import { defineFormat, hasField } from './format.ts';

const schema = z.object({
  repository,
  // A list; a map from tag to image id in notifications of old versions.
  updated_tags: z.union([events(z.string().max(256)), z.record(z.string().max(256), z.unknown())]),
});

export const quay = defineFormat({
  vendor: 'Quay',
  expects: 'repository and updated_tags',
  recognises: (payload) => hasField(payload, 'updated_tags'),
  schema,
  drafts: ({ repository: name, updated_tags }) => {
    const tags = Array.isArray(updated_tags) ? updated_tags : Object.keys(updated_tags);
    return tags.map((tag) => ({ repository: name, tag }));
  },
});
