/** One HTTP exchange with the API server: authentication, deadline, retry, rate limit, metrics. Knows no objects. */

import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { type Clock, sleep } from '../clock.ts';
import { parseJSON } from '../json.ts';
import { AgentPools, type PoolName } from './agents.ts';
import { ApiError, apiErrorFrom, WriteFencedError } from './api-error.ts';
import { backoffDelay } from './backoff.ts';
import { type ConnectionFailure, classifyFailure, connectionError } from './connection-failure.ts';
import type { CredentialSource } from './credentials.ts';
import { Deadline } from './deadline.ts';
import { noMetrics, type RuntimeMetrics } from './metrics.ts';
import { type RateLimit, TokenBucket } from './token-bucket.ts';

/** More than any list page of sane size; guards the heap against a runaway answer. */
const BODY_LIMIT_BYTES = 128 * 1024 * 1024;
const ERROR_BODY_LIMIT_BYTES = 64 * 1024;

const MAX_ATTEMPTS = 5;
const RETRY_BACKOFF = { baseMs: 250, maxMs: 8_000, jitter: 0.5 };

const DEFAULT_RATE: RateLimit = { qps: 100, burst: 200 };

/** Methods the API uses. */
export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** Asked immediately before every attempt of a write; false means that the sender's lease may have run out. */
export type WriteGuard = () => boolean;

/** One request, ready to send, and what is known about sending it again. */
export interface ApiRequest {
  /** Kubernetes verb, for metrics and messages. */
  readonly verb: string;
  readonly method: Method;
  /** Path and query, below the server's own path. */
  readonly path: string;
  /** Resource label for metrics: `pods`, `pods/status`. */
  readonly resource: string;
  /** What the request acts on, for messages: `pods a/b`. */
  readonly target: string;
  readonly contentType?: string | undefined;
  /** Default: application/json. */
  readonly accept?: string | undefined;
  readonly body?: string | undefined;
  /** May be sent again although the first one may have been carried out. */
  readonly idempotent: boolean;
  /** Whole time allowed, retries and waiting included. */
  readonly timeoutMs: number;
  readonly maxAttempts?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly guard?: WriteGuard | undefined;
  /** Skips the rate limit: a lease must be renewed however busy we are. */
  readonly unlimited?: boolean | undefined;
}

/** `random` spreads retries; tests fix it. */
export interface TransportOptions {
  readonly clock: Clock;
  readonly credentials: CredentialSource;
  readonly userAgent: string;
  /** Requests per second to the API server, watches included. */
  readonly rate?: RateLimit | undefined;
  readonly metrics?: RuntimeMetrics | undefined;
  readonly random?: (() => number) | undefined;
}

interface Progress {
  readonly failures: number;
  readonly deadline: number;
}

type Answer = Dispatcher.ResponseData;

/** All HTTP of this process to the API server goes through one of these. */
export class Transport {
  readonly clock: Clock;
  readonly #credentials: CredentialSource;
  readonly #pools: AgentPools;
  readonly #bucket: TokenBucket;
  readonly #metrics: RuntimeMetrics;
  readonly #userAgent: string;
  readonly #random: () => number;

  constructor(options: TransportOptions) {
    this.clock = options.clock;
    this.#credentials = options.credentials;
    this.#pools = new AgentPools(options.credentials.endpoint);
    this.#bucket = new TokenBucket(options.clock, options.rate ?? DEFAULT_RATE);
    this.#metrics = options.metrics ?? noMetrics;
    this.#userAgent = options.userAgent;
    this.#random = options.random ?? Math.random;
  }

  /** Sends and returns the parsed JSON body. @throws ApiError, WriteFencedError, or the signal's reason. */
  async send(request: ApiRequest): Promise<unknown> {
    return this.#withRetries(request, (deadline) => this.#exchange(request, deadline));
  }

  /**
   * Opens a stream and returns its body; the deadline covers only the time until the answer's head.
   * Aborting the request's signal cuts the stream. @throws ApiError as `send`.
   */
  async open(request: ApiRequest): Promise<Readable> {
    return this.#withRetries(request, (deadline) => this.#openOnce(request, deadline));
  }

  /** Cuts all connections. */
  async close(): Promise<void> {
    await this.#pools.destroy();
  }

  async #withRetries<T>(request: ApiRequest, attempt: (deadline: number) => Promise<T>): Promise<T> {
    const deadline = this.clock.monotonic() + request.timeoutMs;
    let refreshed = false;
    for (let failures = 0; ; failures += 1) {
      await this.#admit(request);
      try {
        return await attempt(deadline);
      } catch (error) {
        request.signal?.throwIfAborted();
        if (!(error instanceof ApiError)) throw error;
        if (!refreshed && needsFreshCredentials(error)) {
          refreshed = true;
          await this.#refreshCredentials(request, error);
        } else {
          await this.#pause(request, error, { failures, deadline });
        }
      }
    }
  }

  /** Waits for the rate limit; the guard is asked after that, as late as it can be. */
  async #admit(request: ApiRequest): Promise<void> {
    request.signal?.throwIfAborted();
    if (request.unlimited !== true) await this.#bucket.acquire(request.signal);
    if (request.guard?.() === false) throw new WriteFencedError(`${describe(request)}: no longer the leader`);
  }

  /** A failed refresh must not hide the answer that asked for it. */
  async #refreshCredentials(request: ApiRequest, error: ApiError): Promise<void> {
    try {
      await this.#credentials.refresh();
    } catch {
      throw new ApiError({
        status: error.status,
        reason: error.reason,
        message: `${describe(request)}: ${error.reason}, and reloading credentials failed`,
        temporary: true,
        sent: error.sent,
        cause: error,
      });
    }
  }

  /** Waits before the next attempt. @throws the error itself if there is to be none. */
  async #pause(request: ApiRequest, error: ApiError, progress: Progress): Promise<void> {
    const delayMs = this.#retryDelay(request, error, progress.failures);
    if (delayMs === undefined || this.clock.monotonic() + delayMs >= progress.deadline) throw error;
    await sleep(this.clock, delayMs, request.signal);
  }

  /** Undefined: do not send again. A refusal (429) or a request that never left may always be repeated. */
  #retryDelay(request: ApiRequest, error: ApiError, failures: number): number | undefined {
    const { maxAttempts = MAX_ATTEMPTS } = request;
    if (failures + 1 >= maxAttempts || !error.temporary || error.reason === 'DeadlineExceeded')
      return undefined;
    if (!request.idempotent && error.status !== 429 && error.sent) return undefined;
    const delay = backoffDelay(failures, { ...RETRY_BACKOFF, random: this.#random });
    return error.retryAfterMs === undefined ? delay : Math.max(error.retryAfterMs, delay);
  }

  async #exchange(request: ApiRequest, deadline: number): Promise<unknown> {
    const limit = new Deadline(this.clock, deadline, request.signal);
    try {
      const answer = await this.#dispatch(request, 'calls', limit);
      const text = await readText(answer.body, BODY_LIMIT_BYTES);
      return JSON.parse(text) as unknown;
    } catch (error) {
      throw asApiError(request, error, limit);
    } finally {
      limit.end();
    }
  }

  async #openOnce(request: ApiRequest, deadline: number): Promise<Readable> {
    const limit = new Deadline(this.clock, deadline, request.signal);
    try {
      const answer = await this.#dispatch(request, 'watches', limit);
      limit.stopTimer();
      answer.body.once('close', () => {
        limit.end();
      });
      return answer.body;
    } catch (error) {
      limit.end();
      throw asApiError(request, error, limit);
    }
  }

  async #dispatch(request: ApiRequest, pool: PoolName, limit: Deadline): Promise<Answer> {
    const started = this.clock.monotonic();
    let code = '<error>';
    try {
      const credentials = await this.#credentials.current();
      const { server } = this.#credentials.endpoint;
      const answer = await this.#pools.dispatcher(pool, credentials).request({
        origin: server.origin,
        path: `${server.pathname.replace(/\/$/, '')}${request.path}`,
        method: request.method,
        headers: this.#headers(request, credentials.headers),
        body: request.body ?? null,
        // A DELETE with a body would end its connection otherwise: a handshake for every pod.
        reset: false,
        signal: limit.signal,
      });
      code = String(answer.statusCode);
      if (answer.statusCode < 300) return answer;
      throw await refusal(request, answer);
    } finally {
      const seconds = (this.clock.monotonic() - started) / 1000;
      this.#metrics.request({ verb: request.verb, resource: request.resource, code, seconds });
    }
  }

  #headers(request: ApiRequest, credentials: Readonly<Record<string, string>>): Record<string, string> {
    return {
      ...credentials,
      accept: request.accept ?? 'application/json',
      'user-agent': this.#userAgent,
      ...(request.contentType === undefined ? {} : { 'content-type': request.contentType }),
    };
  }
}

function describe(request: ApiRequest): string {
  return `${request.verb} ${request.target}`;
}

function needsFreshCredentials(error: ApiError): boolean {
  return error.status === 401 || (error.cause as ConnectionFailure | undefined)?.kind === 'certificate';
}

async function refusal(request: ApiRequest, answer: Answer): Promise<ApiError> {
  const retryAfter = answer.headers['retry-after'];
  return apiErrorFrom(describe(request), {
    status: answer.statusCode,
    retryAfter: typeof retryAfter === 'string' ? retryAfter : undefined,
    body: parseJSON(await readText(answer.body, ERROR_BODY_LIMIT_BYTES)),
  });
}

function asApiError(request: ApiRequest, error: unknown, limit: Deadline): unknown {
  if (error instanceof ApiError) return error;
  const failure = classifyFailure(error, limit.expired);
  return connectionError(describe(request), failure);
}

/** Reads at most `limit` bytes. @throws RangeError if there is more. */
async function readText(body: Readable, limit: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) throw new RangeError(`answer is larger than ${limit} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size).toString('utf8');
}
