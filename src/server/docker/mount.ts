/** The facade on the HTTP server: one group for the images, one for each table of the catalogue, one for what is not here. */

import { Hono } from 'hono';
import type { Catalogue } from '../../api/catalogue.ts';
import { CATALOGUE_NAME } from '../../api/catalogue.ts';
import type { DockerImageRecord } from '../../api/docker-image-record.ts';
import type { Clock } from '../../clock.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { ResourceType } from '../../kube/resource.ts';
import { Authorizer, type ObjectAccess, type Reviews } from '../authorize.ts';
import type { Problem } from '../problem.ts';
import type { RouteGroup, ServerContext, ServerEnv } from '../route-group.ts';
import { type Answer, refuse } from './answer.ts';
import { catalogueRoutes } from './catalogue-routes.ts';
import { SERVED_TABLES } from './catalogue-tables.ts';
import { answerRequest } from './facade.ts';
import { ImageRoutes } from './image-routes.ts';
import { LoginStore } from './login-store.ts';
import { catalogueOperations, IMAGE_OPERATIONS } from './operations.ts';
import { type FindReferences, type PrimaryKeys, RecordStore } from './record-store.ts';
import { type CalledRequest, type FacadeRequest, JSON_TYPE } from './request.ts';
import type { Route } from './routes.ts';

/** What the facade is made of. */
export interface RecordsApiOptions {
  /** Not fenced: every replica writes. */
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly reviews: Reviews;
  readonly type: ResourceType<DockerImageRecord>;
  /** Whose records are served. */
  readonly namespace: string;
  /** Namespace of the catalogue. */
  readonly operatorNamespace: string;
  /** The last good one; undefined before there was one. */
  readonly catalogue: () => Catalogue | undefined;
  readonly primaryKeys: PrimaryKeys;
  readonly findReferences: FindReferences;
}

/** What the facade adds to the HTTP server. */
export function recordsApi(options: RecordsApiOptions): readonly RouteGroup[] {
  const { client, clock, reviews, type, operatorNamespace } = options;
  // Not the server's own: with --anonymous-read that one would open the Secrets too.
  const authorizer = new Authorizer({ reviews, clock, anonymousRead: false });
  const configMap = `${operatorNamespace}/${CATALOGUE_NAME}`;
  const catalogue = (): Catalogue => {
    const current = options.catalogue();
    if (current !== undefined) return current;
    throw refuse(503, `ConfigMap ${configMap} is missing or not valid.`, { 'Retry-After': '5' });
  };
  const images = new ImageRoutes({
    records: new RecordStore(options),
    logins: new LoginStore({ client, type }),
    authorizer,
    catalogue,
  });
  const staff: ObjectAccess = {
    verb: 'create',
    group: type.group,
    resource: type.plural,
    namespace: options.namespace,
  };
  return [
    { ...group('docker', images.routes, authorizer), operations: IMAGE_OPERATIONS },
    ...SERVED_TABLES.map((table) => ({
      ...group(table.path, catalogueRoutes(table, { catalogue, configMap, authorizer, staff }), authorizer),
      operations: catalogueOperations(table),
    })),
    tokensElsewhere(),
  ];
}

function group(path: string, routes: readonly Route<CalledRequest>[], authorizer: Authorizer): RouteGroup {
  const app = new Hono<ServerEnv>();
  const basePath = `/v1/${path}`;
  app.all('*', async (context) => {
    const request = requestOf(context, basePath);
    return responseTo(request, await answerRequest(request, routes, authorizer));
  });
  return { name: path, basePath, routes: app, authentication: 'Own', problemResponse: detailOf };
}

/** The original gives out tokens of its own; here they are those of the cluster. */
function tokensElsewhere(): RouteGroup {
  const app = new Hono<ServerEnv>();
  const detail =
    'Larder gives out no tokens: send a token of the Kubernetes API server as "Authorization: Bearer <token>", such as the output of kubectl create token.';
  app.all('*', () => json({ status: 501, body: { detail } }));
  return {
    name: 'auth',
    basePath: '/v1/auth',
    routes: app,
    authentication: 'Own',
    problemResponse: detailOf,
  };
}

/** What has begun is finished, although the client hangs up or the server closes: half an image would stay behind. */
const UNTIL_DONE = new AbortController().signal;

function requestOf(context: ServerContext, basePath: string): FacadeRequest {
  const { pathname } = new URL(context.req.url);
  const below = pathname.slice(basePath.length).replace(/\/$/, '');
  return {
    method: context.req.method,
    path: decoded(below),
    header: (name) => context.req.header(name),
    readBody: async () => new Uint8Array(await context.req.arrayBuffer()),
    signal: UNTIL_DONE,
    setCaller: (caller) => {
      context.get('exchange').caller = caller;
    },
    setSubject: (subject) => {
      context.get('exchange').subject = subject;
    },
  };
}

/** What is not well encoded matches no route. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return '//';
  }
}

function responseTo({ method }: FacadeRequest, answer: Answer): Response {
  const response = json(answer);
  return method === 'HEAD'
    ? new Response(null, { status: response.status, headers: response.headers })
    : response;
}

function json({ status, body, headers }: Answer): Response {
  const sent = new Headers({ 'cache-control': 'no-store', vary: 'Authorization', ...headers });
  if (body === undefined) return new Response(null, { status, headers: sent });
  sent.set('content-type', JSON_TYPE);
  return new Response(JSON.stringify(body), { status, headers: sent });
}

/** Errors of the server around us, in the shape of the original. */
function detailOf({ status, detail }: Problem): Response {
  return json({ status, body: { detail } });
}
