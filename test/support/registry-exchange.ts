/** What the fake registry and its parts share: a request as logged, and JSON answers. */

import type { IncomingHttpHeaders, ServerResponse } from 'node:http';

export interface LoggedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly authorization: string | undefined;
  readonly headers: Readonly<IncomingHttpHeaders>;
  readonly body: string;
}

export function sendJSON(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

export function sendError(response: ServerResponse, status: number, code: string): void {
  sendJSON(response, status, { errors: [{ code, message: `fake ${code}` }] });
}
