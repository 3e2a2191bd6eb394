/**
 * A scriptable Kubernetes API server: real TLS, real sockets, real watches, and faults on demand. Objects follow the
 * rules of the real server as far as the runtime depends on them; `store.put` arranges the world past all rules.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { type AddressInfo, Socket } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';
import type { Clock } from '../../src/clock.ts';
import { KubeClient } from '../../src/kube/client.ts';
import { KubeConfigCredentials } from '../../src/kube/credentials.ts';
import { Transport, type TransportOptions } from '../../src/kube/transport.ts';
import { type Authority, createAuthority, issueCertificate } from './certificate.ts';
import {
  FakeApiStore,
  type HistoryEntry,
  type Json,
  keyText,
  Refusal,
  type ResourceRef,
  refText,
  type StoredObject,
} from './fake-api-store.ts';

/** A request as the log and fault matchers see it. */
export interface SeenRequest {
  /** HTTP method. */
  readonly method: string;
  /** Path without query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** list, watch, get, create, update, patch, apply or delete. */
  readonly verb: string;
  readonly plural: string;
  readonly headers: IncomingMessage['headers'];
}

/** What happens instead of, or around, the proper answer. */
export type FaultAction =
  | {
      readonly kind: 'status';
      readonly code: number;
      readonly reason?: string;
      readonly retryAfter?: number;
      readonly message?: string;
    }
  /** The connection is cut before anything is done. */
  | { readonly kind: 'reset' }
  /** Everything is done, but the answer is lost. */
  | { readonly kind: 'lose-answer' }
  /** No answer, ever. */
  | { readonly kind: 'hang' }
  /** Half of the JSON, then the connection is cut. */
  | { readonly kind: 'truncate' }
  /** This text with status 200 instead of JSON. */
  | { readonly kind: 'text'; readonly text: string }
  /** The proper answer once the promise resolves. */
  | { readonly kind: 'wait'; readonly until: Promise<unknown> };

export interface Fault {
  readonly when: (request: SeenRequest) => boolean;
  readonly action: FaultAction;
  /** How often; default once. */
  readonly times?: number;
}

export interface FakeApiServerOptions {
  /** Accepted bearer tokens; absent: everybody is welcome. */
  readonly tokens?: Set<string>;
  /** Asks for client certificates and refuses requests without one. */
  readonly requireClientCertificate?: boolean;
}

/** One open watch. */
export class OpenWatch {
  readonly request: SeenRequest;
  readonly #response: ServerResponse;
  readonly #held: string[] = [];
  #isFrozen = false;

  constructor(request: SeenRequest, response: ServerResponse) {
    this.request = request;
    this.#response = response;
  }

  /** Sends any line, as raw as a test wants it. */
  send(line: string): void {
    if (this.#isFrozen) this.#held.push(line);
    // After the end and before the connection is closed, an event is for the watch that follows.
    else if (!this.#response.writableEnded) this.#response.write(line);
  }

  event(type: string, object: unknown): void {
    this.send(`${JSON.stringify({ type, object })}\n`);
  }

  bookmark(version: string | number): void {
    this.event('BOOKMARK', { kind: 'Bookmark', metadata: { resourceVersion: String(version) } });
  }

  error(code: number, reason: string): void {
    this.event('ERROR', {
      kind: 'Status',
      status: 'Failure',
      code,
      reason,
      message: `watch error ${reason}`,
    });
  }

  /** Orderly end, as after timeoutSeconds. */
  end(): void {
    this.#response.end();
  }

  reset(): void {
    cut(this.#response);
  }

  /** Keeps the connection open and says nothing more. */
  freeze(): void {
    this.#isFrozen = true;
  }

  thaw(): void {
    this.#isFrozen = false;
    for (const line of this.#held.splice(0)) this.send(line);
  }
}

interface ParsedPath {
  readonly ref: ResourceRef;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
}

interface Snapshot {
  readonly version: number;
  readonly rest: readonly StoredObject[];
}

export class FakeApiServer {
  readonly store = new FakeApiStore();
  readonly requests: SeenRequest[] = [];
  /** What a mutating webhook makes of objects that are created. */
  admit: (object: Json) => Json = (object) => object;
  readonly #options: FakeApiServerOptions;
  readonly #faults: { fault: Fault; left: number }[] = [];
  readonly #watches = new Set<OpenWatch>();
  /** TCP connections, those still in their TLS handshake too: `down` would wait for one it has missed. */
  readonly #sockets = new Set<Socket>();
  readonly #snapshots = new Map<string, Snapshot>();
  #authority: Authority;
  #server: Server;
  #port = 0;
  #connections = 0;
  #isFrozen = false;
  readonly #frozen: (() => void)[] = [];

  private constructor(options: FakeApiServerOptions) {
    this.#options = options;
    this.#authority = createAuthority();
    this.#server = this.#build();
  }

  static async start(options: FakeApiServerOptions = {}): Promise<FakeApiServer> {
    const server = new FakeApiServer(options);
    await server.#listen();
    return server;
  }

  get url(): string {
    return `https://127.0.0.1:${this.#port}`;
  }

  get authority(): Authority {
    return this.#authority;
  }

  /** Watches open now, oldest first. */
  get watches(): readonly OpenWatch[] {
    return [...this.#watches];
  }

  /** Connections open now. */
  get openConnections(): number {
    return this.#sockets.size;
  }

  /** TLS connections accepted since the start. */
  get connections(): number {
    return this.#connections;
  }

  /** How many requests of this verb (and resource) have come in. */
  count(verb: string, plural?: string): number {
    return this.requests.filter(
      (each) => each.verb === verb && (plural === undefined || each.plural === plural),
    ).length;
  }

  /** Scripts a fault; the first one that matches a request is used. */
  fail(fault: Fault): void {
    this.#faults.push({ fault, left: fault.times ?? 1 });
  }

  /** Somebody else changes the object right before our next status write. */
  refuseStatus(): void {
    this.fail({
      when: ({ verb, path }) => verb === 'apply' && path.endsWith('/status'),
      action: { kind: 'status', code: 409, reason: 'Conflict' },
    });
  }

  clearFaults(): void {
    this.#faults.length = 0;
  }

  /** A kubeconfig for this server. `user` holds the credentials; default: token `test`. */
  kubeConfig(user: Readonly<Record<string, unknown>> = { token: 'test' }): KubeConfig {
    const config = new KubeConfig();
    config.loadFromOptions({
      clusters: [
        { name: 'fake', server: this.url, caData: base64(this.#authority.certificate), skipTLSVerify: false },
      ],
      users: [{ name: 'user', ...user }],
      contexts: [{ name: 'fake', cluster: 'fake', user: 'user', namespace: 'default' }],
      currentContext: 'fake',
    });
    return config;
  }

  /** A transport and client to this server. Close the transport at the end of the test. */
  connect(
    clock: Clock,
    options: Partial<TransportOptions> & {
      readonly config?: () => KubeConfig;
    } = {},
  ): {
    readonly transport: Transport;
    readonly client: KubeClient;
    readonly credentials: KubeConfigCredentials;
  } {
    const credentials = new KubeConfigCredentials(clock, options.config ?? (() => this.kubeConfig()));
    const transport = new Transport({
      clock,
      credentials,
      userAgent: 'larder/test',
      rate: { qps: 100_000, burst: 100_000 },
      random: () => 0.5,
      ...options,
    });
    return { transport, client: new KubeClient({ transport, fieldManager: 'larder' }), credentials };
  }

  /** Cuts every connection at once, as a crash does. The server keeps listening. */
  resetConnections(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** Answers nothing and sends nothing, but keeps every connection open, as under SIGSTOP. */
  freeze(): void {
    this.#isFrozen = true;
    for (const watch of this.#watches) watch.freeze();
  }

  thaw(): void {
    this.#isFrozen = false;
    for (const watch of this.#watches) watch.thaw();
    for (const go of this.#frozen.splice(0)) go();
  }

  /** Down: connections are refused until `up`. Objects survive. */
  async down(): Promise<void> {
    this.resetConnections();
    await new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
    });
  }

  async up(): Promise<void> {
    this.#server = this.#build();
    await this.#listen();
  }

  /** A new authority and a new certificate; clients that trust only the old one cannot connect any more. */
  rotateCertificates(): void {
    this.#authority = createAuthority('second authority');
    const { certificate, key } = issueCertificate(this.#authority, 'kube-apiserver');
    this.#server.setSecureContext({ cert: certificate, key, ca: this.#authority.certificate });
    this.resetConnections();
  }

  async close(): Promise<void> {
    this.thaw();
    await this.down();
  }

  #build(): Server {
    const { certificate, key } = issueCertificate(this.#authority, 'kube-apiserver');
    const server = createServer(
      {
        cert: certificate,
        key,
        ca: this.#authority.certificate,
        requestCert: this.#options.requireClientCertificate === true,
        rejectUnauthorized: false,
        keepAliveTimeout: 90_000,
      },
      (request, response) => {
        this.#receive(request, response).catch((error: unknown) => {
          this.#refuse(response, error);
        });
      },
    );
    server.on('connection', (socket) => {
      if (!(socket instanceof Socket)) return;
      const port = socket.remotePort;
      tcpSockets.set(port, socket);
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => {
        tcpSockets.delete(port);
        this.#sockets.delete(socket);
      });
    });
    server.on('secureConnection', (socket) => {
      this.#connections += 1;
      socket.on('error', () => undefined);
    });
    server.on('tlsClientError', () => undefined);
    return server;
  }

  #listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#port, '127.0.0.1', () => {
        this.#port = (this.#server.address() as AddressInfo).port;
        resolve();
      });
    });
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url);
    const path = parsePath(url.pathname);
    const seen: SeenRequest = {
      method: request.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      verb: verbOf(request, url, path),
      plural: path.ref.plural,
      headers: request.headers,
    };
    this.requests.push(seen);
    const body = await readBody(request);
    if (this.#isFrozen) await new Promise<void>((resolve) => this.#frozen.push(resolve));
    this.#authenticate(request);
    const action = this.#nextFault(seen);
    if (action === undefined) this.#answer(seen, path, body, response);
    else await this.#misbehave(action, { seen, path, body, response });
  }

  #authenticate(request: IncomingMessage): void {
    const { tokens, requireClientCertificate } = this.#options;
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    const socket = request.socket as unknown as { readonly authorized: boolean };
    if (
      (tokens !== undefined && !tokens.has(token)) ||
      (requireClientCertificate === true && !socket.authorized)
    ) {
      throw new Refusal(401, 'Unauthorized', 'Unauthorized');
    }
  }

  #nextFault(seen: SeenRequest): FaultAction | undefined {
    const index = this.#faults.findIndex(({ fault }) => fault.when(seen));
    const entry = this.#faults[index];
    if (entry === undefined) return undefined;
    entry.left -= 1;
    if (entry.left <= 0) this.#faults.splice(index, 1);
    return entry.fault.action;
  }

  async #misbehave(action: FaultAction, call: Call): Promise<void> {
    const { response } = call;
    switch (action.kind) {
      case 'status':
        if (action.retryAfter !== undefined) response.setHeader('retry-after', String(action.retryAfter));
        sendStatus(response, refusalOf(action));
        break;
      case 'reset':
        cut(response);
        break;
      case 'lose-answer':
        this.#perform(call.seen, call.path, call.body);
        cut(response);
        break;
      case 'hang':
        break;
      case 'truncate':
        sendHalf(response, JSON.stringify(this.#perform(call.seen, call.path, call.body).body));
        break;
      case 'text':
        response.writeHead(200, { 'content-type': 'text/html' }).end(action.text);
        break;
      case 'wait':
        await action.until;
        this.#answer(call.seen, call.path, call.body, response);
        break;
    }
  }

  #answer(seen: SeenRequest, path: ParsedPath, body: string, response: ServerResponse): void {
    if (seen.verb === 'watch') {
      this.#watch(seen, path, response);
      return;
    }
    const { code, body: answer } = this.#perform(seen, path, body);
    response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  }

  #perform(
    seen: SeenRequest,
    path: ParsedPath,
    text: string,
  ): { readonly code: number; readonly body: unknown } {
    const { ref, namespace, name = '' } = path;
    const key = keyText(namespace, name);
    switch (seen.verb) {
      case 'list':
        return { code: 200, body: this.#list(seen, path) };
      case 'get':
        return { code: 200, body: this.store.get(ref, key) };
      case 'create':
        return { code: 201, body: this.store.create(ref, namespace, this.admit(parseBody(text) as Json)) };
      case 'delete':
        return { code: 200, body: this.store.delete(ref, key, text === '' ? {} : (parseBody(text) as Json)) };
      default:
        return { code: 200, body: this.#change(seen, path, parseBody(text)) };
    }
  }

  #change(
    seen: SeenRequest,
    { ref, namespace, name = '', subresource }: ParsedPath,
    body: unknown,
  ): StoredObject {
    const key = keyText(namespace, name);
    if (seen.verb === 'update') return this.store.replace(ref, key, body as Json, subresource);
    if (seen.verb === 'apply') {
      const force = seen.query.get('force') === 'true';
      const manager = seen.query.get('fieldManager') ?? '';
      return this.store.apply(ref, namespace, body as Json, { manager, force, subresource });
    }
    return Array.isArray(body)
      ? this.store.jsonPatch(ref, key, body as Json[], subresource)
      : this.store.mergePatch(ref, key, body as Json, subresource);
  }

  #list(seen: SeenRequest, path: ParsedPath): unknown {
    const limit = Number(seen.query.get('limit') ?? '0');
    const token = seen.query.get('continue');
    const snapshot = token === null ? this.#snapshot(seen, path) : this.#snapshots.get(token);
    if (snapshot === undefined || (token !== null && snapshot.version < this.store.compacted)) {
      throw new Refusal(410, 'Expired', 'The provided continue parameter is too old');
    }
    const page = limit === 0 ? snapshot.rest : snapshot.rest.slice(0, limit);
    const rest = snapshot.rest.slice(page.length);
    const metadata: Json = { resourceVersion: String(snapshot.version) };
    if (rest.length > 0) {
      const next = `token-${this.#snapshots.size}`;
      this.#snapshots.set(next, { version: snapshot.version, rest });
      metadata['continue'] = next;
      metadata['remainingItemCount'] = rest.length;
    }
    const isMetadataOnly = seen.headers.accept?.includes('as=PartialObjectMetadataList') === true;
    const items = isMetadataOnly ? page.map((object) => ({ metadata: object.metadata })) : page;
    return { kind: 'List', apiVersion: 'v1', metadata, items };
  }

  #snapshot(seen: SeenRequest, path: ParsedPath): Snapshot {
    return {
      version: this.store.version,
      rest: this.store.list(path.ref).filter((each) => isSelected(each, seen, path)),
    };
  }

  #watch(seen: SeenRequest, path: ParsedPath, response: ServerResponse): void {
    const since = Number(seen.query.get('resourceVersion') ?? '0');
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    const watch = new OpenWatch(seen, response);
    if (since < this.store.compacted) {
      watch.error(410, 'Expired');
      watch.end();
      return;
    }
    if (response.closed || response.destroyed) return;
    this.#watches.add(watch);
    const forward = (entry: HistoryEntry): void => {
      if (entry.resource === refText(path.ref)) deliver(watch, entry, seen, path);
    };
    for (const entry of this.store.historySince(since)) forward(entry);
    const leave = this.store.onChange(forward);
    response.once('close', () => {
      leave();
      this.#watches.delete(watch);
    });
  }

  #refuse(response: ServerResponse, error: unknown): void {
    if (error instanceof Refusal) sendStatus(response, error);
    else sendStatus(response, new Refusal(500, 'InternalError', String(error)));
  }
}

function refusalOf({
  code,
  reason = '',
  message = 'scripted fault',
}: FaultAction & { kind: 'status' }): Refusal {
  return new Refusal(code, reason, message);
}

/** The TCP socket below each TLS socket, by the port of the other side: only it can send a reset. */
const tcpSockets = new Map<number | undefined, Socket>();

function reset(socket: Socket | null): void {
  const tcp = tcpSockets.get(socket?.remotePort);
  if (tcp === undefined) socket?.destroy();
  else tcp.resetAndDestroy();
}

function cut(response: ServerResponse): void {
  reset(response.socket);
}

function sendHalf(response: ServerResponse, text: string): void {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': String(text.length) });
  response.write(text.slice(0, text.length / 2), () => {
    response.socket?.destroy();
  });
}

interface Call {
  readonly seen: SeenRequest;
  readonly path: ParsedPath;
  readonly body: string;
  readonly response: ServerResponse;
}

/** An object that enters or leaves the selection is added or deleted as far as this watch is concerned. */
function deliver(watch: OpenWatch, entry: HistoryEntry, seen: SeenRequest, path: ParsedPath): void {
  const before = entry.old !== undefined && isSelected(entry.old, seen, path);
  const after = entry.type !== 'DELETED' && isSelected(entry.object, seen, path);
  if (after) watch.event(before ? 'MODIFIED' : 'ADDED', entry.object);
  else if (before) watch.event('DELETED', entry.object);
}

function isSelected(object: StoredObject, seen: SeenRequest, path: ParsedPath): boolean {
  if (path.namespace !== undefined && object.metadata.namespace !== path.namespace) return false;
  const labels = (object.metadata['labels'] ?? {}) as Json;
  return (
    terms(seen.query.get('labelSelector')).every(
      (term) => (labels[term.key] === term.value) === term.equal,
    ) &&
    terms(seen.query.get('fieldSelector')).every(
      (term) => (fieldOf(object, term.key) === term.value) === term.equal,
    )
  );
}

interface Term {
  readonly key: string;
  readonly value: string;
  /** False for `!=`. */
  readonly equal: boolean;
}

/** Equality terms only. */
function terms(selector: string | null): readonly Term[] {
  if (selector === null) return [];
  return selector.split(',').map((term) => {
    const [key = '', value = ''] = term.split(/!?=/);
    return { key, value, equal: !term.includes('!=') };
  });
}

function fieldOf(object: Json, path: string): unknown {
  return path.split('.').reduce<unknown>((value, part) => (value as Json | undefined)?.[part], object);
}

function parsePath(pathname: string): ParsedPath {
  const parts = pathname.split('/').slice(1).map(decodeURIComponent);
  const [group, version, rest] =
    parts[0] === 'api'
      ? ['', parts[1] ?? '', parts.slice(2)]
      : [parts[1] ?? '', parts[2] ?? '', parts.slice(3)];
  const isNamespaced = rest[0] === 'namespaces' && rest.length > 2;
  const [plural = '', name, subresource] = isNamespaced ? rest.slice(2) : rest;
  return {
    ref: { group, version, plural },
    namespace: isNamespaced ? rest[1] : undefined,
    name,
    subresource,
  };
}

function verbOf(request: IncomingMessage, url: URL, path: ParsedPath): string {
  switch (request.method ?? '') {
    case 'GET':
      if (url.searchParams.get('watch') === 'true') return 'watch';
      return path.name === undefined ? 'list' : 'get';
    case 'POST':
      return 'create';
    case 'PUT':
      return 'update';
    case 'PATCH':
      return request.headers['content-type']?.startsWith('application/apply-patch') === true
        ? 'apply'
        : 'patch';
    default:
      return 'delete';
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function parseBody(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new Refusal(400, 'BadRequest', 'body is not JSON');
  }
}

function sendStatus(response: ServerResponse, refusal: Refusal): void {
  const { code, reason, message, details } = refusal;
  const body = {
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    message,
    ...(reason === '' ? {} : { reason }),
    code,
    details,
  };
  response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
