/** A body that is ready to be sent any number of times: with its ETag, and gzip made once. */

import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { ServerContext } from './route-group.ts';

/** A body with its entity tag, ready to be sent many times. */
export interface Representation {
  /** Weak: gzip and plain are the same to a cache. */
  readonly etag: string;
  readonly contentType: string;
  readonly body: Uint8Array<ArrayBuffer>;
  /** Made when first asked for. */
  gzip(): Promise<Uint8Array<ArrayBuffer>>;
}

const gzipAsync = promisify(gzip);
/** Shorter bodies do not get smaller. */
const GZIP_FROM_BYTES = 1_024;
/** Long ones are compressed faster rather than better. */
const GZIP_FAST_FROM_BYTES = 1_048_576;
const ETAG_LENGTH = 27;

export const JSON_TYPE = 'application/json';

export function representationOf(
  body: string | Uint8Array<ArrayBuffer>,
  contentType = JSON_TYPE,
): Representation {
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
  const hash = createHash('sha256').update(bytes).digest('base64url').slice(0, ETAG_LENGTH);
  let compressed: Promise<Uint8Array<ArrayBuffer>> | undefined;
  return {
    etag: `W/"${hash}"`,
    contentType,
    body: bytes,
    gzip: () => {
      compressed ??= gzipAsync(bytes, { level: bytes.length >= GZIP_FAST_FROM_BYTES ? 1 : 6 });
      return compressed;
    },
  };
}

/** The representation, or 304 if the client has it already. */
export async function respond(
  context: ServerContext,
  representation: Representation,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  const { etag, contentType } = representation;
  const common = {
    etag,
    vary: 'Accept-Encoding, Authorization',
    'cache-control': 'private, no-cache',
    ...headers,
  };
  if (matches(context.req.header('if-none-match'), etag))
    return new Response(null, { status: 304, headers: common });
  const isSmall = representation.body.length < GZIP_FROM_BYTES;
  if (isSmall || !acceptsGzip(context.req.header('accept-encoding'))) {
    return send(representation.body, { ...common, 'content-type': contentType });
  }
  return send(await representation.gzip(), {
    ...common,
    'content-type': contentType,
    'content-encoding': 'gzip',
  });
}

/** A value that is served once. */
export function respondJson(
  context: ServerContext,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  return respond(context, representationOf(`${JSON.stringify(value)}\n`), headers);
}

function send(body: Uint8Array<ArrayBuffer>, headers: Readonly<Record<string, string>>): Response {
  return new Response(body, { headers: { ...headers, 'content-length': String(body.length) } });
}

/** Weak comparison, as If-None-Match asks for. */
function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  const known = header.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return known.includes('*') || known.includes(etag.slice(2));
}

function acceptsGzip(header = ''): boolean {
  const codings = header.split(',').map((coding) =>
    coding
      .trim()
      .toLowerCase()
      .split(/\s*;\s*/),
  );
  const found = codings.find(([name]) => name === 'gzip') ?? codings.find(([name]) => name === '*');
  return found !== undefined && !found.slice(1).some((parameter) => /^q=0(?:\.0*)?$/.test(parameter));
}
