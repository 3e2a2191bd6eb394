import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseChallenges, selectChallenge } from '../../src/registry/challenge.ts';

function read(header: string): unknown {
  return parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);
}

describe('parseChallenges', () => {
  it.each([
    [
      'Bearer realm="https://a/token",service="s",scope="repository:a:pull"',
      [['bearer', { realm: 'https://a/token', service: 's', scope: 'repository:a:pull' }]],
    ],
    ['bearer realm=https://a/token,service=s', [['bearer', { realm: 'https://a/token', service: 's' }]]],
    ['Bearer  realm = "x" , service = "y"', [['bearer', { realm: 'x', service: 'y' }]]],
    ['Bearer scope="repository:a:pull,push"', [['bearer', { scope: 'repository:a:pull,push' }]]],
    ['Bearer realm="a\\"b"', [['bearer', { realm: 'a"b' }]]],
    [
      'Basic realm="r", Bearer realm="b"',
      [
        ['basic', { realm: 'r' }],
        ['bearer', { realm: 'b' }],
      ],
    ],
    ['Basic', [['basic', {}]]],
    ['', []],
    ['"', []],
    ['=', []],
  ])('reads %s', (header, expected) => {
    expect(read(header)).toEqual(expected);
  });

  it('ends on any text, quickly', () => {
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.constantFrom('Bearer', '"', '\\', '=', ',', ' ', 'realm', 'x'),
          maxLength: 200,
        }),
        (header) => {
          parseChallenges(header);
        },
      ),
    );
    const started = performance.now();
    parseChallenges(`Bearer realm="${'\\'.repeat(100_000)}`);
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});

describe('selectChallenge', () => {
  it('prefers Bearer to Basic and knows nothing else', () => {
    expect(selectChallenge('Basic realm="r", Bearer realm="b"')?.scheme).toBe('bearer');
    expect(selectChallenge('Negotiate, Basic realm="r"')?.scheme).toBe('basic');
    expect(selectChallenge('Negotiate')).toBeUndefined();
  });
});
