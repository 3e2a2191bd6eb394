/** What spawners ask for, in the form of the original: the SpawnerImages JSON and the status of the prepuller. */

import { Hono } from 'hono';
import * as z from 'zod';
import type { ImageSource } from '../api/image-source.ts';
import { defaultRules } from '../domain/default-rules.ts';
import { type PullStatus, pullStatus } from '../domain/image-source.ts';
import { eligibility, type NodeFacts } from '../domain/node.ts';
import { parseRepository } from '../domain/reference.ts';
import {
  prepulledImages,
  type SpawnerImage,
  type SpawnerImages,
  spawnerHeadlines,
} from '../domain/spawner.ts';
import type { GrammarName } from '../domain/tag/grammar.ts';
import { findCondition } from '../kube/condition.ts';
import { prepullsSchema, spawnerImagesSchema } from './answers.ts';
import { signalOf } from './client-signal.ts';
import { type Operation, readQuery } from './operation.ts';
import { chooseSource, NODES, originHeader, type ReadingParts, sourceQuery, viewSource } from './reading.ts';
import { type Representation, representationOf, respond, respondJson } from './representation.ts';
import type { RouteGroup, ServerEnv } from './route-group.ts';
import type { SourceView } from './source-view.ts';
import { stringifySlowly } from './stringify.ts';

const query = z.strictObject(sourceQuery);

const OPERATIONS: readonly Operation[] = [
  {
    method: 'get',
    path: '/spawner/v1/images',
    operationId: 'getSpawnerImages',
    summary: 'Images available for spawning, in the form of the Nublado controller.',
    tag: 'spawner',
    query,
    answers: { 200: { description: 'The images.', schema: spawnerImagesSchema } },
  },
  {
    method: 'get',
    path: '/spawner/v1/prepulls',
    operationId: 'getPrepulls',
    summary: 'Which selected images are on which nodes, in the form of the Nublado controller.',
    tag: 'spawner',
    query,
    answers: { 200: { description: 'The status of the prepuller.', schema: prepullsSchema } },
  },
];

export function spawnerRoutes(parts: ReadingParts): RouteGroup {
  const routes = new Hono<ServerEnv>();
  const ready = new WeakMap<SourceView, Promise<Representation>>();
  routes.get('/images', async (context) => {
    const source = await chooseSource(parts, context, readQuery(context, query).source);
    const view = await viewSource(parts, context, source);
    const made = ready.get(view) ?? represent(view);
    ready.set(view, made);
    // Asked again after a failure, not failed for ever.
    made.catch(() => ready.delete(view));
    return respond(context, await made, originHeader(view));
  });
  routes.get('/prepulls', async (context) => {
    const source = await chooseSource(parts, context, readQuery(context, query).source);
    const { caller } = context.get('exchange');
    await parts.authorizer.require(caller, { ...NODES, verb: 'list' }, signalOf(context));
    const view = await viewSource(parts, context, source);
    return respondJson(context, prepulls(view, parts.cluster.nodes()), originHeader(view));
  });
  return {
    name: 'spawner',
    basePath: '/spawner/v1',
    routes,
    authentication: 'Bearer',
    operations: OPERATIONS,
  };
}

async function represent({ source, images }: SourceView): Promise<Representation> {
  const head = JSON.stringify(heldHeadlines(source, spawnerHeadlines(images))).slice(0, -1);
  const all = await stringifySlowly(prepulledImages(images, images.eligibleNodes));
  return representationOf(`${head}${head === '{' ? '' : ','}"all":${all}}\n`);
}

type Headlines = Omit<SpawnerImages, 'all'>;

/** A list that lost tags does not move headlines back: while the source says so, its status is right. */
function heldHeadlines({ status }: ImageSource, headlines: Headlines): Headlines {
  if (findCondition(status, 'Ready')?.reason !== 'DowngradeRefused') return headlines;
  const { recommended, latestWeekly, latestDaily, latestRelease } = status ?? {};
  return {
    ...headlines,
    ...(recommended && { recommended: toSpawner(recommended) }),
    ...(latestWeekly && { latest_weekly: toSpawner(latestWeekly) }),
    ...(latestDaily && { latest_daily: toSpawner(latestDaily) }),
    ...(latestRelease && { latest_release: toSpawner(latestRelease) }),
  };
}

function toSpawner(image: NonNullable<NonNullable<ImageSource['status']>['recommended']>): SpawnerImage {
  const { reference, tag, name, digest, aliases = [], prepulled } = image;
  return { reference, tag, name, ...(digest !== undefined && { digest }), aliases, prepulled };
}

function prepulls(view: SourceView, nodes: readonly NodeFacts[]): z.output<typeof prepullsSchema> {
  const { prepulled, pending } = pullStatus(view.images);
  const inOrder = view.images.selected.list({ resolvedAliases: true });
  const status = new Map([...prepulled, ...pending].map((entry) => [entry.image, entry]));
  const listed = inOrder.flatMap((image) => status.get(image) ?? []);
  return {
    config: config(view.source),
    images: { prepulled: prepulled.map(nodeImage), pending: pending.map(nodeImage) },
    nodes: nodes.flatMap((node) => nodeStatus(node, view.source, listed)),
  };
}

function nodeImage({ reference, image, nodes, missing }: PullStatus) {
  const { tag, displayName: name, digest, size } = image;
  return { reference, tag, name, digest, size, nodes: [...nodes], missing: [...missing] };
}

/** Nodes that the selector leaves out are none of the source's. */
function nodeStatus(
  node: NodeFacts,
  { spec }: ImageSource,
  listed: readonly PullStatus[],
): z.output<typeof prepullsSchema>['nodes'] {
  const place = eligibility(node, spec.prepull?.nodes ?? {});
  if (!place.eligible && place.reason === 'NotSelected') return [];
  const cached = listed.filter(({ image }) => image.nodes.has(node.name)).map(({ reference }) => reference);
  const comment = place.eligible ? null : place.message;
  return [{ name: node.name, eligible: place.eligible, comment, cached }];
}

/** Types that the original counts. */
type CountedType = 'release' | 'weekly' | 'daily';

function config({ spec }: ImageSource): z.output<typeof prepullsSchema>['config'] {
  const { tags, select } = spec;
  const { registry, repository } = parseRepository(spec.image);
  const newest = (type: CountedType): number | null => {
    if (select === undefined) return defaultNewest(tags.grammar, type);
    const rule = select.find((each) => each.type === type);
    return rule === undefined ? 0 : (rule.newest ?? null);
  };
  return {
    source: { type: 'docker', registry, repository },
    recommended_tag: tags.recommended,
    num_releases: newest('release'),
    num_weeklies: newest('weekly'),
    num_dailies: newest('daily'),
    cycle: tags.cycle ?? null,
    pin: select?.flatMap(({ tags: pinned = [] }) => pinned) ?? [],
    alias_tags: [...(tags.aliases ?? [])],
  };
}

function defaultNewest(grammar: GrammarName, type: CountedType): number | null {
  const rule = defaultRules(grammar).find(
    ({ selector }) => selector.kind === 'type' && selector.type === type,
  );
  return rule?.newest ?? 0;
}
