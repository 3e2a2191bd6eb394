/** /v1/images and /v1/coverage: what is to be stocked, where it is, and why not elsewhere. */

import type { Hono } from 'hono';
import * as z from 'zod';
import type { NodeFacts } from '../domain/node.ts';
import { compareNames } from '../domain/sorted-names.ts';
import { countStates, PAIR_STATES, type PairState, type StockCounts } from '../domain/stock-report.ts';
import { formatKey } from '../kube/resource.ts';
import { coverageSchema, imageCoverageSchema, stockedImagePageSchema } from './answers.ts';
import { signalOf } from './client-signal.ts';
import { type ImageCoverage, imageCoverage } from './image-coverage.ts';
import { type Operation, readParams, readQuery } from './operation.ts';
import { pageOf, pageQuery } from './page.ts';
import { ProblemError } from './problem.ts';
import { IMAGES, NODES, noQuery, objectParams, type ReadingParts, toggle } from './reading.ts';
import { representationOf, respond, respondJson } from './representation.ts';
import type { ServerContext, ServerEnv } from './route-group.ts';
import { describeCoverage, describeStocked, sourceOf } from './stocked-image.ts';
import { stringifySlowly } from './stringify.ts';

const objectName = z.string().max(253);

const filters = {
  namespace: objectName.optional().describe('Only PrepulledImages of this namespace.'),
  source: z.string().max(320).optional().describe('Only those of this ImageSource, as namespace/name.'),
};

const listQuery = z.strictObject({
  ...pageQuery,
  ...filters,
  prepulled: toggle.optional().describe('Only images that every eligible node has, or only the others.'),
});

const coverageQuery = z.strictObject({
  ...filters,
  node: objectName.optional().describe('Only this node.'),
  missing: toggle.optional().describe('With true: only images that an eligible node lacks.'),
});

export const IMAGE_OPERATIONS: readonly Operation[] = [
  {
    method: 'get',
    path: '/v1/images',
    operationId: 'listImages',
    summary: 'The PrepulledImages that the caller may see, page by page.',
    tag: 'images',
    query: listQuery,
    answers: { 200: { description: 'One page.', schema: stockedImagePageSchema } },
  },
  {
    method: 'get',
    path: '/v1/images/{namespace}/{name}',
    operationId: 'getImage',
    summary: 'One PrepulledImage with every node that has it or lacks it.',
    tag: 'images',
    params: objectParams,
    query: noQuery,
    answers: { 200: { description: 'The image.', schema: imageCoverageSchema } },
  },
  {
    method: 'get',
    path: '/v1/coverage',
    operationId: 'getCoverage',
    summary: 'Every pair of image and node that the caller may see.',
    tag: 'images',
    query: coverageQuery,
    answers: { 200: { description: 'The pairs.', schema: coverageSchema } },
  },
];

export function addImageRoutes(routes: Hono<ServerEnv>, parts: ReadingParts): void {
  routes.get('/images', async (context) => {
    const query = readQuery(context, listQuery);
    const found = (await visibleCoverage(parts, context, query)).filter(
      ({ prepulled }) => query.prepulled === undefined || prepulled === query.prepulled,
    );
    const { items, next } = pageOf(found, ({ image }) => formatKey(image.metadata), query);
    return respondJson(context, { total: found.length, items: items.map(describeStocked), next });
  });
  routes.get('/images/:namespace/:name', async (context) => {
    readQuery(context, noQuery);
    const { namespace, name } = readParams(context, objectParams);
    const { caller } = context.get('exchange');
    await parts.authorizer.require(caller, { ...IMAGES, verb: 'get', namespace, name }, signalOf(context));
    const image = parts.cluster.image(namespace, name);
    if (image === undefined)
      throw new ProblemError('NotFound', `there is no PrepulledImage ${namespace}/${name}`);
    return respondJson(context, describeCoverage(imageCoverage(image, parts.cluster.nodes())));
  });
  routes.get('/coverage', async (context) => {
    const query = readQuery(context, coverageQuery);
    const visible = await visibleCoverage(parts, context, query);
    const nodes = (await visibleNodes(parts, context, visible)).filter(
      ({ name }) => query.node === undefined || name === query.node,
    );
    if (query.node !== undefined && nodes.length === 0)
      throw new ProblemError('NotFound', `there is no node ${query.node}`);
    const all = visible.map((coverage) => onNode(coverage, query.node));
    const shown = query.missing === true ? all.filter(({ eligible, present }) => present < eligible) : all;
    return respond(context, representationOf(await coverageBody(shown, nodes)));
  });
}

interface Filter {
  readonly namespace?: string | undefined;
  readonly source?: string | undefined;
}

/** By namespace and name. */
async function visibleCoverage(
  { cluster, authorizer }: ReadingParts,
  context: ServerContext,
  { namespace, source }: Filter,
): Promise<readonly ImageCoverage[]> {
  const asked = cluster
    .images()
    .filter((image) => namespace === undefined || image.metadata.namespace === namespace)
    .filter((image) => source === undefined || sourceOf(image) === source);
  const { caller } = context.get('exchange');
  const visible = await authorizer.visible(caller, IMAGES, asked, signalOf(context));
  const nodes = cluster.nodes();
  return visible.map((image) => imageCoverage(image, nodes)).sort(byKey);
}

/** Who may not list nodes learns no names but those that images tell. */
async function visibleNodes(
  { cluster, authorizer }: ReadingParts,
  context: ServerContext,
  images: readonly ImageCoverage[],
): Promise<readonly NodeFacts[]> {
  const { caller } = context.get('exchange');
  const nodes = cluster.nodes();
  if (await authorizer.allows(caller, { ...NODES, verb: 'list' }, signalOf(context))) return nodes;
  const told = new Set(images.flatMap(({ on, missing }) => [...on, ...missing.map(({ node }) => node)]));
  return nodes.filter(({ name }) => told.has(name));
}

function byKey({ image: left }: ImageCoverage, { image: right }: ImageCoverage): number {
  return compareNames(formatKey(left.metadata), formatKey(right.metadata));
}

/** The same, as if there were only this node. */
function onNode(coverage: ImageCoverage, node: string | undefined): ImageCoverage {
  if (node === undefined) return coverage;
  const on = coverage.on.filter((name) => name === node);
  const missing = coverage.missing.filter((entry) => entry.node === node);
  const states: readonly PairState[] = [
    ...on.map(() => 'Present' as const),
    ...missing.map(({ state }) => state),
  ];
  const counts = countStates((state) => states.filter((each) => each === state).length);
  const prepulled = counts.eligible > 0 && counts.present === counts.eligible;
  return { ...coverage, ...counts, on, missing, prepulled };
}

async function coverageBody(all: readonly ImageCoverage[], nodes: readonly NodeFacts[]): Promise<string> {
  const pairs = sumCounts(all);
  const ratio = pairs.eligible === 0 ? 1 : pairs.present / pairs.eligible;
  const head = JSON.stringify({ ratio, pairs, nodes: sumNodes(all, nodes) }).slice(0, -1);
  return `${head},"images":${await stringifySlowly(all.map(describeCoverage))}}\n`;
}

function sumCounts(all: readonly StockCounts[]): StockCounts {
  const fields: Readonly<Record<PairState, keyof StockCounts>> = {
    Present: 'present',
    Failed: 'failed',
    Pulling: 'pulling',
    Waiting: 'waiting',
    Unknown: 'unknown',
    Skipped: 'skipped',
  };
  const sums = new Map(
    PAIR_STATES.map((state) => [state, all.reduce((sum, counts) => sum + counts[fields[state]], 0)]),
  );
  return countStates((state) => sums.get(state) ?? 0);
}

function sumNodes(
  all: readonly ImageCoverage[],
  nodes: readonly NodeFacts[],
): z.output<typeof coverageSchema>['nodes'] {
  const sums = new Map(nodes.map(({ name }) => [name, { name, present: 0, lacking: 0, skipped: 0 }]));
  for (const { on, missing } of all) {
    for (const node of on) {
      const sum = sums.get(node);
      if (sum !== undefined) sum.present += 1;
    }
    for (const { node, state } of missing) {
      const sum = sums.get(node);
      if (sum !== undefined) sum[state === 'Skipped' ? 'skipped' : 'lacking'] += 1;
    }
  }
  return [...sums.values()];
}
