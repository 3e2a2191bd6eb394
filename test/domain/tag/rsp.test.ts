import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { dayMs, weekMs } from '../../../src/domain/tag/calendar.ts';
import { compareRsp, createRspReader, rankRsp, tieRankRsp } from '../../../src/domain/tag/rsp.ts';
import { formatTagVersion } from '../../../src/domain/tag/tag.ts';

const rsp = createRspReader([]);
const twoEndings = createRspReader(['amd64', 'arm64']);

/** The grammar once more, as one regular expression a form: what the scanner must agree with. */
const TAIL = '(?:_c([0-9]+)\\.([0-9]+))?(?:_rsp([0-9]+))?(?:_(.+?))?(?:-([a-z0-9]+))?$';
const FORMS = [
  ['releaseCandidate', new RegExp(`^r[0-9]+_[0-9]+_[0-9]+_rc[0-9]+${TAIL}`)],
  ['release', new RegExp(`^r[0-9]+_[0-9]+_[0-9]+${TAIL}`)],
  ['weekly', new RegExp(`^w_[0-9]+_[0-9]+${TAIL}`)],
  ['daily', new RegExp(`^d_[0-9]+_[0-9]+_[0-9]+${TAIL}`)],
] as const;

const piece = fc.oneof(
  fc.constantFrom(
    '_',
    '-',
    '.',
    'c',
    '_c',
    '_c20.1',
    '_c0020',
    '_rsp',
    '_rsp19',
    '_rc',
    '_rc1',
    'r',
    'x',
    'exp_',
    '-amd64',
    '-a',
    'A',
  ),
  fc.stringMatching(/^[0-9]{1,3}$/),
);
const tailed = fc
  .tuple(
    fc.constantFrom('r22_0_1', 'r1_2_3_rc4', 'w_2021_22', 'd_2021_05_13', 'r', 'w_', 'd_2021_'),
    fc.array(piece, { maxLength: 5 }),
  )
  .map(([head, pieces]) => head + pieces.join(''));

/** Whether a weekly or daily names a week or day there is; true for all others. */
function hasDate(text: string): boolean {
  const [, letter, year, middle, day] = /^([wd])_([0-9]+)_([0-9]+)(?:_([0-9]+))?/.exec(text) ?? [];
  if (letter === undefined) return true;
  return (
    (letter === 'w'
      ? weekMs(Number(year), Number(middle))
      : dayMs(Number(year), Number(middle), Number(day))) !== undefined
  );
}

function asInteger(digits: string | undefined): unknown {
  return digits === undefined ? null : Number(digits);
}

describe('the RSP scanner', () => {
  it('agrees with the grammar written as regular expressions', () => {
    fc.assert(
      fc.property(tailed, (text) => {
        const tag = rsp.read(text);
        for (const [type, form] of FORMS) {
          const match = form.exec(text);
          if (match === null || !hasDate(text)) continue;
          const [, cycle, build, rspBuild, extra = null, architecture = null] = match;
          expect(tag).toMatchObject({
            extra,
            architecture,
            cycle: asInteger(cycle),
            cycleBuild: asInteger(build),
            rspBuild: asInteger(rspBuild),
          });
          expect(tag.type).toBe(type);
          return;
        }
        expect(tag.type).toBe(/^r[0-9]{3}$/.test(text) ? 'release' : 'unknown');
      }),
      { numRuns: 2000 },
    );
  });

  it('takes names apart as the grammar says', () => {
    fc.assert(
      fc.property(
        fc.array(piece, { minLength: 1, maxLength: 5 }).map((pieces) => `n${pieces.join('')}`),
        (text) => {
          const [, withCycle, cycle, cycleArchitecture] =
            /^(.*?)_c([0-9]+)(?:-([a-z0-9]+))?$/.exec(text) ?? [];
          const [, plain, architecture] = /^(.*?)(?:-([a-z0-9]+))?$/.exec(text) ?? [];
          expect(rsp.read(text)).toMatchObject(
            withCycle === undefined
              ? { base: plain, cycle: null, architecture: architecture ?? null }
              : { base: withCycle, cycle: Number(cycle), architecture: cycleArchitecture ?? null },
          );
        },
      ),
      { numRuns: 1000 },
    );
  });

  it.each([
    ['w_2021_22_DM-12345', { extra: 'DM-12345', architecture: null }, 'Weekly 2021_22 [DM-12345]'],
    ['w_2021_22-foo', { type: 'unknown', architecture: null, base: 'w_2021_22-foo' }, 'w_2021_22-foo'],
    ['w_2021_22-arm64', { type: 'weekly', architecture: 'arm64' }, 'Weekly 2021_22 [arm64]'],
    ['w_2021_22_foo-arm64', { extra: 'foo', architecture: 'arm64' }, 'Weekly 2021_22 [foo] [arm64]'],
    ['my-image', { type: 'unknown', base: 'my-image', architecture: null }, 'my-image'],
    ['exp_my-image', { type: 'experimental', base: 'my-image' }, 'Experimental my-image'],
    [
      'exp_w_2021_22_a-arm64',
      { type: 'experimental', extra: 'a', architecture: 'arm64' },
      'Experimental Weekly 2021_22 [a] [arm64]',
    ],
  ])('with a list of architectures reads %s as %j', (text, fields, name) => {
    const tag = twoEndings.read(text);
    expect(tag).toMatchObject(fields);
    expect(tag.displayName).toBe(name);
  });

  it.each([
    ['', 'unknown', 'latest'],
    ['r170', 'release', 'Release r17.0.0'],
    ['r17', 'unknown', 'r17'],
    ['r1700', 'unknown', 'r1700'],
    ['r17a', 'unknown', 'r17a'],
    ['exp_', 'unknown', 'exp_'],
    ['exp_exp_', 'experimental', 'Experimental exp_'],
    ['exp_exp_x', 'experimental', 'Experimental Experimental x'],
    ['w2021_22', 'unknown', 'w2021_22'],
    ['d2021_05_13', 'unknown', 'd2021_05_13'],
    ['w_2021_53', 'unknown', 'w_2021_53'],
    ['d_2021_02_30', 'unknown', 'd_2021_02_30'],
    ['r22_0_1_rc', 'release', 'Release r22.0.1 [rc]'],
    ['r22_0_1_rc01', 'releaseCandidate', 'Release Candidate r22.0.1-rc01'],
    ['r022_00_01', 'release', 'Release r22.0.1'],
    [
      'w_2021_22_c0020.002_rsp19_foo-amd64',
      'weekly',
      'Weekly 2021_22 (SAL Cycle 0020, Build 002) (RSP Build 19) [foo] [amd64]',
    ],
    ['recommended_c0027-arm64', 'unknown', 'recommended (SAL Cycle 0027) [arm64]'],
  ])('reads %j as %s, shown as %s', (text, type, name) => {
    const tag = rsp.read(text);
    expect(tag.type).toBe(type);
    expect(tag.displayName).toBe(name);
  });

  it('keeps the digits of any number', () => {
    const tag = rsp.read('r9007199254740993_0_0_c99999999999999999999.1_rsp88888888888888888888');
    expect(formatTagVersion(tag)).toBe('9007199254740993.0.0');
    expect(tag).toMatchObject({ cycle: 99_999_999_999_999_999_999n, rspBuild: 88_888_888_888_888_888_888n });
  });

  it('says which versions are semantic ones', () => {
    const tags = ['r22_0_1', 'r22_0_1_rc1', 'w_2021_22', 'd_2021_05_13', 'exp_r22_0_1', 'exp_w_2021_22', 'x'];
    expect(tags.map((tag) => rsp.read(tag).semantic)).toEqual([true, true, false, false, true, false, false]);
  });
});

describe('the RSP order', () => {
  it.each([
    ['exp_w_2021_22', 'exp_zz'],
    ['w_2021_22', 'w_2021_22_c0020.001'],
    ['w_2021_22_c0020.001', 'w_2021_22_c0020.002'],
    ['w_2021_22_rsp9', 'w_2021_22_rsp10'],
    ['w_2021_22_rsp10', 'w_2021_22_c1.1'],
    ['w_2021_22', 'w_2021_22_rsp1'],
    ['w_2021_22_a', 'w_2021_22_b'],
    ['w_2021_22-amd64', 'w_2021_22'],
    ['w_2021_22-amd64', 'w_2021_22-arm64'],
    ['aa', 'zz'],
  ])('has %s before %s', (older, newer) => {
    expect(compareRsp(rsp.read(older), rsp.read(newer))).toBe(-1);
    expect(compareRsp(rsp.read(newer), rsp.read(older))).toBe(1);
  });

  it('has equal tags', () => {
    expect(compareRsp(rsp.read('w_2021_2'), rsp.read('w_2021_02'))).toBe(0);
    expect(compareRsp(rsp.read('r170'), rsp.read('r17_0_0'))).toBe(0);
  });

  it('ranks names above versions', () => {
    expect(rankRsp(rsp.read('exp_x'))).toBeGreaterThan(rankRsp(rsp.read('exp_r99_0_0')));
  });

  it('is never contradicted by the ranks of tags that share a version', () => {
    const number = fc.constantFrom(
      '',
      '0',
      '1',
      '9',
      '65534',
      '65535',
      '131069',
      '131070',
      '131071',
      '9'.repeat(20),
    );
    const tail = fc.tuple(number, number, number).map(([cycle, build, rsp]) => {
      const cycleText = cycle === '' || build === '' ? '' : `_c${cycle}.${build}`;
      return rsp === '' ? cycleText : `${cycleText}_rsp${rsp}`;
    });
    const extra = fc.constantFrom('', '_a', '_zzzzzzz', '_zzzzzzzz', '_~', '_\u00e9a', '_\u00e9b', '-arm64');
    const head = fc.constantFrom(
      'exp_w_2021_22',
      'exp_r22_0_0',
      'exp_r22_0_0_rc2',
      'exp_r22_0_0_rc10',
      'exp_r22_0_65535',
      'exp_r22_0_65536',
      'exp_r9999999_0_0',
      'exp_name',
      'exp_another-name',
      'exp_another-game',
      'exp_another-name-still',
      'exp_anoth\u00e9r-b',
      'exp_anoth\u00e8r-c',
    );
    const tag = fc.tuple(head, tail, extra).map((parts) => rsp.read(parts.join('')));
    fc.assert(
      fc.property(tag, tag, (left, right) => {
        const byRank = rankRsp(left) - rankRsp(right) || tieRankRsp(left) - tieRankRsp(right);
        expect(Math.sign(byRank) * Math.sign(compareRsp(left, right))).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 2000 },
    );
  });

  it('is not told by an extra where the number before it is beyond the ranks', () => {
    const older = rsp.read('w_2021_22_rsp131071_zz');
    const newer = rsp.read('w_2021_22_rsp131072');
    expect(compareRsp(older, newer)).toBeLessThan(0);
    expect(tieRankRsp(older)).toBe(tieRankRsp(newer));
  });

  it('is told by the ranks alone where a tag has only numbers', () => {
    expect(tieRankRsp(rsp.read('w_2021_22'))).toBeLessThan(tieRankRsp(rsp.read('w_2021_22_rsp0')));
    expect(tieRankRsp(rsp.read('w_2021_22_rsp9'))).toBeLessThan(tieRankRsp(rsp.read('w_2021_22_c0.0')));
    expect(tieRankRsp(rsp.read('r22_0_0_rc1'))).toBe(-1);
  });

  it('is told by the ranks of most extras and of the first 14 characters of names', () => {
    expect(tieRankRsp(rsp.read('w_2021_22'))).toBeLessThan(tieRankRsp(rsp.read('w_2021_22_a')));
    expect(tieRankRsp(rsp.read('w_2021_22_a1'))).toBeLessThan(tieRankRsp(rsp.read('w_2021_22_a2')));
    expect(tieRankRsp(rsp.read('w_2021_22_z'))).toBeLessThan(tieRankRsp(rsp.read('w_2021_22_rsp0')));
    expect(rankRsp(rsp.read('name_a'))).toBeLessThan(rankRsp(rsp.read('name_b')));
    expect(rankRsp(rsp.read('a_name_1'))).toBe(rankRsp(rsp.read('a_name_2')));
    expect(tieRankRsp(rsp.read('a_name_1'))).toBeLessThan(tieRankRsp(rsp.read('a_name_2')));
    expect(tieRankRsp(rsp.read('a_name_b_namea'))).toBeLessThan(tieRankRsp(rsp.read('a_name_b_nameb')));
  });
});
