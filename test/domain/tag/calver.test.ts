import { describe, expect, it } from 'vitest';

import { readCalVer } from '../../../src/domain/tag/calver.ts';
import { formatDate, formatTagVersion } from '../../../src/domain/tag/tag.ts';

describe('calendar versions', () => {
  it.each([
    ['2024.06.01', '2024.6.1', '2024-06-01T00:00:00Z'],
    ['2024-06-01', '2024.6.1', '2024-06-01T00:00:00Z'],
    ['2024_6_1', '2024.6.1', '2024-06-01T00:00:00Z'],
    ['24.04', '2024.4.0', '2024-04-01T00:00:00Z'],
    ['v2024.06', '2024.6.0', '2024-06-01T00:00:00Z'],
    ['2024.6.150', '2024.6.150', '2024-06-01T00:00:00Z'],
    ['2024.06.01.2', '2024.6.1.2', '2024-06-01T00:00:00Z'],
    ['20240601', '2024.6.1', '2024-06-01T00:00:00Z'],
    ['20240601-1530', '2024.6.1.1530', '2024-06-01T00:00:00Z'],
    ['20240601T153000', '2024.6.1.153000', '2024-06-01T00:00:00Z'],
  ])('reads %s as version %s of %s', (text, version, date) => {
    const tag = readCalVer(text);
    expect(tag).toMatchObject({ type: 'release', semantic: false, extra: null, displayName: text });
    expect(formatTagVersion(tag)).toBe(version);
    expect(formatDate(tag.dateMs)).toBe(date);
  });

  it.each([
    ['2024.06.01-rc1', 'releaseCandidate', null],
    ['2024.06-beta.2', 'releaseCandidate', null],
    ['20240601-dev', 'releaseCandidate', null],
    ['2024.06.01-slim', 'release', 'slim'],
    ['2024.06.01-alpine3.20', 'release', 'alpine3.20'],
  ])('reads the modifier of %s: %s, extra %s', (text, type, extra) => {
    expect(readCalVer(text)).toMatchObject({ type, extra });
  });

  it.each([
    'latest',
    '2024',
    '2024.13',
    '2024.00.01',
    '20240230',
    '20241301',
    '1.2.3',
    '2024.06-01',
    '2024.06.',
    '2024..06',
    'x2024.06',
  ])('reads %s as a name', (text) => {
    expect(readCalVer(text)).toMatchObject({ type: 'unknown', version: null, base: text, dateMs: null });
  });
});
