/**
 * CNCF Distribution's notifications, and so those of every registry made of it, GitLab's (self-managed) too.
 * https://distribution.github.io/distribution/about/notifications/
 */
import * as z from 'zod';
import { digest, eventId, events, repository, tag, time } from './fields.ts';
import { defineFormat, hasField } from './format.ts';

const schema = z.object({
  events: events(
    z.object({
      id: eventId,
      timestamp: time,
      action: z.string().max(64),
      // Blob events have neither a tag nor, in old versions, a repository.
      target: z.object({ repository: repository.optional(), tag, digest }).optional(),
    }),
  ),
});

export const distribution = defineFormat({
  vendor: 'Distribution',
  expects: 'events[].action, events[].target.repository and events[].target.tag',
  recognises: (payload) => hasField(payload, 'events'),
  schema,
  drafts: (payload) =>
    payload.events.flatMap(({ id, timestamp, action, target }) =>
      action !== 'push' || target?.repository === undefined
        ? []
        : [{ ...target, repository: target.repository, eventId: id, time: timestamp }],
    ),
});
