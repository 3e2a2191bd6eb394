/**
 * GitHub's registry_package and package events: an image on ghcr.io.
 * https://docs.github.com/en/webhooks/webhook-events-and-payloads#registry_package
 */
import * as z from 'zod';
import { digest, repository, tag } from './fields.ts';
import { defineFormat, hasField } from './format.ts';
import type { PushDraft } from './push.ts';

const packageSchema = z.object({
  name: repository,
  /** The owner's login; absent in old payloads. */
  namespace: z.string().max(128).optional(),
  package_type: z.string().max(64),
  owner: z.object({ login: z.string().max(128) }).optional(),
  package_version: z
    .object({
      container_metadata: z.object({ tag: z.object({ name: tag, digest }).nullish() }).nullish(),
    })
    .nullish(),
});

const schema = z
  .object({
    action: z.string().max(64).optional(),
    registry_package: packageSchema.optional(),
    package: packageSchema.optional(),
    zen: z.string().max(1_024).optional(),
  })
  .refine((event) => event.zen !== undefined || (event.registry_package ?? event.package) !== undefined, {
    message: 'registry_package or package is missing',
  });

const ACTIONS: ReadonlySet<string> = new Set(['published', 'updated']);

export const github = defineFormat({
  vendor: 'GitHub',
  expects: 'action, registry_package.name and registry_package.package_version.container_metadata.tag.name',
  recognises: (payload, headers) =>
    headers.get('x-github-event') !== null ||
    hasField(payload, 'registry_package') ||
    (hasField(payload, 'package') && hasField(payload, 'action')),
  schema,
  drafts: (event) => {
    const published = event.registry_package ?? event.package;
    const counts = published !== undefined && ACTIONS.has(event.action ?? '');
    return counts ? draftsOf(published) : [];
  },
});

function draftsOf(published: z.output<typeof packageSchema>): readonly PushDraft[] {
  const isContainer = published.package_type.toUpperCase() === 'CONTAINER';
  const pushed = published.package_version?.container_metadata?.tag;
  const owner = published.namespace ?? published.owner?.login ?? '';
  if (!isContainer || pushed === undefined || pushed === null) return [];
  return [{ repository: `${owner}/${published.name}`, tag: pushed.name, digest: pushed.digest }];
}
