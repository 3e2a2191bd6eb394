/** What all reading routes need: the objects a caller names, if the caller may see them. */

import * as z from 'zod';
import { ANNOTATIONS, GROUP, PLURALS } from '../api/group-version.ts';
import type { ImageSource } from '../api/image-source.ts';
import type { Clock } from '../clock.ts';
import { formatKey } from '../kube/resource.ts';
import type { Authorizer } from './authorize.ts';
import { signalOf } from './client-signal.ts';
import type { ClusterReader, ListingReader } from './cluster.ts';
import { ProblemError } from './problem.ts';
import type { ServerContext } from './route-group.ts';
import type { SourceView, SourceViews } from './source-view.ts';

/** The same for every reading route. */
export interface ReadingParts {
  readonly cluster: ClusterReader;
  readonly listings: ListingReader;
  readonly views: SourceViews;
  readonly authorizer: Authorizer;
  readonly clock: Clock;
}

/** Our kinds and nodes as rights name them. */
export const SOURCES = { group: GROUP, resource: PLURALS.ImageSource } as const;
export const IMAGES = { group: GROUP, resource: PLURALS.PrepulledImage } as const;
export const NODES = { group: '', resource: 'nodes' } as const;

const dnsName = z.string().regex(/^[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?$/, 'must be the name of an object');

/** Routes that take no query: a misspelt parameter is told, not passed over. */
export const noQuery = z.strictObject({});

/** A query parameter that is `true` or `false`. */
export const toggle = z.enum(['true', 'false']).transform((value) => value === 'true');

/** Path parameters of a namespaced object. */
export const objectParams = z.object({
  namespace: dnsName.describe('Namespace of the object.'),
  name: dnsName.describe('Name of the object.'),
});

/** `?source=namespace/name` */
export const sourceQuery = {
  source: z
    .string()
    .regex(/^[-a-z0-9]{1,63}\/[-a-z0-9.]{1,253}$/, 'must be namespace/name of an ImageSource')
    .optional()
    .describe(
      'namespace/name of the ImageSource. Without: the only one, or the one annotated larder.dev/default-source.',
    ),
};

/** Of a namespaced object, as paths name it. */
export interface Address {
  readonly namespace: string;
  readonly name: string;
}

/** Whether it exists is told only to who may see it. @throws ProblemError Forbidden, NotFound */
export async function readSource(
  { cluster, authorizer }: ReadingParts,
  context: ServerContext,
  { namespace, name }: Address,
): Promise<ImageSource> {
  const { caller } = context.get('exchange');
  await authorizer.require(caller, { ...SOURCES, verb: 'get', namespace, name }, signalOf(context));
  const source = cluster.source(namespace, name);
  if (source === undefined)
    throw new ProblemError('NotFound', `there is no ImageSource ${namespace}/${name}`);
  return source;
}

/** The source that was named, or the one that answers for all. @throws ProblemError if it cannot be told which */
export async function chooseSource(
  parts: ReadingParts,
  context: ServerContext,
  named: string | undefined,
): Promise<ImageSource> {
  if (named !== undefined) return readSource(parts, context, parseSource(named));
  const found = defaultSource(parts.cluster.sources());
  if (found !== undefined) return readDefault(parts, context, found);
  const { caller } = context.get('exchange');
  const all = parts.cluster.sources();
  const visible = await parts.authorizer.visible(caller, SOURCES, all, signalOf(context));
  if (visible.length === 0) throw new ProblemError('NotFound', 'there is no ImageSource that you may see');
  const names = visible.slice(0, MAX_NAMED).map(({ metadata }) => formatKey(metadata));
  throw new ProblemError(
    'BadRequest',
    `there are several ImageSources, and not exactly one is annotated ${ANNOTATIONS.defaultSource}: name one by ?source=, such as ${names.join(', ')}`,
  );
}

/** Who may not see it does not learn its name. @throws ProblemError Forbidden, Unauthorized */
async function readDefault(
  parts: ReadingParts,
  context: ServerContext,
  { metadata: { namespace = '', name } }: ImageSource,
): Promise<ImageSource> {
  try {
    return await readSource(parts, context, { namespace, name });
  } catch (error) {
    if (!(error instanceof ProblemError) || error.code !== 'Forbidden') throw error;
    throw new ProblemError('Forbidden', 'you may not get the default ImageSource: name one by ?source=');
  }
}

const MAX_NAMED = 8;

function parseSource(text: string): Address {
  const [namespace = '', name = ''] = text.split('/');
  return { namespace, name };
}

/** The only one, or the only one that is marked. */
export function defaultSource(sources: readonly ImageSource[]): ImageSource | undefined {
  const marked = sources.filter(isMarked);
  const candidates = marked.length === 0 ? sources : marked;
  return candidates.length === 1 ? candidates[0] : undefined;
}

/** Any value but false marks it, as people expect of an annotation that is there. */
function isMarked({ metadata }: ImageSource): boolean {
  const value = metadata.annotations?.[ANNOTATIONS.defaultSource];
  return value !== undefined && value !== 'false';
}

export function viewSource(
  { views }: ReadingParts,
  context: ServerContext,
  source: ImageSource,
): Promise<SourceView> {
  return views.view(source, signalOf(context));
}

/** Tells who reads an answer whose form has no place for it how whole the list is. */
export function originHeader({ origin }: SourceView): Readonly<Record<string, string>> {
  return { 'larder-list': origin };
}
