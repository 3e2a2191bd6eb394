import { expect, it } from 'vitest';
import { defaultRules } from '../../src/domain/default-rules.ts';

const told = (grammar: Parameters<typeof defaultRules>[0]) =>
  defaultRules(grammar).map(({ name, selector, newest }) => [name, selector, newest]);

it('are those of the original for RSP', () => {
  expect(told('RSP')).toEqual([
    ['releases', { kind: 'type', type: 'release' }, 1],
    ['weeklies', { kind: 'type', type: 'weekly' }, 2],
    ['dailies', { kind: 'type', type: 'daily' }, 3],
  ]);
});

it.each(['SemVer', 'Docker', 'CalVer', 'Plain'] as const)(
  'are the newest stable version for %s',
  (grammar) => {
    expect(told(grammar)).toEqual([['stable', { kind: 'type', type: 'release' }, 1]]);
  },
);
