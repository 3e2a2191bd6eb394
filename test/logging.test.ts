import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { ApiError } from '../src/kube/api-error.ts';
import { createLogging, type LogFormat, type LogLevel } from '../src/logging.ts';
import { FakeClock } from './support/fake-clock.ts';

function capture(level: LogLevel = 'debug', format: LogFormat = 'json') {
  const lines: string[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, callback) {
      lines.push(chunk.toString('utf8').replace(/\n$/, ''));
      callback();
    },
  });
  const log = createLogging({ level, format, clock: new FakeClock(), stream });
  return { log, lines, json: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

describe('createLogging', () => {
  it('writes one JSON object a line, head first', () => {
    const { log, lines } = capture();
    log.info('started', { workers: 2 });
    expect(lines).toEqual(['{"ts":"2026-01-01T00:00:00.000Z","level":"info","msg":"started","workers":2}']);
  });

  it('drops lines below the level', () => {
    const { log, json } = capture('warn');
    log.debug('a');
    log.info('b');
    log.warn('c');
    log.error('d');
    expect(json().map((line) => line['msg'])).toEqual(['c', 'd']);
  });

  it('adds the fields of its ancestors, the nearest winning', () => {
    const { log, json } = capture();
    log.child({ controller: 'x', name: 'a' }).child({ name: 'b' }).info('m');
    expect(json()[0]).toMatchObject({ controller: 'x', name: 'b' });
  });

  it('cannot be forged by fields or line feeds', () => {
    const { log, lines, json } = capture();
    log.info('real\n{"level":"error"}', { level: 'error', msg: 'forged', ts: 'never' });
    expect(lines).toHaveLength(1);
    expect(json()[0]).toMatchObject({
      level: 'info',
      'field.level': 'error',
      'field.msg': 'forged',
      'field.ts': 'never',
    });
  });

  it('keeps text entries on one line', () => {
    const { log, lines } = capture('info', 'text');
    log.warn('first\nsecond', { key: 'a/b', note: 'two words' });
    expect(lines).toEqual(['2026-01-01T00:00:00.000Z WARN  first\\nsecond key=a/b note="two words"']);
  });

  it('shows what an error is made of, and its stack without the message', () => {
    const { log, json } = capture();
    log.error('failed', {
      err: new ApiError({
        status: 409,
        reason: 'Conflict',
        message: 'patch pods a/b: conflict',
        temporary: false,
      }),
    });
    expect(json()[0]?.['err']).toMatchObject({
      type: 'ApiError',
      message: 'patch pods a/b: conflict',
      reason: 'Conflict',
      status: 409,
    });
  });

  it('survives cycles, big integers and values that throw when read', () => {
    const { log, lines } = capture();
    const cycle: Record<string, unknown> = { big: 10n };
    cycle['self'] = cycle;
    log.info('m', { cycle, absent: undefined });
    expect(lines[0]).toContain('"big":10');
    expect(lines[0]).toContain('[circular]');
    expect(lines[0]).not.toContain('absent');
  });

  it('keeps the code of system errors', () => {
    const { log, json } = capture();
    log.warn('m', { err: Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }) });
    expect(json()[0]?.['err']).toMatchObject({ type: 'Error', code: 'ECONNREFUSED' });
  });
});
