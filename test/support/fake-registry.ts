/** A registry in this process, over real HTTP: content, token service, paging styles, faults as switches, request log. */

import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { OCI_INDEX, OCI_MANIFEST } from '../../src/registry/media-types.ts';
import { FakeAuthentication, type FakeAuthenticationOptions } from './registry-authentication.ts';
import { type LoggedRequest, sendError, sendJSON } from './registry-exchange.ts';
import { formatLink, type PagingStyle } from './registry-paging.ts';

/** Takes over the answer to a request by returning true. */
export type Intercept = (request: LoggedRequest, response: ServerResponse) => boolean | undefined;

export interface FakeRegistryOptions extends FakeAuthenticationOptions {
  readonly tls?: {
    readonly cert: string;
    readonly key: string;
    readonly ca?: string;
    readonly requestCert?: boolean;
  };
  readonly host?: string;
}

interface StoredManifest {
  readonly mediaType: string;
  readonly body: Buffer;
}

interface StoredRepository {
  /** In listing order. */
  tags: unknown[];
  readonly byTag: Map<string, string>;
  readonly manifests: Map<string, StoredManifest>;
  readonly blobs: Map<string, Buffer>;
}

export class FakeRegistry implements AsyncDisposable {
  readonly log: LoggedRequest[] = [];
  /** host:port */
  host = '';
  /** scheme://host:port */
  url = '';
  paging: PagingStyle = 'relative';
  /** Largest page, whatever `n` says. */
  maxPage = 1000;
  digestHeader = true;
  etags = false;
  intercept: Intercept | undefined;
  readonly #options: FakeRegistryOptions;
  readonly #repositories = new Map<string, StoredRepository>();
  /** Who may read what; its switches are the registry's. */
  readonly auth: FakeAuthentication;
  #server: Server | undefined;

  constructor(options: FakeRegistryOptions = {}) {
    this.#options = options;
    this.auth = new FakeAuthentication(options);
  }

  static async start(options: FakeRegistryOptions = {}): Promise<FakeRegistry> {
    const registry = new FakeRegistry(options);
    await registry.#listen();
    return registry;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }

  /** Requests to the API, without those to the token service. */
  get apiRequests(): readonly LoggedRequest[] {
    return this.log.filter(({ path }) => path.startsWith('/v2/'));
  }

  get tokenRequests(): readonly LoggedRequest[] {
    return this.log.filter(({ path }) => path === '/token');
  }

  setTags(repository: string, tags: readonly unknown[]): void {
    this.#repository(repository).tags = [...tags];
  }

  putBlob(repository: string, content: Buffer | string): { digest: string; size: number } {
    const body = Buffer.from(content);
    const digest = sha256(body);
    this.#repository(repository).blobs.set(digest, body);
    return { digest, size: body.length };
  }

  /** Stores any bytes as a manifest; under a tag if one is given. */
  putManifest(repository: string, manifest: unknown, mediaType: string, tag?: string): string {
    const body = Buffer.isBuffer(manifest) ? manifest : Buffer.from(JSON.stringify(manifest));
    const digest = sha256(body);
    const stored = this.#repository(repository);
    stored.manifests.set(digest, { mediaType, body });
    if (tag !== undefined) {
      if (!stored.byTag.has(tag)) stored.tags.push(tag);
      stored.byTag.set(tag, digest);
    }
    return digest;
  }

  deleteManifest(repository: string, digest: string): void {
    this.#repository(repository).manifests.delete(digest);
  }

  /** An image of one platform; `seed` makes different contents. */
  putImage(repository: string, tag: string | undefined, options: ImageOptions = {}): string {
    const { seed = tag ?? '', layerSize = 1000, mediaType = OCI_MANIFEST } = options;
    const { os = 'linux', architecture = 'amd64', variant, labels = {} } = options;
    const config = JSON.stringify({
      os,
      architecture,
      ...(variant && { variant }),
      config: { Labels: labels },
      seed,
    });
    const blob = this.putBlob(repository, config);
    const layer = {
      mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
      digest: sha256(Buffer.from(`layer ${seed}`)),
    };
    const manifest = {
      schemaVersion: 2,
      mediaType,
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...blob },
      layers: [{ ...layer, size: layerSize }],
    };
    return this.putManifest(repository, manifest, mediaType, tag);
  }

  /** An index of images, each put first; attestations as BuildKit adds them on request. */
  putIndex(repository: string, tag: string | undefined, options: IndexOptions): string {
    const { platforms, attestations = false, mediaType = OCI_INDEX, seed = tag ?? '' } = options;
    const manifests: unknown[] = platforms.map((platform) => {
      const digest = this.putImage(repository, undefined, {
        ...platform,
        seed: `${seed} ${JSON.stringify(platform)}`,
      });
      const { os = 'linux', architecture = 'amd64', variant } = platform;
      return {
        mediaType: OCI_MANIFEST,
        digest,
        size: 500,
        platform: { os, architecture, ...(variant && { variant }) },
      };
    });
    if (attestations) {
      manifests.push({
        mediaType: OCI_MANIFEST,
        digest: sha256(Buffer.from(`attestation ${seed}`)),
        size: 500,
        platform: { os: 'unknown', architecture: 'unknown' },
        annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
      });
    }
    return this.putManifest(repository, { schemaVersion: 2, mediaType, manifests }, mediaType, tag);
  }

  #repository(name: string): StoredRepository {
    const known = this.#repositories.get(name);
    if (known !== undefined) return known;
    const created = { tags: [], byTag: new Map<string, string>(), manifests: new Map(), blobs: new Map() };
    this.#repositories.set(name, created);
    return created;
  }

  async #listen(): Promise<void> {
    const { tls, host = '127.0.0.1' } = this.#options;
    const listener = (request: IncomingMessage, response: ServerResponse): void => {
      void this.#receive(request, response);
    };
    const server = tls === undefined ? createServer(listener) : createTlsServer({ ...tls }, listener);
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(0, host, resolve));
    this.host = `${host}:${(server.address() as AddressInfo).port}`;
    this.url = `${tls === undefined ? 'http' : 'https'}://${this.host}`;
    this.auth.realm = `${this.url}/token`;
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const logged: LoggedRequest = {
      method: request.method ?? '',
      path: decodeURIComponent(url.pathname),
      query: url.searchParams,
      authorization: request.headers.authorization,
      headers: request.headers,
      body: Buffer.concat(chunks).toString('utf8'),
    };
    this.log.push(logged);
    if (this.intercept?.(logged, response) === true) return;
    if (logged.path === '/token') this.auth.issueToken(logged, response);
    else this.#serve(logged, response);
  }

  #serve(request: LoggedRequest, response: ServerResponse): void {
    const match = /^\/v2\/(?:(.+)\/(tags\/list|manifests\/[^/]+|blobs\/[^/]+))?$/.exec(request.path);
    if (match === null) {
      sendError(response, 404, 'NOT_FOUND');
      return;
    }
    const [, repository = '', rest = ''] = match;
    if (!this.auth.isAuthorized(request, repository, response)) return;
    if (rest === '') sendJSON(response, 200, {});
    else this.#serveRepository(request, response, repository, rest);
  }

  #serveRepository(request: LoggedRequest, response: ServerResponse, repository: string, rest: string): void {
    const stored = this.#repositories.get(repository);
    const [kind = '', identifier = ''] = rest.split('/');
    if (stored === undefined) sendError(response, 404, 'NAME_UNKNOWN');
    else if (kind === 'tags') this.#sendTags(request, response, repository, stored);
    else if (kind === 'manifests') this.#sendManifest(request, response, stored, identifier);
    else sendBlob(response, stored.blobs.get(identifier));
  }

  #sendTags(
    request: LoggedRequest,
    response: ServerResponse,
    name: string,
    { tags }: StoredRepository,
  ): void {
    const asked = Number(request.query.get('n') ?? tags.length);
    const size = Math.min(asked, this.maxPage);
    const last = request.query.get('last');
    const start = last === null ? 0 : tags.findIndex((tag) => String(tag) === last) + 1;
    const page = tags.slice(start, start + size);
    const isLast = start + size >= tags.length;
    if (!isLast) {
      const link = formatLink(this.paging, { base: this.url, name, size, last: String(page.at(-1)) });
      if (link !== undefined) response.setHeader('link', link);
    }
    const body = JSON.stringify({ name, tags: page });
    const etag = `"${createHash('md5').update(body).digest('hex')}"`;
    if (this.etags) response.setHeader('etag', etag);
    if (this.etags && request.headers['if-none-match'] === etag) response.writeHead(304).end();
    else response.writeHead(200, { 'content-type': 'application/json' }).end(body);
  }

  #sendManifest(
    request: LoggedRequest,
    response: ServerResponse,
    stored: StoredRepository,
    identifier: string,
  ): void {
    const digest = stored.byTag.get(identifier) ?? identifier;
    const manifest = stored.manifests.get(digest);
    if (manifest === undefined) {
      sendError(response, 404, 'MANIFEST_UNKNOWN');
      return;
    }
    response.setHeader('content-type', manifest.mediaType);
    response.setHeader('content-length', manifest.body.length);
    if (this.digestHeader) response.setHeader('docker-content-digest', digest);
    response.writeHead(200).end(request.method === 'HEAD' ? undefined : manifest.body);
  }
}

export interface ImageOptions {
  readonly os?: string;
  readonly architecture?: string;
  readonly variant?: string;
  readonly labels?: Readonly<Record<string, unknown>>;
  readonly layerSize?: number;
  readonly seed?: string;
  readonly mediaType?: string;
}

export interface IndexOptions {
  readonly platforms: readonly ImageOptions[];
  readonly attestations?: boolean;
  readonly mediaType?: string;
  readonly seed?: string;
}

export function sha256(content: Buffer | string): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

function sendBlob(response: ServerResponse, blob: Buffer | undefined): void {
  if (blob === undefined) sendError(response, 404, 'BLOB_UNKNOWN');
  else
    response
      .writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': blob.length })
      .end(blob);
}
