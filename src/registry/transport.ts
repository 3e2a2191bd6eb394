/** One HTTP exchange: checked redirects, bounded body, deadline; the only place that sends requests to registries. */

import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { Dispatcher } from 'undici';
import type { Clock } from '../clock.ts';
import type { RegistryAccess } from './access.ts';
import type { Connections, Target } from './connections.ts';
import { RegistryError } from './errors.ts';
import type { ScanMeter } from './meter.ts';
import { type ResponseHeaders, rateLimit } from './rate-limit.ts';
import { isPlainAllowed } from './realm.ts';
import { type Subject, toRegistryError } from './transport-errors.ts';

/** One exchange to be; redirects belong to it. */
export interface TransportRequest {
  readonly method: 'GET' | 'HEAD' | 'POST';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent to `url` alone; dropped by the first redirect to another origin. */
  readonly authorization?: string | undefined;
  readonly body?: string | undefined;
  readonly target: Target;
  /** A longer body is an error. */
  readonly maxBytes: number;
  /** What the errors speak of. */
  readonly subject: Subject;
  readonly access: RegistryAccess;
  readonly meter: ScanMeter;
  readonly signal: AbortSignal;
}

/** Of any status; the body is decompressed and complete. */
export interface TransportResponse {
  readonly status: number;
  readonly headers: ResponseHeaders;
  /** Where the answer came from, after redirects. */
  readonly url: URL;
  readonly body: Buffer;
}

/** One HTTP exchange as metrics see it. */
export interface ObservedExchange {
  /** host[:port] that was asked: the registry, a token service, a redirect target. */
  readonly host: string;
  readonly method: string;
  /** undefined if there was no answer. */
  readonly status: number | undefined;
  readonly durationMs: number;
  /** Requests that are left, if the answer told. */
  readonly remaining: number | undefined;
}

/** The same for all exchanges of the process. */
export interface TransportSettings {
  /** Deadline of one exchange with its redirects, milliseconds. */
  readonly requestTimeoutMs: number;
  readonly userAgent: string;
  readonly observe?: (exchange: ObservedExchange) => void;
}

/** Until options say otherwise. */
export const DEFAULT_TRANSPORT: TransportSettings = { requestTimeoutMs: 30_000, userAgent: 'larder' };

const unzip = promisify(gunzip);
const MAX_REDIRECTS = 5;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Holds no state but its connections. Everything throws RegistryError. */
export class Transport {
  readonly #connections: Connections;
  readonly #clock: Clock;
  readonly #settings: TransportSettings;

  constructor(connections: Connections, clock: Clock, settings: TransportSettings) {
    this.#connections = connections;
    this.#clock = clock;
    this.#settings = settings;
  }

  /** @throws RegistryError if no complete answer arrives; any HTTP status is an answer */
  async send(request: TransportRequest): Promise<TransportResponse> {
    const deadline = new AbortController();
    const timer = this.#clock.schedule(this.#settings.requestTimeoutMs, () => {
      deadline.abort(new DOMException('the deadline of one request', 'TimeoutError'));
    });
    const signal = AbortSignal.any([request.signal, deadline.signal]);
    try {
      return await this.#follow({ ...request, signal });
    } catch (error) {
      throw toRegistryError(error, request.subject, request.signal, deadline.signal);
    } finally {
      timer.cancel();
    }
  }

  async #follow(request: TransportRequest): Promise<TransportResponse> {
    let current = request;
    for (let hops = 0; ; hops++) {
      const response = await this.#exchange(current);
      const location = REDIRECTS.has(response.status) ? response.headers.get('location') : undefined;
      if (location === undefined || current.method === 'POST') return response;
      if (hops === MAX_REDIRECTS) {
        throw new RegistryError(`${request.subject.action}: more than ${MAX_REDIRECTS} redirects`, {
          ...request.subject,
          code: 'INVALID_RESPONSE',
        });
      }
      current = redirect(current, location);
    }
  }

  async #exchange(request: TransportRequest): Promise<TransportResponse> {
    const { method, url, meter } = request;
    meter.requests++;
    if (method === 'HEAD') meter.headRequests++;
    const started = this.#clock.monotonic();
    let response: TransportResponse | undefined;
    try {
      response = await this.#dispatch(request);
      return response;
    } finally {
      this.#settings.observe?.({
        host: url.host,
        method,
        status: response?.status,
        durationMs: this.#clock.monotonic() - started,
        remaining: response && rateLimit(response.headers, this.#clock.now())?.remaining,
      });
    }
  }

  async #dispatch(request: TransportRequest): Promise<TransportResponse> {
    const { method, url, authorization } = request;
    const answer = await this.#connections.get(request.access, request.target, url.hostname).request({
      origin: url.origin,
      path: url.pathname + url.search,
      method,
      headers: {
        ...request.headers,
        'user-agent': this.#settings.userAgent,
        ...(authorization !== undefined && { authorization }),
      },
      body: request.body ?? null,
      signal: request.signal,
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    const headers = readHeaders(answer.headers);
    const body = await decode(await readBody(answer.body, request), headers, request);
    return { status: answer.statusCode, headers, url, body };
  }
}

/** The request after a redirect: credentials stay behind unless the origin is the same. */
function redirect(request: TransportRequest, location: string): TransportRequest {
  const url = URL.canParse(location, request.url.href) ? new URL(location, request.url) : undefined;
  const refuse = (why: string): never => {
    throw new RegistryError(`${request.subject.action}: a redirect ${why}`, {
      ...request.subject,
      code: 'POLICY_REFUSED',
    });
  };
  if (url === undefined) return refuse('leads to no URL');
  if (url.username !== '' || url.password !== '') return refuse('carries user information');
  if (url.protocol !== 'https:' && !isPlainAllowed(url, request.url, request.access.plainHTTP)) {
    return refuse(`leads to ${url.protocol.slice(0, 8)}//${url.host}`);
  }
  if (url.origin === request.url.origin) return { ...request, url };
  const pointedAtBy = request.target.kind === 'foreign' ? request.target.pointedAtBy : request.url.hostname;
  return { ...request, url, authorization: undefined, target: { kind: 'foreign', pointedAtBy } };
}

function readHeaders(headers: Readonly<Record<string, string | string[] | undefined>>): ResponseHeaders {
  const result = new Map<string, string>();
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) result.set(name.toLowerCase(), Array.isArray(value) ? value.join(', ') : value);
  }
  return result;
}

/** Some servers compress unasked; what comes out is bounded like what came in. */
async function decode(
  body: Buffer,
  headers: ResponseHeaders,
  { subject, maxBytes }: TransportRequest,
): Promise<Buffer> {
  const encoding = headers.get('content-encoding')?.trim().toLowerCase() ?? '';
  if (encoding === '' || encoding === 'identity' || body.length === 0) return body;
  try {
    if (encoding === 'gzip') return await unzip(body, { maxOutputLength: maxBytes });
  } catch {
    // Broken, or larger than allowed.
  }
  throw new RegistryError(`${subject.action}: the compressed answer cannot be read`, {
    ...subject,
    code: 'INVALID_RESPONSE',
  });
}

async function readBody(body: Dispatcher.ResponseData['body'], request: TransportRequest): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > request.maxBytes) {
      body.destroy();
      throw new RegistryError(
        `${request.subject.action}: the answer is longer than ${request.maxBytes} bytes`,
        {
          ...request.subject,
          code: 'INVALID_RESPONSE',
        },
      );
    }
    chunks.push(chunk);
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, length);
}
