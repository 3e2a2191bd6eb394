import { describe, expect, it } from 'vitest';
import { ApiError, apiErrorFrom, isGone } from '../../src/kube/api-error.ts';
import { backoffDelay } from '../../src/kube/backoff.ts';
import { classifyFailure, connectionError } from '../../src/kube/connection-failure.ts';
import { silentEvents } from '../../src/kube/events.ts';
import { silentLogger } from '../../src/kube/logger.ts';
import { noMetrics } from '../../src/kube/metrics.ts';
import {
  childName,
  controllerOf,
  controllerReference,
  isControlledBy,
} from '../../src/kube/owner-reference.ts';
import { isEqual } from '../../src/kube/status-writer.ts';
import { TokenBucket } from '../../src/kube/token-bucket.ts';
import { ignoreStatusChanges } from '../../src/kube/watch-source.ts';
import { MalformedEventError, parseWatchEvent, splitLines } from '../../src/kube/watch-stream.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { WIDGETS } from './fixtures.ts';

describe('apiErrorFrom', () => {
  it('takes what the server says about itself', () => {
    const body = {
      kind: 'Status',
      reason: 'Invalid',
      message: 'spec.size: must be positive',
      details: {
        causes: [{ reason: 'FieldValueInvalid', field: 'spec.size', message: 'must be positive' }, 'junk'],
      },
    };
    expect(apiErrorFrom('apply widgets a', { status: 422, retryAfter: undefined, body })).toMatchObject({
      status: 422,
      reason: 'Invalid',
      message: 'apply widgets a: spec.size: must be positive',
      causes: [{ reason: 'FieldValueInvalid', field: 'spec.size', message: 'must be positive' }],
      temporary: false,
    });
  });

  it('makes do with less', () => {
    const bare = apiErrorFrom('x', { status: 503, retryAfter: '7', body: '<html>' });
    expect(bare).toMatchObject({
      reason: 'ServiceUnavailable',
      message: 'x: HTTP 503',
      retryAfterMs: 7_000,
      temporary: true,
    });
    expect(apiErrorFrom('x', { status: 418, retryAfter: 'soon', body: [] })).toMatchObject({
      reason: 'Status418',
      retryAfterMs: undefined,
      temporary: false,
    });
    const seconds = apiErrorFrom('x', {
      status: 504,
      retryAfter: undefined,
      body: { details: { retryAfterSeconds: 2 } },
    });
    expect(seconds.retryAfterMs).toBe(2_000);
    const odd = { details: { causes: [{ field: 1 }] } };
    expect(apiErrorFrom('x', { status: 400, retryAfter: undefined, body: odd }).causes).toEqual([
      { reason: '', field: '', message: '' },
    ]);
  });

  it('calls a 500 with a reason or a Retry-After temporary, and one without final', () => {
    const answer = { status: 500, retryAfter: undefined, body: undefined };
    expect(apiErrorFrom('x', answer).temporary).toBe(false);
    expect(apiErrorFrom('x', { ...answer, retryAfter: '1' }).temporary).toBe(true);
    expect(apiErrorFrom('x', { ...answer, body: { reason: 'InternalError' } }).temporary).toBe(true);
  });

  it('bounds what it keeps', () => {
    const causes = Array.from({ length: 50 }, () => ({ message: 'x'.repeat(10_000) }));
    const error = apiErrorFrom('x', {
      status: 422,
      retryAfter: undefined,
      body: { message: 'y'.repeat(100_000), details: { causes } },
    });
    expect(error.message.length + JSON.stringify(error.causes).length).toBeLessThan(6_000);
  });

  it('knows the ways to be gone', () => {
    const details = { message: '', temporary: false };
    expect(isGone(new ApiError({ ...details, status: 410, reason: 'x' }))).toBe(true);
    expect(isGone(new ApiError({ ...details, status: 0, reason: 'Expired' }))).toBe(true);
    expect(isGone(new Error('410'))).toBe(false);
  });
});

describe('classifyFailure', () => {
  const withCode = (code: string): Error => Object.assign(new Error('x'), { code });

  it.each([
    [withCode('ECONNREFUSED'), 'refused', 'ECONNREFUSED'],
    [new TypeError('fetch failed', { cause: withCode('ENOTFOUND') }), 'refused', 'ENOTFOUND'],
    [new AggregateError([withCode('EHOSTUNREACH')]), 'refused', 'EHOSTUNREACH'],
    [withCode('CERT_HAS_EXPIRED'), 'certificate', 'CERT_HAS_EXPIRED'],
    [withCode('ERR_TLS_CERT_ALTNAME_INVALID'), 'certificate', 'ERR_TLS_CERT_ALTNAME_INVALID'],
    [withCode('UND_ERR_SOCKET'), 'lost', 'UND_ERR_SOCKET'],
    [new SyntaxError('x'), 'malformed', 'BAD_JSON'],
    [new RangeError('x'), 'oversized', 'TOO_LARGE'],
    [new Error('plain'), 'lost', 'Error'],
    ['text', 'lost', 'UNKNOWN'],
  ])('%s is %s', (error, kind, code) => {
    expect(classifyFailure(error, false)).toEqual({ kind, code });
  });

  it('lets our own deadline win, and makes errors of them all', () => {
    const failure = classifyFailure(withCode('ECONNRESET'), true);
    expect(connectionError('get pods a', failure)).toMatchObject({
      message: 'get pods a: DeadlineExceeded (ETIMEDOUT)',
      temporary: true,
      sent: true,
    });
    expect(connectionError('x', { kind: 'oversized', code: 'TOO_LARGE' }).temporary).toBe(false);
  });
});

describe('backoffDelay', () => {
  it('doubles up to the limit', () => {
    const options = { baseMs: 100, maxMs: 1_000 };
    expect([0, 1, 2, 3, 4, 5_000].map((failures) => backoffDelay(failures, options))).toEqual([
      100, 200, 400, 800, 1_000, 1_000,
    ]);
  });

  it('spreads around the delay, never beyond the limit', () => {
    const at = (random: number) =>
      backoffDelay(1, { baseMs: 100, maxMs: 250, jitter: 0.5, random: () => random });
    expect([at(0), at(0.5), at(1)]).toEqual([100, 200, 250]);
    expect(backoffDelay(0, { baseMs: 100, maxMs: 250, jitter: 0.5 })).toBeLessThanOrEqual(150);
  });
});

describe('TokenBucket', () => {
  it('gives back the token of a caller that gave up', async () => {
    const clock = new FakeClock();
    const bucket = new TokenBucket(clock, { qps: 1, burst: 1 });
    await bucket.acquire();
    const stop = new AbortController();
    const waiting = bucket.acquire(stop.signal);
    stop.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    expect(bucket.reserve()).toBe(1_000);
  });

  it('never waits if both figures are infinite', async () => {
    const clock = new FakeClock();
    const bucket = new TokenBucket(clock, { qps: Number.POSITIVE_INFINITY, burst: Number.POSITIVE_INFINITY });
    expect([bucket.reserve(), bucket.reserve()]).toEqual([0, 0]);
    await clock.advance(1_000);
    expect([bucket.reserve(), bucket.tryTake()]).toEqual([0, true]);
  });

  it('does not save up beyond its burst', async () => {
    const clock = new FakeClock();
    const bucket = new TokenBucket(clock, { qps: 10, burst: 2 });
    await clock.advance(60_000);
    expect([bucket.tryTake(), bucket.tryTake(), bucket.tryTake()]).toEqual([true, true, false]);
  });
});

describe('owner references', () => {
  const owner = { metadata: { name: 'o', uid: 'u1' } };

  it('make one owner the controller, without blocking its deletion', () => {
    const reference = controllerReference(WIDGETS, owner);
    expect(reference).toEqual({
      apiVersion: 'test.dev/v1',
      kind: 'Widget',
      name: 'o',
      uid: 'u1',
      controller: true,
    });
    const child = {
      metadata: { name: 'c', ownerReferences: [{ ...reference, controller: false, uid: 'x' }, reference] },
    };
    expect(controllerOf(child)?.uid).toBe('u1');
    expect(isControlledBy(child, owner)).toBe(true);
    expect(isControlledBy(child, { metadata: { name: 'o', uid: 'u2' } })).toBe(false);
    expect(isControlledBy(child, { metadata: { name: 'o' } })).toBe(false);
  });

  it('need an owner that exists', () => {
    expect(() => controllerReference(WIDGETS, { metadata: { name: 'o' } })).toThrow('has no uid');
  });

  it('go with names that are the same for the same identity', () => {
    expect(childName('Lab_Image.v1', 'a')).toMatch(/^lab-image-v1-[0-9a-f]{8}$/);
    expect(childName('lab', 'a')).toBe(childName('lab', 'a'));
    expect(childName('lab', 'a')).not.toBe(childName('lab', 'b'));
    expect(childName('x'.repeat(200), 'a')).toHaveLength(63);
    expect(childName('___', 'a')).toMatch(/^x-[0-9a-f]{8}$/);
  });
});

describe('watch lines', () => {
  async function* chunks(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
    for (const text of texts) yield await Promise.resolve(Buffer.from(text));
  }

  async function collect(lines: AsyncIterable<string>): Promise<string[]> {
    const all: string[] = [];
    for await (const line of lines) all.push(line);
    return all;
  }

  it('come whole, whatever the chunks, and the torn one at the end does not', async () => {
    expect(await collect(splitLines(chunks('{"a":', '1}\n\n{"b":2}\n{"c"', ':3')))).toEqual([
      '{"a":1}',
      '{"b":2}',
    ]);
  });

  it('keep characters that were cut in two', async () => {
    const bytes = Buffer.from('{"a":"ü"}\n');
    async function* halves(): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(bytes.subarray(0, 7));
      yield bytes.subarray(7);
    }
    expect(await collect(splitLines(halves()))).toEqual(['{"a":"ü"}']);
  });

  it('end when one line has no end', async () => {
    const endless = chunks('x'.repeat(17 * 1024 * 1024));
    await expect(collect(splitLines(endless))).rejects.toThrow(MalformedEventError);
  });

  it('become errors by the code they carry', () => {
    const error = (object: unknown) => () =>
      parseWatchEvent(JSON.stringify({ type: 'ERROR', object }), 'watch pods');
    expect(error({ code: 410, reason: 'Expired' })).toThrow(ApiError);
    expect(error({})).toThrow('watch pods: HTTP 500');
  });
});

describe('ignoreStatusChanges', () => {
  const base = { metadata: { name: 'a', generation: 1, labels: { x: '1' } } };

  it.each([
    ['an add', undefined, base, true],
    ['a delete', base, undefined, true],
    ['the same again', base, { ...base, status: {} }, false],
    ['a new generation', base, { metadata: { ...base.metadata, generation: 2 } }, true],
    ['a label', base, { metadata: { ...base.metadata, labels: {} } }, true],
    ['an annotation', base, { metadata: { ...base.metadata, annotations: { a: 'b' } } }, true],
    ['a finalizer', base, { metadata: { ...base.metadata, finalizers: ['f'] } }, true],
    ['a deletion', base, { metadata: { ...base.metadata, deletionTimestamp: 't' } }, true],
  ])('%s: %#', (_name, old, object, expected) => {
    const change = { ...(old === undefined ? {} : { old }), ...(object === undefined ? {} : { object }) };
    expect(ignoreStatusChanges(change)).toBe(expected);
  });
});

describe('isEqual', () => {
  it.each([
    [{ a: 1, b: undefined }, { a: 1 }, true],
    [{ a: [1, { b: 2 }] }, { a: [1, { b: 2 }] }, true],
    [{ a: [1, 2] }, { a: [2, 1] }, false],
    [{ a: 1 }, { a: 1, b: 2 }, false],
    [{ a: 1 }, { b: 1 }, false],
    [{}, [], false],
    [null, {}, false],
    ['a', 'a', true],
  ])('%j and %j: %s', (left, right, expected) => {
    expect(isEqual(left, right)).toBe(expected);
  });
});

describe('the silent defaults', () => {
  it('take anything', () => {
    for (const level of ['debug', 'info', 'warn', 'error'] as const) silentLogger.child({})[level]('x');
    silentEvents.record(
      { type: WIDGETS, object: { metadata: { name: 'a' } } },
      { type: 'Normal', reason: 'R', action: 'A', message: 'm' },
    );
    const calls: readonly (() => void)[] = [
      () => {
        noMetrics.request({ verb: 'get', resource: 'pods', code: '200', seconds: 0 });
      },
      () => {
        noMetrics.leading('l', true);
      },
      () => {
        noMetrics.handlerFailed('pods');
      },
    ];
    for (const call of calls) expect(call).not.toThrow();
  });
});
