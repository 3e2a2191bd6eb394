/**
 * Harbor's two formats, Default and CloudEvents.
 * https://goharbor.io/docs/latest/working-with-projects/project-configuration/configure-webhooks/
 */
import * as z from 'zod';
import { digest, eventId, events, repository, tag, time } from './fields.ts';
import { defineFormat, textField } from './format.ts';
import type { PushDraft } from './push.ts';

const dataSchema = z.object({
  resources: events(z.object({ tag, digest })),
  repository: z.object({ repo_full_name: repository }),
});

const plainSchema = z.object({
  type: z.string().max(64),
  /** Seconds since the epoch. */
  occur_at: z.number().optional(),
  event_data: dataSchema,
});

const cloudSchema = z.object({ type: z.string().max(64), id: eventId, time, data: dataSchema });

type Plain = z.output<typeof plainSchema>;
type Cloud = z.output<typeof cloudSchema>;

/** Types of both formats that change what a tag means. */
const PUSHES: ReadonlySet<string> = new Set(['PUSH_ARTIFACT', 'harbor.artifact.pushed']);

export const harborDefault = defineFormat<Plain>({
  vendor: 'Harbor',
  expects: 'type, event_data.repository.repo_full_name and event_data.resources[].tag',
  recognises: (payload) => /^[A-Z]+_[A-Z_]+$/.test(textField(payload, 'type') ?? ''),
  schema: plainSchema,
  drafts: ({ type, occur_at, event_data }) => drafts(type, event_data, { time: occur_at }),
});

export const harborCloudEvents = defineFormat<Cloud>({
  vendor: 'Harbor',
  expects:
    'specversion, type harbor.artifact.pushed, data.repository.repo_full_name and data.resources[].tag',
  recognises: (payload) => textField(payload, 'type')?.startsWith('harbor.') === true,
  schema: cloudSchema,
  drafts: ({ type, id, time: at, data }) => drafts(type, data, { eventId: id, time: at }),
});

function drafts(
  type: string,
  { resources, repository: { repo_full_name } }: Plain['event_data'],
  moment: { readonly eventId?: string | undefined; readonly time?: string | number | undefined },
): readonly PushDraft[] {
  if (!PUSHES.has(type)) return [];
  const { eventId: id } = moment;
  // One event may list several tags; each is its own push, and its own replay.
  return resources.map((resource) => ({
    repository: repo_full_name,
    ...resource,
    ...moment,
    eventId: id === undefined ? undefined : `${id}/${resource.tag ?? ''}`,
  }));
}
