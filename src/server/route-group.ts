/** What is mounted on the HTTP server: a group of routes below one path, with its own limits and error format. */

import type { HttpBindings } from '@hono/node-server';
import type { Context, Hono } from 'hono';
import type { Logger } from '../kube/logger.ts';
import type { Caller } from './authorize.ts';
import type { Operation } from './operation.ts';
import type { Problem } from './problem.ts';

/** What is known of one request before its route runs. */
export interface Exchange {
  /** Ours, or the one the client sent in X-Request-Id if it is harmless. */
  readonly id: string;
  /** The other end of the connection; forwarding headers are not believed. */
  readonly address: string;
  /** Anonymous until the group's authentication has said otherwise. */
  caller: Caller;
  /** The caller, as of now: streams without an end must not outlive a token. @throws ProblemError Unauthorized, Unavailable */
  renewCaller: (signal: AbortSignal) => Promise<Caller>;
  /** Carries the request id. */
  readonly log: Logger;
  /** Aborts when the server closes: streams without an end must listen. */
  readonly closing: AbortSignal;
  /** Which object a mutation is about, for the audit line; `kind namespace/name`. */
  subject?: string;
}

/** What hono carries along with a request. */
export interface ServerEnv {
  readonly Bindings: HttpBindings;
  readonly Variables: { exchange: Exchange };
}

/** One request, with its exchange. */
export type ServerContext = Context<ServerEnv>;

/**
 * Bearer: a token the API server vouches for, or none with --anonymous-read and GET or HEAD.
 * Own: the routes find out themselves who calls, and every caller is anonymous before that.
 */
export type GroupAuthentication = 'Bearer' | 'Own';

/** Routes below one path that share authentication, limits and the format of errors. */
export interface RouteGroup {
  /** One lower-case word: label of metrics, field of the access log. */
  readonly name: string;
  /** Starts with a slash, ends without: `/v1/docker`. The longest that fits a request takes it; `/` takes the rest. */
  readonly basePath: string;
  /** Routes relative to `basePath`. Errors are thrown, as `ProblemError`. */
  readonly routes: Hono<ServerEnv>;
  readonly authentication: GroupAuthentication;
  /** Where the token is, if not in the Authorization header only (a cookie, say). */
  readonly tokenOf?: (context: ServerContext) => string | undefined;
  /** Longest body that is read; default 64 KiB. */
  readonly maxBodyBytes?: number;
  /** How errors look; default: problem details. */
  readonly problemResponse?: (problem: Problem, context: ServerContext) => Response | Promise<Response>;
  /** Default: nothing may be loaded. */
  readonly contentSecurityPolicy?: string;
  /** Called when the server no longer listens: what was taken in is finished. */
  readonly close?: () => Promise<void>;
  /** What the OpenAPI document says of the group; absent: nothing. */
  readonly operations?: readonly Operation[];
}
