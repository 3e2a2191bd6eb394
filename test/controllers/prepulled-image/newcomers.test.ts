import { expect, it } from 'vitest';
import { Newcomers } from '../../../src/controllers/prepulled-image/newcomers.ts';

const FOR_MS = 600_000;

function look(newcomers: Newcomers, now: number, eligible: readonly string[], missing: readonly string[]) {
  return newcomers.observe('a', { eligible, missing, now, newForMs: FOR_MS });
}

it('nobody is new at the first look, as after a restart', () => {
  expect(look(new Newcomers(), 0, ['n1'], ['n1'])).toEqual({ missing: 0 });
});

it('a node is new for a while, as long as it lacks the image', () => {
  const newcomers = new Newcomers();
  look(newcomers, 0, ['n1'], []);
  expect(look(newcomers, 1_000, ['n1', 'n2'], ['n2'])).toEqual({ missing: 1, lookAfterMs: FOR_MS });
  expect(look(newcomers, 301_000, ['n1', 'n2', 'n3'], ['n2', 'n3'])).toEqual({
    missing: 2,
    lookAfterMs: 300_000,
  });
  expect(newcomers.missing('a')).toBe(2);
  expect(look(newcomers, 601_000, ['n1', 'n2', 'n3'], ['n2', 'n3'])).toEqual({
    missing: 1,
    lookAfterMs: 300_000,
  });
  expect(look(newcomers, 602_000, ['n1', 'n2', 'n3'], ['n2'])).toEqual({ missing: 0 });
});

it('a node that comes back is new once more', () => {
  const newcomers = new Newcomers();
  look(newcomers, 0, ['n1'], []);
  look(newcomers, 1_000, [], []);
  expect(look(newcomers, 2_000, ['n1'], ['n1']).missing).toBe(1);
});

it('images are looked at each on its own, and forgotten', () => {
  const newcomers = new Newcomers();
  look(newcomers, 0, [], []);
  look(newcomers, 1, ['n1'], ['n1']);
  expect(newcomers.missing('b')).toBe(0);
  newcomers.forget('a');
  expect(newcomers.missing('a')).toBe(0);
  expect(look(newcomers, 2, ['n1'], ['n1'])).toEqual({ missing: 0 });
});
