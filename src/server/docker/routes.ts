/** Paths below a group of the original's router, and the methods each takes; a slash at the end means nothing. */

import { type Answer, notFound, refuse } from './answer.ts';
import type { FacadeRequest } from './request.ts';

/** `Request` is what handlers are given. */
export interface Route<Request> {
  /** Whole path below the group; named groups are the parameters. */
  readonly pattern: RegExp;
  /** By HTTP method. HEAD is answered as GET, OPTIONS by the router. */
  readonly methods: Readonly<Record<string, Handle<Request>>>;
  /** Has the first word about other methods; returns if there is nothing to say but that they are not allowed. */
  readonly beforeRefusal?: (request: Request) => Promise<void>;
}

/** Named parts of a path. */
export type Parameters = Readonly<Record<string, string>>;
/** Answers a request, or throws a RefusedRequest. */
export type Handle<Request> = (request: Request, parameters: Parameters) => Promise<Answer>;

/** A route, and what its pattern has found. */
export interface Match<Request> {
  readonly route: Route<Request>;
  readonly parameters: Parameters;
}

/** Lookups are by number. */
export const PK_PATTERN = /^\/(?<pk>[0-9]+)$/;

/** @throws RefusedRequest 404 */
export function matchRoute<Request>(routes: readonly Route<Request>[], path: string): Match<Request> {
  for (const route of routes) {
    const found = route.pattern.exec(path);
    if (found !== null) return { route, parameters: found.groups ?? {} };
  }
  throw refuse(404, 'Not found.');
}

/** The handler of the method; of any other one, what refuses it. */
export function handlerOf<Request>({ route }: Match<Request>, { method }: FacadeRequest): Handle<Request> {
  if (method === 'OPTIONS') return () => Promise.resolve(describe(route));
  const handle = route.methods[method === 'HEAD' ? 'GET' : method];
  if (handle !== undefined) return handle;
  return async (request) => {
    await route.beforeRefusal?.(request);
    throw refuse(405, `Method "${method}" not allowed.`, { Allow: allowed(route) });
  };
}

/** @throws RefusedRequest 404 for numbers that no row can have */
export function pkOfPath({ pk = '' }: Parameters, model: string): number {
  const number = Number(pk);
  if (number < 1 || !Number.isSafeInteger(number)) throw notFound(model);
  return number;
}

function describe<Request>(route: Route<Request>): Answer {
  const types = ['application/json'];
  return { status: 200, body: { renders: types, parses: types }, headers: { Allow: allowed(route) } };
}

function allowed<Request>({ methods }: Route<Request>): string {
  const names = Object.keys(methods);
  return [...names, ...(names.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ');
}
