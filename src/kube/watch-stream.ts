/** A watch's body cut into events. */

import { StringDecoder } from 'node:string_decoder';
import { isJsonObject, type JsonObject, parseJSON } from '../json.ts';
import { type ApiError, apiErrorFrom } from './api-error.ts';
import type { RawObject } from './resource.ts';

/** ERROR is not among them: it ends the watch as an exception. */
const WATCH_EVENT_TYPES = ['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK'] as const;
/** One of `WATCH_EVENT_TYPES`. */
export type WatchEventType = (typeof WATCH_EVENT_TYPES)[number];

/** A bookmark carries nothing but a resourceVersion. */
export interface WatchEvent {
  readonly type: WatchEventType;
  readonly object: RawObject;
}

/** Thrown when the stream holds something that is not an event: reconnect, nothing after it can be trusted. */
export class MalformedEventError extends Error {
  override readonly name = 'MalformedEventError';
}

/** One event is one object; etcd takes no larger ones than 1.5 MiB by default. */
const LINE_LIMIT_CHARS = 16 * 1024 * 1024;

/** Yields complete lines; what follows the last line feed is a torn event and dropped. */
export async function* splitLines(body: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, void> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of body) {
    const lines = (rest + decoder.write(chunk)).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > LINE_LIMIT_CHARS) throw new MalformedEventError('watch event is too long');
    for (const line of lines) if (line !== '') yield line;
  }
}

/**
 * Parses one line of a watch.
 * @throws ApiError for an ERROR event, MalformedEventError for anything that is no event.
 */
export function parseWatchEvent(line: string, what: string): WatchEvent {
  const event = parseJSON(line);
  if (!isJsonObject(event) || !isJsonObject(event['object']))
    throw new MalformedEventError(`${what}: not a watch event`);
  const { type, object } = event;
  if (type === 'ERROR') throw errorEvent(object, what);
  if (!isEventType(type)) throw new MalformedEventError(`${what}: unknown event type`);
  if (!isJsonObject(object['metadata'])) {
    throw new MalformedEventError(`${what}: event object without metadata`);
  }
  return { type, object: object as unknown as RawObject };
}

function errorEvent(status: JsonObject, what: string): ApiError {
  const code = status['code'];
  return apiErrorFrom(what, {
    status: typeof code === 'number' ? code : 500,
    retryAfter: undefined,
    body: status,
  });
}

function isEventType(value: unknown): value is WatchEventType {
  return WATCH_EVENT_TYPES.some((type) => type === value);
}
