/**
 * Docker Hub's webhook: one tag a request, no signature, no event id.
 * https://docs.docker.com/docker-hub/repos/manage/webhooks/
 */
import * as z from 'zod';
import { repository, tag } from './fields.ts';
import { defineFormat, hasField } from './format.ts';

const schema = z.object({
  push_data: z.object({
    tag,
    /** Seconds since the epoch. */
    pushed_at: z.number().optional(),
  }),
  repository: z.object({ repo_name: repository }),
});

export const dockerHub = defineFormat({
  vendor: 'DockerHub',
  expects: 'push_data.tag and repository.repo_name',
  recognises: (payload) => hasField(payload, 'push_data'),
  schema,
  drafts: ({ push_data, repository: { repo_name } }) => [
    { repository: repo_name, tag: push_data.tag, time: push_data.pushed_at },
  ],
});
