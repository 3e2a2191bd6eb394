/** Reading a cloud's JSON answers: text and numbers by path, failures without repeating what was answered. */

import { type JsonObject, parseJSON } from '../../json.ts';
import type { CloudFetch, CloudRequest } from './cloud-fetch.ts';
import { providerError } from './provider.ts';

/** The answer of a 200. @throws RegistryError that names `what` and the status only */
export async function fetchJSON(
  fetch: CloudFetch,
  host: string,
  what: string,
  request: CloudRequest,
): Promise<JsonObject> {
  const answer = await fetch(request).catch((error: unknown) => {
    if (request.signal.aborted) throw error;
    throw providerError(host, `${what} does not answer`);
  });
  if (answer.status !== 200) throw providerError(host, `${what} answers ${answer.status}`, answer.status);
  const json = parseJSON(answer.text);
  if (typeof json === 'object' && json !== null) return json as JsonObject;
  throw providerError(host, `${what} answers something else than JSON`, 422);
}

/** A non-empty text member. @throws RegistryError */
export function textMember(json: JsonObject, name: string, host: string, what: string): string {
  const value = json[name];
  if (typeof value === 'string' && value !== '') return value;
  throw providerError(host, `${what} gives no ${name}`, 422);
}

/** A member in seconds as milliseconds. */
export function secondsMember(json: JsonObject, name: string, fallbackMs: number): number {
  const seconds = Number(json[name]);
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : fallbackMs;
}
