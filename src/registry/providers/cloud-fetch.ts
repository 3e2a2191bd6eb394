/** HTTP to the token endpoints of clouds: fixed or operator-configured hosts only, metadata services included. */

import { Agent } from 'undici';

/** A request with its secrets; never logged. */
export interface CloudRequest {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
}

/** The body as text, at most 256 KiB. */
export interface CloudResponse {
  readonly status: number;
  readonly text: string;
}

/** @throws Error if there is no answer; any HTTP status is one */
export type CloudFetch = (request: CloudRequest) => Promise<CloudResponse>;

const MAX_ANSWER_BYTES = 256 * 1024;
const TIMEOUT_MS = 10_000;

/** Redirects are not followed: a token endpoint has no reason to send us elsewhere. */
export function openCloudFetch(): CloudFetch {
  const agent = new Agent({
    allowH2: false,
    connect: { timeout: TIMEOUT_MS },
    maxResponseSize: MAX_ANSWER_BYTES,
  });
  return async ({ method, url, headers, body, signal }) => {
    const { origin, pathname, search } = new URL(url);
    const answer = await agent.request({
      origin,
      path: pathname + search,
      method,
      headers,
      body: body ?? null,
      signal,
      headersTimeout: TIMEOUT_MS,
      bodyTimeout: TIMEOUT_MS,
    });
    return { status: answer.statusCode, text: await answer.body.text() };
  };
}
