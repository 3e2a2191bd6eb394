/** How an image gets onto nodes: shared by PrepulledImage and by the templates that make one. */
import * as z from 'zod';
import type { PullBy } from '../domain/want.ts';
import { duration, integer, matching, withRules } from './fields.ts';
import type { Parsed } from './immutable.ts';
import { nodesSchema } from './scheduling.ts';

const PULL_BY = ['Digest', 'Tag', 'Both'] as const satisfies readonly PullBy[];

export const pullSchema = z.object({
  by: z
    .enum(PULL_BY)
    .default('Digest')
    .describe(
      'Digest is exact. Tag pulls what the tag means on that day. Both pulls by digest, then by tag, for pods that name the tag.',
    ),
  timeout: duration('10s')
    .default('10m')
    .describe('After this long a pull counts as slow and frees its budget slot; nothing cancels a pull.'),
  priority: integer(0, 100).default(50).describe('Images of a higher priority are pulled first.'),
  priorityClassName: withRules(
    matching(
      '^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$',
      'must be the name of a PriorityClass: lower-case letters, digits, "-" and "."',
      253,
    ),
    [
      {
        rule: "!self.startsWith('system-')",
        message: 'system priority classes are not for pull pods; they would evict workloads',
        check: (name) => !name.startsWith('system-'),
      },
    ],
  )
    .optional()
    .describe('PriorityClass of the pull pods. Without: larder-pull, which never preempts.'),
  maxConcurrentNodes: integer(1, 5000)
    .optional()
    .describe(
      'At most this many nodes pull the image at the same time. Without: only the budget of the operator counts.',
    ),
  verifyInterval: duration('1m')
    .default('6h')
    .describe('Where presence cannot be seen, it is verified by a cheap pull once in this time.'),
});

const minReady = matching('^(100|[1-9]?[0-9])%$', 'must be a percentage from "0%" to "100%"', 4)
  .default('100%')
  .describe('Share of all eligible nodes that must have the image for Ready.');

const keepWarm = z
  .boolean()
  .default(false)
  .describe(
    'Finished pull pods stay, which protects the image from the age and threshold collection of the kubelet.',
  );

/** Fields of how an image is stocked. */
export const stockingFields = {
  nodes: nodesSchema.optional().describe('Nodes that want the image. Without: every node without taints.'),
  pull: pullSchema.prefault({}).describe('How it is pulled.'),
  keepWarm,
  minReady,
};

/** Template of the PrepulledImage children of an ImageSource or a DockerImageRecord. */
export const prepullTemplateSchema = z.object(stockingFields);

/** spec.prepull of an ImageSource or a DockerImageRecord, defaults filled in. */
export type PrepullTemplate = Parsed<z.output<typeof prepullTemplateSchema>>;
