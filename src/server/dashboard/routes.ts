/** The dashboard at /: pages, their assets, and the stream that keeps them current. */

import { Hono } from 'hono';
import { signalOf } from '../client-signal.ts';
import type { Problem } from '../problem.ts';
import { ProblemError, problemResponse } from '../problem.ts';
import { representationOf, respond } from '../representation.ts';
import type { RouteGroup, ServerContext, ServerEnv } from '../route-group.ts';
import { ASSET_VERSION, ASSETS } from './assets.ts';
import { type FinderPorts, PageFinder } from './finder.ts';
import { LiveStreams } from './live.ts';
import { errorPage, framePage, PAGE_SECURITY_POLICY, type Page } from './page.ts';

const HTML = 'text/html; charset=utf-8';
const KEEP = 'public, max-age=31536000, immutable';
const PAGES = [
  '/',
  '/matrix',
  '/nodes',
  '/nodes/:node',
  '/sources/:namespace/:name',
  '/images/:namespace/:name',
];

/** Pages, their assets and the live stream. */
export function dashboardRoutes(ports: FinderPorts): RouteGroup {
  const finder = new PageFinder(ports);
  const live = new LiveStreams(finder, ports.clock);
  const routes = new Hono<ServerEnv>();
  for (const path of PAGES) routes.get(path, (context) => servePage(finder, context));
  routes.get('/live', (context) =>
    context.req.method === 'HEAD' ? context.body(null, 200) : live.serve(context),
  );
  routes.get('/assets/:file', (context) => serveAsset(context));
  return {
    name: 'dashboard',
    basePath: '/',
    routes,
    authentication: 'Bearer',
    contentSecurityPolicy: PAGE_SECURITY_POLICY,
    problemResponse: answerProblem,
  };
}

async function servePage(finder: PageFinder, context: ServerContext): Promise<Response> {
  const { caller } = context.get('exchange');
  const { revision } = finder;
  const page = await finder.find(new URL(context.req.url), { caller, signal: signalOf(context) });
  return respond(context, representationOf(await textOf(page, revision), HTML));
}

async function serveAsset(context: ServerContext): Promise<Response> {
  const asset = ASSETS.get(context.req.param('file') ?? '');
  if (asset === undefined) throw new ProblemError('NotFound', 'there is no such file');
  const isCurrent = new URL(context.req.url).search === `?${ASSET_VERSION}`;
  return respond(context, asset, isCurrent ? { 'cache-control': KEEP } : {});
}

/** A page for people, problem details for programs. */
async function answerProblem(problem: Problem, context: ServerContext): Promise<Response> {
  if (context.req.header('accept')?.includes('text/html') !== true) return problemResponse(problem);
  const page = errorPage(problem.title, `${problem.detail}.`, context.get('exchange').id);
  return new Response(await textOf(page, ''), {
    status: problem.status,
    headers: { 'content-type': HTML, 'cache-control': 'no-store' },
  });
}

async function textOf(page: Page, revision: string): Promise<string> {
  return String(await framePage(page, { version: ASSET_VERSION, revision }));
}
