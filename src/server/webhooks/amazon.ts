/**
 * Amazon ECR's event as EventBridge hands it to an API destination.
 * https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-eventbridge.html
 */
import * as z from 'zod';
import { digest, eventId, repository, tag, time } from './fields.ts';
import { defineFormat, textField } from './format.ts';

const schema = z.object({
  id: eventId,
  time,
  detail: z.object({
    result: z.string().max(32).optional(),
    'action-type': z.string().max(32),
    'repository-name': repository,
    'image-tag': tag,
    'image-digest': digest,
  }),
});

export const amazon = defineFormat({
  vendor: 'Amazon',
  expects: 'detail-type "ECR Image Action", detail.action-type, detail.repository-name and detail.image-tag',
  recognises: (payload) => textField(payload, 'detail-type') === 'ECR Image Action',
  schema,
  drafts: ({ id, time: at, detail }) =>
    detail['action-type'] !== 'PUSH' || detail.result === 'FAILURE'
      ? []
      : [
          {
            repository: detail['repository-name'],
            tag: detail['image-tag'],
            digest: detail['image-digest'],
            eventId: id,
            time: at,
          },
        ],
});
