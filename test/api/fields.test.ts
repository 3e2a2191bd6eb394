import { describe, expect, test } from 'vitest';
import { durationMs } from '../../src/api/duration.ts';
import {
  celString,
  dateOrTime,
  duration,
  listMap,
  localReference,
  map,
  objectName,
  set,
  text,
  time,
} from '../../src/api/fields.ts';

test('lengths are counted in characters, as the API server does', () => {
  const four = text(4, 2);
  expect(four.safeParse('\u{1f600}'.repeat(4)).success).toBe(true);
  expect(four.safeParse('\u{1f600}'.repeat(5)).success).toBe(false);
  expect(four.safeParse('\u{1f600}').error?.issues[0]?.message).toBe('must have 2 to 4 characters');
});

test.each([
  ["it's", String.raw`'it\'s'`],
  [String.raw`\d`, String.raw`'\\d'`],
])('CEL writes %s as %s', (value, literal) => {
  expect(celString(value)).toBe(literal);
});

describe('durations', () => {
  test.each([
    ['5m', 300_000],
    ['1h30m', 5_400_000],
    ['1.5s', 1500],
    ['250ms', 250],
    ['1m1ms', 60_001],
    ['', 0],
  ])('%s is %d ms', (text_, ms) => {
    expect(durationMs(text_)).toBe(ms);
  });

  test.each(['10s', '10.0s', '1m', '0.5h', '10000ms', '0h10s', '9999999ms'])(
    '%s is at least 10s',
    (value) => {
      expect(duration('10s').safeParse(value).success).toBe(true);
    },
  );

  test.each(['9s', '9.999s', '10', '10 s', '1d', 'PT10S', '-10s', '1h1h1h1h1h', '', '10s\n'])(
    '%j is refused',
    (value) => {
      expect(duration('10s').safeParse(value).error?.issues[0]?.message).toBe(
        'must be a duration such as "90s", "5m" or "1h30m", at least 10s',
      );
    },
  );
});

describe('instants', () => {
  test.each(['2026-01-31T12:00:00Z', '2024-02-29T23:59:59.123+14:00'])('%s is one', (value) => {
    expect(time().safeParse(value).success).toBe(true);
    expect(dateOrTime().safeParse(value).success).toBe(true);
  });

  test.each(['2026-02-30T00:00:00Z', '2026-01-31T24:00:00Z', '2026-01-31 12:00:00Z', '2026-01-31T12:00:00'])(
    '%s is none',
    (value) => {
      expect(dateOrTime().safeParse(value).success).toBe(false);
    },
  );

  test('a day alone is a date, not an instant', () => {
    expect(dateOrTime().safeParse('2026-01-31').success).toBe(true);
    expect(time().safeParse('2026-01-31').success).toBe(false);
  });
});

test.each([
  ['a', true],
  ['a.b-c', true],
  ['a'.repeat(253), true],
  ['A', false],
  ['-a', false],
  ['a.', false],
  ['', false],
])('object name %j: %s', (name, valid) => {
  expect(objectName().safeParse(name).success).toBe(valid);
});

test('sets, list maps and maps have unique, bounded entries', () => {
  expect(set(text(3), 3).safeParse(['a', 'a']).error?.issues[0]?.message).toBe('entries must be unique');
  const secrets = listMap(localReference('Secret'), 'name', 2);
  expect(secrets.safeParse([{ name: 'a' }, { name: 'a' }]).error?.issues[0]?.message).toBe(
    'entries must differ in name',
  );
  const labels = map(text(3), 1, 2);
  expect(labels.safeParse({ a: 'x' }).success).toBe(true);
  expect(labels.safeParse({ a: 'x', b: 'y' }).error?.issues[0]?.message).toBe('must have at most 1 entries');
  expect(labels.safeParse({ abc: 'x' }).error?.issues[0]?.message).toBe(
    'keys must have at most 2 characters',
  );
});
