import { describe, expect, it } from 'vitest';
import { ApiError } from '../../src/kube/api-error.ts';
import { MalformedEventError, parseWatchEvent, splitLines } from '../../src/kube/watch-stream.ts';

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
