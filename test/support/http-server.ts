/** The real HTTP server on a free port, with reviews that a test decides. */

import type { Clock } from '../../src/clock.ts';
import { systemClock } from '../../src/clock.ts';
import type { LogFields, Logger } from '../../src/kube/logger.ts';
import { Authorizer, type Caller, type ObjectAccess, type Reviews } from '../../src/server/authorize.ts';
import { httpMetrics } from '../../src/server/http-metrics.ts';
import { createMetrics, type Metrics } from '../../src/server/metrics.ts';
import type { RouteGroup } from '../../src/server/route-group.ts';
import { type HttpServer, type HttpServerOptions, startHttpServer } from '../../src/server/server.ts';

export function caller(username: string): Caller {
  return { anonymous: false, username, uid: `uid-of-${username}`, groups: ['people'], extra: {} };
}

/** Knows some tokens and some rights; counts what it is asked, and may be down. */
export class FakeReviews implements Reviews {
  readonly tokens = new Map<string, Caller>();
  readonly #rights = new Set<string>();
  readonly asked: string[] = [];
  isDown = false;

  /** `right` as in `list larder.dev/imagesources science/lab`; the parts after the resource may be absent. */
  allow(username: string, right: string): void {
    this.#rights.add(`${username} ${right}`);
  }

  forbid(username: string, right: string): void {
    this.#rights.delete(`${username} ${right}`);
  }

  reviewToken(token: string): Promise<Caller | undefined> {
    this.asked.push('token');
    return this.isDown
      ? Promise.reject(new Error('connection refused'))
      : Promise.resolve(this.tokens.get(token));
  }

  reviewAccess(who: Caller, access: ObjectAccess): Promise<boolean> {
    const right = `${who.username} ${rightText(access)}`;
    this.asked.push(right);
    return this.isDown
      ? Promise.reject(new Error('connection refused'))
      : Promise.resolve(this.#rights.has(right));
  }
}

export function rightText({ verb, group, resource, namespace, name }: ObjectAccess): string {
  const place = [namespace, name].filter((part) => part !== undefined).join('/');
  return `${verb} ${group}/${resource}${place === '' ? '' : ` ${place}`}`;
}

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: LogFields;
}

export class RecordingLog implements Logger {
  readonly lines: LogLine[];
  readonly #fields: LogFields;

  constructor(lines: LogLine[] = [], fields: LogFields = {}) {
    this.lines = lines;
    this.#fields = fields;
  }

  debug(message: string, fields?: LogFields): void {
    this.#write('debug', message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#write('info', message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#write('warn', message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#write('error', message, fields);
  }

  child(fields: LogFields): Logger {
    return new RecordingLog(this.lines, { ...this.#fields, ...fields });
  }

  #write(level: string, message: string, fields: LogFields = {}): void {
    this.lines.push({ level, message, fields: { ...this.#fields, ...fields } });
  }
}

export interface ServedOptions extends Partial<HttpServerOptions> {
  readonly groups: readonly RouteGroup[];
  readonly anonymousRead?: boolean;
  readonly clock?: Clock;
  readonly reviews?: FakeReviews;
}

/** A running server with what a test looks at. */
export class ServedGroups implements AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly reviews: FakeReviews;
  readonly log: RecordingLog;
  readonly metrics: Metrics;
  readonly #server: HttpServer;

  private constructor(
    parts: Pick<ServedGroups, 'reviews' | 'log' | 'metrics'>,
    server: HttpServer,
    scheme: string,
  ) {
    this.reviews = parts.reviews;
    this.log = parts.log;
    this.metrics = parts.metrics;
    this.#server = server;
    this.port = server.port;
    this.url = `${scheme}://127.0.0.1:${server.port}`;
  }

  /** Everybody may read unless the test says otherwise. */
  static async start(options: ServedOptions): Promise<ServedGroups> {
    const { anonymousRead = true, clock = systemClock, reviews = new FakeReviews() } = options;
    const log = new RecordingLog();
    const metrics = createMetrics({ processMetrics: false });
    const authorizer = new Authorizer({ reviews, clock, anonymousRead });
    const server = await startHttpServer({
      authorizer,
      clock,
      log,
      metrics: httpMetrics(metrics.registry),
      isReady: () => true,
      host: '127.0.0.1',
      port: 0,
      ratePerClient: 0,
      accessLog: true,
      ...options,
    });
    const scheme = options.tls === undefined ? 'http' : 'https';
    return new ServedGroups({ reviews, log, metrics }, server, scheme);
  }

  fetch(path: string, init?: RequestInit): Promise<Response> {
    return fetch(`${this.url}${path}`, init);
  }

  /** As somebody whose token is known. */
  fetchAs(username: string, path: string, init: RequestInit = {}): Promise<Response> {
    const token = `token-of-${username}`;
    this.reviews.tokens.set(token, caller(username));
    const headers = new Headers(init.headers);
    headers.set('authorization', `Bearer ${token}`);
    return this.fetch(path, { ...init, headers });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.close();
  }
}
