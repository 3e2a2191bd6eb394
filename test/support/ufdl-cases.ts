/** Cases of the original REST API: steps to send, and what is expected of us where we are to differ. */

import { expect } from 'vitest';
import { JsonNumber, type JsonValue, parseJsonText } from '../../src/server/docker/json-text.ts';

export interface Step {
  readonly id: string;
  readonly request: {
    readonly role: 'anonymous' | 'user' | 'admin';
    readonly method: string;
    readonly path: string;
    readonly body?: unknown;
    readonly rawBody?: string;
    readonly contentType?: string;
    readonly headers?: Readonly<Record<string, string>>;
  };
  readonly observed: Expectation;
  /** Only what differs; a note alone is read by `expectationOf`. */
  readonly ours?: Omit<Expectation, 'status' | 'pks'> & {
    readonly status?: number;
    readonly pks?: readonly number[] | 'deduplicated';
    readonly note?: string;
  };
}

export interface Expectation {
  readonly status: number;
  readonly body?: unknown;
  readonly bodySubset?: Readonly<Record<string, unknown>>;
  readonly bodyKey?: string;
  readonly bodyDetailStartsWith?: string;
  readonly pks?: readonly number[];
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Received {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

/** The bodies of all steps by id, as the file writes them: 6.0 is not 6 to the original. */
export function writtenBodies(text: string): ReadonlyMap<string, string> {
  const parsed = parseJsonText(text);
  if (!parsed.ok) throw new Error(parsed.error);
  const groups = memberOf(memberOf(parsed.value, 'ufdl'), 'groups');
  const steps = groups instanceof Map ? [...(groups as ReadonlyMap<string, JsonValue>).values()].flat() : [];
  return new Map(
    (steps as readonly JsonValue[]).flatMap((step) => {
      const body = memberOf(memberOf(step, 'request'), 'body');
      const id = memberOf(step, 'id');
      return body === undefined || typeof id !== 'string' ? [] : [[id, written(body)]];
    }),
  );
}

function memberOf(value: JsonValue | undefined, name: string): JsonValue | undefined {
  return value instanceof Map ? (value as ReadonlyMap<string, JsonValue>).get(name) : undefined;
}

function written(value: JsonValue): string {
  if (value instanceof JsonNumber) return value.text;
  if (Array.isArray(value)) return `[${(value as readonly JsonValue[]).map(written).join(',')}]`;
  if (!(value instanceof Map)) return JSON.stringify(value);
  const members = [...(value as ReadonlyMap<string, JsonValue>)];
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${written(member)}`).join(',')}}`;
}

type Fetch = (path: string, init: RequestInit) => Promise<Response>;

/** Sends a step; `body` is its body as written, `fetchAs` knows the roles. */
export async function send(
  { request }: Step,
  body: string | undefined,
  fetchAs: (role: string) => Fetch,
): Promise<Received> {
  const { role, method, path, rawBody, contentType = 'application/json', headers } = request;
  const text = rawBody ?? body;
  const response = await fetchAs(role)(path, {
    method,
    headers: { ...headers, ...(text !== undefined && { 'content-type': contentType }) },
    ...(text !== undefined && { body: text }),
  });
  const answer = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: answer === '' ? undefined : readJson(answer),
  };
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** `ours` wins over `observed`; another status voids what was observed with the first one. */
export function expectationOf({ observed, ours }: Step): Expectation {
  if (ours === undefined) return observed;
  const { note, pks, ...stated } = ours;
  if (Object.keys(stated).length === 0 && pks === undefined) return fromNote(observed, note ?? '');
  const { status = acceptedStatus(observed, pks !== undefined) } = stated;
  const expected = { ...(status === observed.status ? observed : {}), ...stated, status };
  if (pks === undefined) return expected;
  return { ...expected, pks: pks === 'deduplicated' ? [...new Set(observed.pks)] : pks };
}

/** Rows that are to be listed, or fields of an answer, where the original failed: the request is accepted. */
function acceptedStatus({ status }: Expectation, isList: boolean): number {
  return isList || status >= 500 ? 200 : status;
}

/** Such as "accept as alias of isnull: 200, no pks"; what failed there and is to be accepted here answers 200. */
function fromNote(observed: Expectation, note: string): Expectation {
  const status = /\b(?<status>[245][0-9]{2})\b/.exec(note)?.groups?.['status'];
  if (status === undefined) return observed.status >= 500 ? { status: 200 } : observed;
  return { status: Number(status), ...(/\bno pks\b/.test(note) && { pks: [] }) };
}

/** What is written into the case about the state before it, and is not so: "image 12 has cpu=true at this step". */
export function premiseOf({ ours }: Step): { readonly pk: number; readonly cpu: boolean } | undefined {
  const found = /image (?<pk>[0-9]+) has cpu=(?<cpu>true|false) at this step/.exec(ours?.note ?? '')?.groups;
  return found === undefined ? undefined : { pk: Number(found['pk']), cpu: found['cpu'] === 'true' };
}

/** Holds what was received to the expectation; lists are sets unless the request asks for an order. */
export function check(received: Received, expected: Expectation, step: Step): void {
  const { status, body } = received;
  expect({ status, body }).toEqual(expect.objectContaining({ status: expected.status }));
  if (expected.body !== undefined) expect(body).toEqual(expected.body);
  if (expected.bodySubset !== undefined) expect(body).toMatchObject(expected.bodySubset);
  if (expected.bodyKey !== undefined) expect(Object.keys(body as object)).toContain(expected.bodyKey);
  if (expected.bodyDetailStartsWith !== undefined) {
    const { detail } = body as { readonly detail: string };
    expect(detail.slice(0, expected.bodyDetailStartsWith.length)).toBe(expected.bodyDetailStartsWith);
  }
  for (const [name, value] of Object.entries(expected.headers ?? {})) {
    expect([name, received.headers.get(name)]).toEqual([name, value]);
  }
  if (expected.pks !== undefined) checkPks(body as readonly { readonly pk: number }[], expected.pks, step);
}

function checkPks(rows: readonly { readonly pk: number }[], expected: readonly number[], step: Step): void {
  const pks = rows.map(({ pk }) => pk);
  const isOrdered = 'order_by' in Object(step.request.body ?? {});
  expect(isOrdered ? pks : pks.toSorted(byNumber)).toEqual(
    isOrdered ? expected : expected.toSorted(byNumber),
  );
}

function byNumber(left: number, right: number): number {
  return left - right;
}
