import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  compareDocker,
  rankDocker,
  readDocker,
  tieRankDocker,
  trackOf,
} from '../../../src/domain/tag/docker.ts';
import { formatTagVersion } from '../../../src/domain/tag/tag.ts';

describe('Docker tags', () => {
  it.each([
    ['1.2.3-alpine3.20', 'release', '1.2.3', 'alpine3.20', '1.2.3 [alpine3.20]'],
    ['1.2.3', 'release', '1.2.3', null, '1.2.3'],
    ['v1.2', 'release', '1.2.0', null, '1.2'],
    ['3', 'release', '3.0.0', null, '3'],
    ['1.2.3b1-alpine', 'releaseCandidate', '1.2.3-b1', 'alpine', '1.2.3-b1 [alpine]'],
    ['1.2.3.4.5', 'release', '1.2.3.4.5', null, '1.2.3.4.5'],
    ['3.8.3-SNAPSHOT', 'releaseCandidate', '3.8.3', 'SNAPSHOT', '3.8.3 [SNAPSHOT]'],
    ['3.8.3-1-SNAPSHOT', 'releaseCandidate', '3.8.3', '1-SNAPSHOT', '3.8.3 [1-SNAPSHOT]'],
    ['1.2-', 'release', '1.2.0', null, '1.2'],
    ['123098140293', 'release', '123098140293.0.0', null, '123098140293'],
  ])('reads %s as %s %s, variant %s', (...fields) => {
    const [text, type, version, extra, name] = fields;
    const tag = readDocker(text);
    expect(tag).toMatchObject({ tag: text, type, extra, semantic: true });
    expect(formatTagVersion(tag)).toBe(version);
    expect(tag.displayName).toBe(name);
  });

  it.each([
    'latest',
    'alpine',
    '0a1b2c3',
    '0a1b2c3d4e5f6a7b8c9d0a1b2c3d4e5f6a7b8c9d',
    '',
    'v',
    '1..2',
    '.1',
    '1.2.3+x',
  ])('reads %s as a name', (text) => {
    expect(readDocker(text)).toMatchObject({ type: 'unknown', version: null, base: text });
  });

  it('has tracks of variant and precision', () => {
    expect(trackOf(readDocker('1.2.3-alpine'))).toBe(trackOf(readDocker('2.0.0-alpine')));
    expect(trackOf(readDocker('1.2-alpine'))).not.toBe(trackOf(readDocker('1.2.3-alpine')));
    expect(trackOf(readDocker('1.2.3'))).not.toBe(trackOf(readDocker('1.2.3-alpine')));
    expect(trackOf(readDocker('latest'))).toBeUndefined();
  });

  it.each([
    ['1.2.3', '1.2'],
    ['1.2', '1'],
    ['1.2.3', '1.2.4'],
    ['18.1', '18.04'],
    ['1.2.3b1', '1.2.3'],
    ['1.2.3b1', '1.2.3b2'],
    ['1.2.3-b', '1.2.3-a'],
    ['1.2.3-a', '1.2.3'],
    ['latest', '0.0.1'],
    ['aa', 'bb'],
  ])('has %s before %s', (older, newer) => {
    expect(compareDocker(readDocker(older), readDocker(newer))).toBe(-1);
    expect(compareDocker(readDocker(newer), readDocker(older))).toBe(1);
  });

  it('is never contradicted by the ranks', () => {
    const number = fc.constantFrom(
      '0',
      '1',
      '67108861',
      '67108862',
      '67108863',
      '9007199254740993',
      '9'.repeat(20),
    );
    const release = fc.array(number, { minLength: 1, maxLength: 4 }).map((numbers) => numbers.join('.'));
    const suffix = fc.constantFrom('', 'b1', '-alpine', '-SNAPSHOT');
    const name = fc.constantFrom('latest', 'a-name-of-someone', 'a-name-of-somebody');
    const tag = fc.oneof(
      fc.tuple(release, suffix).map((parts) => readDocker(parts.join(''))),
      name.map(readDocker),
    );
    fc.assert(
      fc.property(tag, tag, (left, right) => {
        const byRank = rankDocker(left) - rankDocker(right) || tieRankDocker(left) - tieRankDocker(right);
        expect(Math.sign(byRank) * compareDocker(left, right)).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 2000 },
    );
  });

  it('is told by the ranks alone up to the third number', () => {
    const ranks = ['latest', '1.2.3', '1.2.4', '1.2', '1.3.0', '1', '2.0.0'].map((text) => {
      const tag = readDocker(text);
      return [rankDocker(tag), tieRankDocker(tag)] as const;
    });
    const ascends = ranks.every(([rank, tieRank], index) => {
      const [lower, lowerTie] = ranks[index - 1] ?? [Number.NEGATIVE_INFINITY, 0];
      return lower < rank || (lower === rank && lowerTie < tieRank);
    });
    expect(ascends).toBe(true);
  });

  it('takes leading zeros for nothing', () => {
    expect(compareDocker(readDocker('18.04'), readDocker('18.4'))).toBe(0);
  });
});
