/** Around every route: request id, limits, who calls, security headers, errors, log lines and metrics. */

import { randomUUID } from 'node:crypto';
import type { HttpBindings } from '@hono/node-server';
import { Hono, type MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { methodNotAllowed } from 'hono/method-not-allowed';
import type { Clock } from '../clock.ts';
import type { Logger } from '../kube/logger.ts';
import { ANONYMOUS, type Authorizer, type Caller } from './authorize.ts';
import { type ClientLimiter, clientOf } from './client-limiter.ts';
import { signalOf } from './client-signal.ts';
import { finishExchange } from './exchange-log.ts';
import type { HttpMetrics } from './http-metrics.ts';
import { ProblemError, problemOf, problemResponse, unauthorized } from './problem.ts';
import type { Exchange, RouteGroup, ServerContext, ServerEnv } from './route-group.ts';
import { securityHeaders } from './security-headers.ts';

/** What surrounds the routes of every group. */
export interface AppOptions {
  readonly groups: readonly RouteGroup[];
  readonly authorizer: Authorizer;
  readonly limiter: ClientLimiter;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: HttpMetrics;
  /** False while the caches are being filled: what would be answered is not true yet. */
  readonly isReady: () => boolean;
  readonly closing: AbortSignal;
  readonly accessLog: boolean;
  /** The connection is encrypted: browsers are told to stay with that. */
  readonly secure: boolean;
}

/** A request to its response; never rejects. */
export type Fetch = (request: Request, env: HttpBindings) => Response | Promise<Response>;

const MAX_BODY_BYTES = 65_536;
/** Guesses at tokens and signatures are slowed down; each may cost a call to the API server. */
const REFUSED_TOKEN_COST = 10;
const READING_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD']);

/** One handler for all groups; the longest base path that fits takes the request. */
export function buildApp(options: AppOptions): Fetch {
  const apps = [...options.groups, NOTHING]
    .toSorted((left, right) => right.basePath.length - left.basePath.length)
    .map((group) => ({ group, app: buildGroup(group, options) }));
  return (request, env) => {
    const path = pathOf(request.url);
    const found = apps.find(({ group }) => isBelow(path, group.basePath));
    return found === undefined ? new Response(null, { status: 404 }) : found.app.fetch(request, env);
  };
}

/** `url` is absolute and normal already. */
function pathOf(url: string): string {
  const start = url.indexOf('/', url.indexOf('://') + 3);
  const end = url.slice(start).search(/[?#]/);
  return end === -1 ? url.slice(start) : url.slice(start, start + end);
}

/** Takes what no group takes. */
const NOTHING: RouteGroup = { name: 'none', basePath: '/', routes: new Hono(), authentication: 'Own' };

function isBelow(path: string, basePath: string): boolean {
  return basePath === '/' || path === basePath || path.startsWith(`${basePath}/`);
}

function buildGroup(group: RouteGroup, options: AppOptions): Hono<ServerEnv> {
  const app = new Hono<ServerEnv>();
  app.use(openExchange(group, options));
  app.use(
    methodNotAllowed({
      app,
      onMethodNotAllowed: (context, methods) => {
        const allow = { headers: { allow: methods.join(', ') } };
        const error = new ProblemError(
          'MethodNotAllowed',
          `${context.req.method} is not among ${methods.join(', ')}`,
          allow,
        );
        return answerProblem(group, context as ServerContext, error);
      },
    }),
  );
  app.use(limitClient(options), requireReady(options), identify(group, options), limitBody(group));
  app.route(group.basePath, group.routes);
  app.notFound((context) =>
    answerProblem(group, context, new ProblemError('NotFound', 'there is nothing at this path')),
  );
  app.onError((error, context) => {
    if (!(error instanceof ProblemError)) {
      context.get('exchange').log.error('a route failed', { group: group.name, err: error });
    }
    return answerProblem(group, context, error);
  });
  return app;
}

/** What the caller is told of a failure that no route foresaw is nothing but its request id. */
async function answerProblem(group: RouteGroup, context: ServerContext, error: Error): Promise<Response> {
  const problem =
    error instanceof ProblemError
      ? error
      : new ProblemError('Internal', 'this should not have happened; the log has more');
  const body = problemOf(problem, context.get('exchange').id);
  const response = await (group.problemResponse ?? problemResponse)(body, context);
  for (const [name, value] of Object.entries(problem.headers)) response.headers.set(name, value);
  return response;
}

function openExchange(group: RouteGroup, options: AppOptions): MiddlewareHandler<ServerEnv> {
  const headers = securityHeaders(group.contentSecurityPolicy, options.secure);
  return async (context, next) => {
    const started = options.clock.monotonic();
    const id = requestId(context.req.header('x-request-id'));
    const address = context.env.incoming.socket.remoteAddress ?? '';
    context.set('exchange', new OpenExchange({ id, address, log: options.log, closing: options.closing }));
    await next();
    for (const [name, value] of headers)
      if (!context.res.headers.has(name)) context.res.headers.set(name, value);
    context.res.headers.set('x-request-id', id);
    // What nobody has read of a body is not read at all: the next request would begin after it.
    if (!context.env.incoming.complete) context.res.headers.set('connection', 'close');
    finishExchange(context, {
      group: group.name,
      elapsedMs: options.clock.monotonic() - started,
      ...options,
    });
  };
}

interface Opened extends Pick<Exchange, 'id' | 'address' | 'closing'> {
  readonly log: Logger;
}

/** A logger with the request id is made when somebody writes with it: most requests only leave their line. */
class OpenExchange implements Exchange {
  readonly id: string;
  readonly address: string;
  readonly closing: AbortSignal;
  caller: Caller = ANONYMOUS;
  renewCaller: Exchange['renewCaller'] = () => Promise.resolve(this.caller);
  subject?: string;
  readonly #log: Logger;
  #child: Logger | undefined;

  constructor({ id, address, closing, log }: Opened) {
    this.id = id;
    this.address = address;
    this.closing = closing;
    this.#log = log;
  }

  get log(): Logger {
    this.#child ??= this.#log.child({ requestId: this.id });
    return this.#child;
  }
}

/** The client's own id helps to find a request in two logs; anything unusual is replaced. */
function requestId(sent: string | undefined): string {
  return sent !== undefined && /^[\w.-]{1,64}$/.test(sent) ? sent : randomUUID();
}

function limitClient({ limiter, metrics }: AppOptions): MiddlewareHandler<ServerEnv> {
  return async (context, next) => {
    const waitMs = limiter.take(clientOf(context.get('exchange').address));
    if (waitMs > 0) {
      metrics.turnedAway('rate');
      const seconds = String(Math.ceil(waitMs / 1000));
      throw new ProblemError('TooManyRequests', `too many requests; try again in ${seconds} s`, {
        headers: { 'retry-after': seconds },
      });
    }
    await next();
  };
}

function requireReady({ isReady }: AppOptions): MiddlewareHandler<ServerEnv> {
  return async (_context, next) => {
    if (!isReady()) {
      const headers = { 'retry-after': '1' };
      throw new ProblemError('Unavailable', 'this replica is still reading the cluster; try again', {
        headers,
      });
    }
    await next();
  };
}

function identify(group: RouteGroup, options: AppOptions): MiddlewareHandler<ServerEnv> {
  return async (context, next) => {
    if (group.authentication === 'Bearer') await nameCaller(group, options, context);
    await next();
    if (group.authentication === 'Own' && context.res.status === 401) chargeGuess(options, context);
  };
}

async function nameCaller(
  { tokenOf }: RouteGroup,
  options: AppOptions,
  context: ServerContext,
): Promise<void> {
  const { authorizer } = options;
  const exchange = context.get('exchange');
  const token = bearerToken(context.req.header('authorization')) ?? tokenOf?.(context);
  if (token !== undefined) {
    exchange.caller = await authorizer.authenticate(token, signalOf(context)).catch((error: unknown) => {
      // Who comes with a good token while the API server is silent has guessed nothing.
      if (error instanceof ProblemError && error.code === 'Unauthorized') chargeGuess(options, context);
      throw error;
    });
    exchange.renewCaller = (signal) => authorizer.authenticate(token, signal);
  } else if (!(authorizer.anonymousRead && READING_METHODS.has(context.req.method))) {
    throw unauthorized('a bearer token is needed');
  }
}

function chargeGuess({ limiter }: AppOptions, context: ServerContext): void {
  limiter.take(clientOf(context.get('exchange').address), REFUSED_TOKEN_COST);
}

/** @throws ProblemError Unauthorized for any other scheme: a password must not be taken for nobody */
function bearerToken(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const token = /^bearer +(?<token>[\w.~+/=-]+) *$/i.exec(header)?.groups?.['token'];
  if (token !== undefined) return token;
  throw unauthorized('the Authorization header holds no bearer token');
}

function limitBody({ maxBodyBytes = MAX_BODY_BYTES }: RouteGroup): MiddlewareHandler<ServerEnv> {
  const limit = bodyLimit({
    maxSize: maxBodyBytes,
    onError: () => {
      throw new ProblemError('PayloadTooLarge', `the body is longer than ${maxBodyBytes} bytes`);
    },
  });
  // Nobody reads a body there, and to look for one costs more than the answer.
  return (context, next) => (READING_METHODS.has(context.req.method) ? next() : limit(context, next));
}
