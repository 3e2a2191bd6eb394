/** Writes small images to a registry through its HTTP API, as a build pipeline would. */

import { createHash } from 'node:crypto';
import { buildLayer, type LayerFile } from './image-layer.ts';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';
const CONFIG = 'application/vnd.oci.image.config.v1+json';
const LAYER = 'application/vnd.oci.image.layer.v1.tar';

export interface ImageContent {
  /** Different content gives a different digest. */
  readonly seed: string;
  /** `os/architecture`; more than one makes an index. Default: linux/amd64 only, as a plain manifest. */
  readonly platforms?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  /** Files of each layer; default: one layer with one small file that holds the seed. */
  readonly layers?: readonly (readonly LayerFile[])[];
  /** More of the image configuration's `config`: User, Volumes, WorkingDir, Entrypoint, Env. */
  readonly config?: Readonly<Record<string, unknown>>;
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

export interface WriterCredentials {
  readonly username: string;
  readonly password: string;
}

/** The repository `name` of the registry at `host` (plain HTTP). */
export class ImageWriter {
  readonly #base: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(host: string, name: string, credentials?: WriterCredentials) {
    this.#base = `http://${host}/v2/${name}`;
    const pair = `${credentials?.username ?? ''}:${credentials?.password ?? ''}`;
    const authorization = `Basic ${Buffer.from(pair).toString('base64')}`;
    this.#headers = credentials === undefined ? {} : { authorization };
  }

  /** Pushes the image and points all `tags` to it; returns its digest. */
  async push(content: ImageContent, tags: readonly string[]): Promise<string> {
    const platforms = content.platforms ?? ['linux/amd64'];
    const manifests = await Promise.all(platforms.map((platform) => this.#manifest(content, platform)));
    const [only] = manifests;
    if (manifests.length === 1 && only !== undefined) return this.#putManifest(MANIFEST, only.body, tags);
    const descriptors: (Descriptor & { platform: object })[] = [];
    for (const { body, platform } of manifests) {
      const digest = await this.#putManifest(MANIFEST, body, []);
      descriptors.push({ mediaType: MANIFEST, digest, size: body.length, platform });
    }
    const index = { schemaVersion: 2, mediaType: INDEX, manifests: descriptors };
    return this.#putManifest(INDEX, Buffer.from(JSON.stringify(index)), tags);
  }

  /** Points `tag` to a manifest that is already there. */
  async tag(digest: string, tag: string): Promise<void> {
    const response = await this.#expect(200, `${this.#base}/manifests/${digest}`, {
      headers: { accept: `${MANIFEST}, ${INDEX}` },
    });
    const mediaType = response.headers.get('content-type') ?? MANIFEST;
    await this.#putManifest(mediaType, Buffer.from(await response.arrayBuffer()), [tag]);
  }

  async #manifest(content: ImageContent, platform: string): Promise<{ body: Buffer; platform: object }> {
    const [os = 'linux', architecture = 'amd64'] = platform.split('/');
    const seed = { path: 'seed', content: Buffer.from(`${content.seed} ${platform}`) };
    const layers: Descriptor[] = [];
    for (const files of content.layers ?? [[seed]]) {
      layers.push(await this.#putBlob(LAYER, buildLayer(files)));
    }
    const config = {
      os,
      architecture,
      config: { Labels: content.labels ?? {}, ...content.config },
      rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
    };
    const manifest = {
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: await this.#putBlob(CONFIG, Buffer.from(JSON.stringify(config))),
      layers,
    };
    return { body: Buffer.from(JSON.stringify(manifest)), platform: { os, architecture } };
  }

  async #putBlob(mediaType: string, body: Buffer): Promise<Descriptor> {
    const digest = digestOf(body);
    const start = await this.#expect(202, `${this.#base}/blobs/uploads/`, { method: 'POST' });
    const location = new URL(start.headers.get('location') ?? '', this.#base);
    location.searchParams.set('digest', digest);
    const headers = { 'content-type': 'application/octet-stream' };
    await this.#expect(201, location.href, { method: 'PUT', body: new Uint8Array(body), headers });
    return { mediaType, digest, size: body.length };
  }

  async #putManifest(mediaType: string, body: Buffer, tags: readonly string[]): Promise<string> {
    const digest = digestOf(body);
    for (const name of tags.length === 0 ? [digest] : tags) {
      const headers = { 'content-type': mediaType };
      await this.#expect(201, `${this.#base}/manifests/${name}`, {
        method: 'PUT',
        body: new Uint8Array(body),
        headers,
      });
    }
    return digest;
  }

  async #expect(status: number, url: string, init: WriterRequest): Promise<Response> {
    const response = await fetch(url, { ...init, headers: { ...this.#headers, ...init.headers } });
    if (response.status === status) return response;
    throw new Error(`${init.method ?? 'GET'} ${url}: HTTP ${response.status} ${await response.text()}`);
  }
}

interface WriterRequest extends RequestInit {
  readonly headers?: Readonly<Record<string, string>>;
}

function digestOf(body: Buffer): string {
  return `sha256:${createHash('sha256').update(body).digest('hex')}`;
}
