/** /v1/resolve: the image behind a reference, a tag or a keyword. */

import type { Hono } from 'hono';
import * as z from 'zod';
import type { ImageSource } from '../api/image-source.ts';
import { type Digest, isValidDigest } from '../domain/digest.ts';
import { type Image, imageReferenceWithDigest } from '../domain/image.ts';
import { imageForReference, imageForTag, type LookupError } from '../domain/image-source.ts';
import {
  formatReference,
  isValidTag,
  parseRepository,
  type Reference,
  validateReference,
} from '../domain/reference.ts';
import type { Result } from '../domain/result.ts';
import { IMAGE_CLASSES, imageForClass } from '../domain/spawner.ts';
import { formatKey } from '../kube/resource.ts';
import { resolvedImageSchema } from './answers.ts';
import { signalOf } from './client-signal.ts';
import { describeListed } from './listed-image.ts';
import { type Operation, readQuery } from './operation.ts';
import { ProblemError } from './problem.ts';
import {
  chooseSource,
  originHeader,
  type ReadingParts,
  SOURCES,
  sourceQuery,
  viewSource,
} from './reading.ts';
import { respondJson } from './representation.ts';
import type { ServerContext, ServerEnv } from './route-group.ts';
import type { SourceView } from './source-view.ts';

const query = z.strictObject({
  ...sourceQuery,
  reference: z.string().max(512).optional().describe('registry/repository with a tag, a digest or both.'),
  tag: z.string().max(128).refine(isValidTag, 'must be a tag').optional().describe('Tag in the source.'),
  class: z.enum(IMAGE_CLASSES).optional().describe('One of the selected images by keyword.'),
});

type Question = z.output<typeof query>;

export const RESOLVE_OPERATIONS: readonly Operation[] = [
  {
    method: 'get',
    path: '/v1/resolve',
    operationId: 'resolveImage',
    summary: 'The image behind exactly one of a reference, a tag or a keyword.',
    tag: 'sources',
    query,
    answers: { 200: { description: 'The image.', schema: resolvedImageSchema } },
  },
];

export function addResolveRoutes(routes: Hono<ServerEnv>, parts: ReadingParts): void {
  routes.get('/resolve', async (context) => {
    const question = readQuery(context, query);
    const asked = [question.reference, question.tag, question.class].filter((part) => part !== undefined);
    if (asked.length !== 1)
      throw new ProblemError('BadRequest', 'name exactly one of reference, tag and class');
    const reference = question.reference === undefined ? undefined : readReference(question.reference);
    const source = await sourceFor(parts, context, question, reference);
    const view = await viewSource(parts, context, source);
    const image = await withDigest(parts, context, view, find(view, question, reference));
    return respondJson(
      context,
      {
        ...describeListed(view, image),
        digest: image.digest,
        source: formatKey(source.metadata),
        referenceWithDigest: imageReferenceWithDigest(image),
      },
      originHeader(view),
    );
  });
}

function readReference(text: string): Reference {
  const reference = validateReference(text);
  if (reference.ok) return reference.value;
  throw new ProblemError('BadRequest', `query.reference: ${reference.error.message}`);
}

/** A reference tells by its repository which source it is of. */
async function sourceFor(
  parts: ReadingParts,
  context: ServerContext,
  { source }: Question,
  reference: Reference | undefined,
): Promise<ImageSource> {
  if (source !== undefined || reference === undefined) return chooseSource(parts, context, source);
  const repository = formatReference({ registry: reference.registry, repository: reference.repository });
  const watching = parts.cluster.sources().filter(({ spec }) => repositoryOf(spec.image) === repository);
  const { caller } = context.get('exchange');
  const [first] = await parts.authorizer.visible(caller, SOURCES, watching, signalOf(context));
  if (first === undefined)
    throw new ProblemError('NotFound', `no ImageSource that you may see watches ${repository}`);
  return first;
}

function repositoryOf(image: string): string {
  return formatReference(parseRepository(image));
}

function find(view: SourceView, question: Question, reference: Reference | undefined): Image {
  if (question.class !== undefined) {
    const image = imageForClass(view.images, question.class);
    if (image === undefined) throw new ProblemError('NotFound', `no selected image is ${question.class}`);
    return image;
  }
  const asked = question.reference ?? question.tag ?? '';
  return found(
    reference === undefined ? imageForTag(view.images, asked) : imageForReference(view.images, reference),
    asked,
  );
}

function found(result: Result<Image, LookupError>, asked: string): Image {
  if (result.ok) return result.value;
  switch (result.error) {
    case 'UnknownImage':
      throw new ProblemError('NotFound', `the source has no image ${asked}`);
    case 'TagMissing':
      throw new ProblemError('BadRequest', `${asked} has neither a tag nor a digest that is known`);
  }
}

/** Where digests are known of some tags only, the registry is asked for the one that somebody wants. */
async function withDigest(
  { listings }: ReadingParts,
  context: ServerContext,
  { source }: SourceView,
  image: Image,
): Promise<Image> {
  if (image.digest !== null) return image;
  const digest: string | null = await listings.findDigest(source, image.tag, signalOf(context));
  return digest !== null && isValidDigest(digest) ? { ...image, digest: digest satisfies Digest } : image;
}
