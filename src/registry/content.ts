/** Fetches manifests and blobs with their digests proved, and remembers what can never change. */

import { type Digest, isValidDigest } from '../domain/digest.ts';
import type { Repository } from '../domain/reference.ts';
import type { RegistryAccess } from './access.ts';
import type { BoundedCache } from './bounded-cache.ts';
import { computeDigest, hasDigest } from './content-digest.ts';
import { apiURL, subjectOf } from './endpoint.ts';
import { RegistryError, type RegistryErrorCode } from './errors.ts';
import { type ManifestDocument, parseManifest } from './manifest.ts';
import { bareMediaType, MANIFEST_ACCEPT } from './media-types.ts';
import type { ScanMeter } from './meter.ts';
import type { Session } from './session.ts';
import type { TransportResponse } from './transport.ts';
import type { Subject } from './transport-errors.ts';

/** Whose view of which repository. */
export interface View {
  readonly repository: Repository;
  readonly access: RegistryAccess;
  /** Distinguishes views that must not share answers. */
  readonly key: string;
  readonly meter: ScanMeter;
  readonly signal: AbortSignal;
}

/** A manifest whose digest was proved; `digest` is that of the bytes as they came. */
export interface ManifestContent {
  readonly digest: Digest;
  readonly document: ManifestDocument;
}

/** What a HEAD tells; `size` is that of the manifest itself, in bytes. */
export interface HeadResult {
  readonly digest: Digest;
  /** Empty if the registry does not say. */
  readonly mediaType: string;
  readonly size?: number;
}

/** Registries refuse larger manifests on push (4 MiB by the specification). */
const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;

/** Reads by tag or digest. Everything throws RegistryError. */
export class ContentReader {
  readonly #session: Session;
  /** Manifests and blobs by digest. */
  readonly #facts: BoundedCache<ManifestContent | Buffer>;

  constructor(session: Session, facts: BoundedCache<ManifestContent | Buffer>) {
    this.#session = session;
    this.#facts = facts;
  }

  /** undefined if the registry answers HEAD without a digest, or knows no HEAD. */
  async head(view: View, identifier: string): Promise<HeadResult | undefined> {
    const subject = manifestSubject(view, identifier);
    const response = await this.#session.send({
      ...this.#call(view, subject, `manifests/${identifier}`),
      method: 'HEAD',
      accepts: [405, 501],
    });
    const digest = response.headers.get('docker-content-digest')?.trim() ?? '';
    if (response.status !== 200 || !isValidDigest(digest)) return undefined;
    if (isValidDigest(identifier) && identifier !== digest) {
      throw problem(subject, 'DIGEST_INVALID', 'the registry names another digest than was asked for');
    }
    const length = Number(response.headers.get('content-length') ?? Number.NaN);
    return {
      digest,
      mediaType: bareMediaType(response.headers.get('content-type')),
      ...(Number.isSafeInteger(length) && length > 0 && { size: length }),
    };
  }

  /** A manifest by tag or digest; by digest it is asked for only once. */
  async manifest(view: View, identifier: string): Promise<ManifestContent> {
    const known = this.#facts.get(`${view.key} ${identifier}`);
    if (known !== undefined && !Buffer.isBuffer(known)) return known;
    const subject = manifestSubject(view, identifier);
    const response = await this.#session.send(this.#call(view, subject, `manifests/${identifier}`));
    const contentType = response.headers.get('content-type') ?? '';
    const digest = proveDigest(response, identifier, subject);
    const document = parseManifest(response.body, contentType);
    if (!document.ok) throw problem(subject, document.error.code, document.error.message);
    const content = { digest, document: document.value };
    this.#facts.set(`${view.key} ${digest}`, content, response.body.length);
    return content;
  }

  /** The referrers of a digest as the registry lists them; undefined if it has no such API. */
  async referrers(view: View, digest: Digest): Promise<Buffer | undefined> {
    const subject = subjectOf('listing referrers of', view.repository, `@${digest}`);
    const call = this.#call(view, subject, `referrers/${digest}`);
    const { status, body } = await this.#session.send({ ...call, accepts: [400, 404, 405] });
    return status === 200 ? body : undefined;
  }

  /** The bytes under a tag, whatever they are. */
  async rawManifest(view: View, tag: string): Promise<Buffer> {
    return (await this.#session.send(this.#call(view, manifestSubject(view, tag), `manifests/${tag}`))).body;
  }

  /** A blob of at most `maxBytes`, its digest proved. */
  async blob(view: View, digest: Digest, maxBytes: number): Promise<Buffer> {
    const key = `${view.key} blob ${digest}`;
    const known = this.#facts.get(key);
    if (Buffer.isBuffer(known)) return known;
    const subject = subjectOf('reading a blob of', view.repository);
    const response = await this.#session.send({
      ...this.#call(view, subject, `blobs/${digest}`),
      headers: {},
      maxBytes,
      missing: 'BLOB_UNKNOWN',
    });
    if (!hasDigest(response.body, '', digest)) {
      throw problem(subject, 'DIGEST_INVALID', 'the content does not have the digest it was asked by');
    }
    this.#facts.set(key, response.body, response.body.length);
    return response.body;
  }

  #call(view: View, subject: Subject, path: string) {
    const { repository, access, meter, signal } = view;
    return {
      method: 'GET',
      url: apiURL(repository, access, path),
      headers: { accept: MANIFEST_ACCEPT },
      repository,
      access,
      subject,
      maxBytes: MAX_MANIFEST_BYTES,
      meter,
      signal,
      missing: 'MANIFEST_UNKNOWN',
    } as const;
  }
}

function manifestSubject({ repository }: View, identifier: string): Subject {
  return subjectOf('reading manifest', repository, `${isValidDigest(identifier) ? '@' : ':'}${identifier}`);
}

/** The digest of a body, which must be the one asked for and the one the registry names, if either is there. */
function proveDigest({ body, headers }: TransportResponse, identifier: string, subject: Subject): Digest {
  const mediaType = bareMediaType(headers.get('content-type'));
  const stated = headers.get('docker-content-digest')?.trim() ?? '';
  const expected = isValidDigest(identifier) ? identifier : stated;
  if (!isValidDigest(expected)) return computeDigest(body, mediaType);
  if (hasDigest(body, mediaType, expected)) return expected;
  throw problem(subject, 'DIGEST_INVALID', 'the content does not have the digest it is named by');
}

function problem(subject: Subject, code: RegistryErrorCode, text: string): RegistryError {
  return new RegistryError(`${subject.action}: ${text}`, { ...subject, code });
}
