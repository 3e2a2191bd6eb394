import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDigest } from '../../src/domain/digest.ts';
import {
  MAX_PUSHED_TAGS,
  notePushes,
  type PushedTag,
  readPushedTags,
  unansweredPushes,
} from '../../src/domain/pushed-tags.ts';

const A = parseDigest(`sha256:${'a'.repeat(64)}`);
const B = parseDigest(`sha256:${'b'.repeat(64)}`);

describe('reading', () => {
  it.each([
    ['r1 w_1', { revision: 'r1', tags: [{ tag: 'w_1' }], overflow: false }],
    [
      `r1 w_1@${A} w_2`,
      { revision: 'r1', tags: [{ tag: 'w_1', digest: A }, { tag: 'w_2' }], overflow: false },
    ],
    ['r1 *', { revision: 'r1', tags: [], overflow: true }],
    ['r1', { revision: 'r1', tags: [], overflow: false }],
    ['r1 -bad /x w_1@sha256:short', { revision: 'r1', tags: [{ tag: 'w_1' }], overflow: false }],
    [undefined, undefined],
    ['', undefined],
    ['no/revision w_1', undefined],
  ])('%j', (text, expected) => {
    expect(readPushedTags(text)).toEqual(expected);
  });

  it('never gives more tags than an annotation may hold', () => {
    const many = Array.from({ length: MAX_PUSHED_TAGS + 1 }, (_, index) => `t${String(index)}`);
    expect(readPushedTags(`r1 ${many.join(' ')}`)).toEqual({ revision: 'r1', tags: [], overflow: true });
  });

  it('leaves out what was answered', () => {
    expect(unansweredPushes('r1 w_1', 'r1')).toBeUndefined();
    expect(unansweredPushes('r2 w_1', 'r1')).toMatchObject({ revision: 'r2' });
  });
});

describe('noting', () => {
  const note = (text: string | undefined, pushed: readonly PushedTag[], answered?: string) =>
    notePushes({ text, answered, pushed, revision: 'new' });

  it.each<readonly [string, string | undefined, readonly PushedTag[], string | undefined]>([
    ['begins', undefined, [{ tag: 'w_1' }], 'new w_1'],
    ['begins anew after an answer', 'done w_1', [{ tag: 'w_2' }], 'new w_2'],
    ['adds to what waits', 'old w_1', [{ tag: 'w_2', digest: A }], `new w_1 w_2@${A}`],
    ['replaces an older digest', `old w_1@${A}`, [{ tag: 'w_1', digest: B }], `new w_1@${B}`],
    ['says a tag again, because it may have been asked for just now', 'old w_1', [{ tag: 'w_1' }], 'new w_1'],
    ['says the same digest once', `old w_1@${A}`, [{ tag: 'w_1', digest: A }], undefined],
    ['says again what was answered', `done w_1@${A}`, [{ tag: 'w_1', digest: A }], `new w_1@${A}`],
    ['stays a whole scan', 'old *', [{ tag: 'w_1' }], 'new *'],
    ['replaces what is none of ours', 'a/b', [{ tag: 'w_1' }], 'new w_1'],
  ])('%s', (_case, text, pushed, expected) => {
    expect(note(text, pushed, 'done')).toBe(expected);
  });

  it('loses no tag while any is unanswered, and stays bounded', () => {
    const tag = fc.stringMatching(/^[a-z0-9_]{1,8}$/);
    fc.assert(
      fc.property(fc.array(tag, { maxLength: 60 }), (tags) => {
        let text: string | undefined;
        for (const [index, each] of tags.entries()) {
          const pushed = [{ tag: each }];
          text = notePushes({ text, answered: undefined, pushed, revision: `r${String(index)}` }) ?? text;
        }
        const read = readPushedTags(text);
        const distinct = new Set(tags);
        if (distinct.size > MAX_PUSHED_TAGS) expect(read?.overflow).toBe(true);
        else expect(new Set(read?.tags.map((push) => push.tag))).toEqual(distinct);
        expect((text ?? '').length).toBeLessThan(8_192);
      }),
    );
  });
});
