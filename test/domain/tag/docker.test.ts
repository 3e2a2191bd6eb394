import { describe, expect, it } from 'vitest';

import { compareDocker, readDocker, trackOf } from '../../../src/domain/tag/docker.ts';
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

  it('takes leading zeros for nothing', () => {
    expect(compareDocker(readDocker('18.04'), readDocker('18.4'))).toBe(0);
  });
});
