import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { labelSlug } from '../../src/domain/label-slug.ts';

describe('the slug of a name', () => {
  test.each([
    ['Apache 2.0', 'apache-2.0'],
    ['Mozilla Public License 2.0', 'mozilla-public-license-2.0'],
    ['BSD 3-clause', 'bsd-3-clause'],
    ['mmdetection_x', 'mmdetection_x'],
    ['  -- Ampère! --', 'amp-re'],
    ['日本', ''],
  ])('%j is %j', (text, slug) => {
    expect(labelSlug(text)).toBe(slug);
  });

  it('is always a label value', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 100 }), (text) => {
        expect(labelSlug(text)).toMatch(/^([a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?)?$/);
      }),
    );
  });
});
