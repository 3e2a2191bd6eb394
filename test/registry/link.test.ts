import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findNextLink } from '../../src/registry/link.ts';

describe('findNextLink', () => {
  it.each([
    ['</v2/a/tags/list?n=2&last=x>; rel="next"', '/v2/a/tags/list?n=2&last=x'],
    ['<https://r.io/v2/a/tags/list?last=x>; rel="next"', 'https://r.io/v2/a/tags/list?last=x'],
    ['</v2/a?last=x>; rel=next', '/v2/a?last=x'],
    ['/v2/a?last=x; rel=next', '/v2/a?last=x'],
    ['</a>;rel="next"', '/a'],
    ['</a>; Rel="NEXT"', '/a'],
    ['</a>; rel="last next"', '/a'],
    ['</a>; title="x, y"; rel="next"', '/a'],
    ['</first>; rel="first", </b>; rel="next"', '/b'],
    ['</b>; rel="next", </first>; rel="first"', '/b'],
    ['</a,b;c>; rel=next', '/a,b;c'],
    ['<>; rel="next"', ''],
  ])('reads %s', (header, target) => {
    expect(findNextLink(header)).toBe(target);
  });

  it.each([
    '',
    ',',
    ';',
    '<',
    '</a>',
    '</a>; rel="prev"',
    '</a>; rel="nextpage"',
    '</a>; title="next"',
    'next',
  ])('finds nothing in %j', (header) => {
    expect(findNextLink(header)).toBeUndefined();
  });

  it('ends on any text', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('<', '>', ';', ',', '"', '=', 'rel', 'next', ' ', '/a') }),
        (header) => {
          findNextLink(header);
        },
      ),
    );
  });
});
