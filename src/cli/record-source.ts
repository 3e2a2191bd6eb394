/** Where images to import come from: a file, standard input, or the list of a running UFDL server. */

import { type JsonValue, parseJsonText } from '../server/docker/json-text.ts';
import { USER_AGENT } from '../version.ts';
import { badInput, CliError, type CliIo, readInput } from './io.ts';

/** The token is read here and nowhere else: arguments can be seen by everybody on the machine. */
export const TOKEN_VARIABLE = 'LARDER_UFDL_TOKEN';

const TIMEOUT_MS = 60_000;
const MAX_BYTES = 32 * 1024 * 1024;

/** The images, each as the server lists it. @throws CliError */
export async function readImages(
  io: CliIo,
  source: string,
  tokenFile: string | undefined,
): Promise<readonly JsonValue[]> {
  const text = /^https?:\/\//i.test(source)
    ? await download(io, new URL(source), await readToken(io, tokenFile))
    : await readInput(io, source);
  const parsed = parseJsonText(text);
  if (!parsed.ok) throw badInput(source, `not JSON: ${parsed.error}`);
  if (!Array.isArray(parsed.value)) throw badInput(source, 'not a list of images');
  return parsed.value as readonly JsonValue[];
}

async function readToken(io: CliIo, tokenFile: string | undefined): Promise<string | undefined> {
  const token = tokenFile === undefined ? io.environment[TOKEN_VARIABLE] : await io.readFile(tokenFile);
  const trimmed = token?.trim() ?? '';
  return trimmed === '' ? undefined : trimmed;
}

async function download(io: CliIo, url: URL, token: string | undefined): Promise<string> {
  requireSafe(url, token);
  const signal = AbortSignal.any([io.signal, AbortSignal.timeout(TIMEOUT_MS)]);
  try {
    const response = await fetch(url, { ...requestFor(url, token), signal });
    if (response.ok) return await readBounded(response, url);
    throw new CliError(`${url.origin} answered ${response.status}${adviceFor(response.status)}`);
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError(`reading ${url.origin}${url.pathname} failed: ${reasonOf(error)}`);
  }
}

function requireSafe(url: URL, token: string | undefined): void {
  if (url.username !== '' || url.password !== '') {
    throw badInput('URL', `holds a login; put a token into ${TOKEN_VARIABLE} or --token-file instead`);
  }
  if (token !== undefined && url.protocol === 'http:' && !isLoopback(url.hostname)) {
    throw badInput(url.origin, 'the token would be sent in the clear; use https');
  }
}

/** A server lists by POST; anything else is a file. */
function requestFor(url: URL, token: string | undefined): RequestInit {
  const headers = {
    'user-agent': USER_AGENT,
    accept: 'application/json',
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  };
  // A redirect could lead the token elsewhere.
  if (!/\/list\/?$/.test(url.pathname)) return { headers, redirect: 'error' };
  return {
    method: 'POST',
    body: '{}',
    headers: { ...headers, 'content-type': 'application/json' },
    redirect: 'error',
  };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127\./.test(host);
}

function adviceFor(status: number): string {
  const isRefused = status === 401 || status === 403;
  return isRefused ? `; put a token of that server into ${TOKEN_VARIABLE} or --token-file` : '';
}

async function readBounded(response: Response, url: URL): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > MAX_BYTES) throw new CliError(`${url.origin} sent more than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size).toString('utf8');
}

/** What fetch throws says nothing; its cause does. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause instanceof Error) return cause.message;
  return error instanceof Error ? error.message : String(error);
}
