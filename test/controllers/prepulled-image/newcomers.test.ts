import { beforeEach, describe, expect, it } from 'vitest';
import { Newcomers } from '../../../src/controllers/prepulled-image/newcomers.ts';

describe('Newcomers', () => {
  let newcomers: Newcomers;
  const look = (eligible: string[], missing: string[], now: number) =>
    newcomers.observe('ns/lab', { eligible, missing, now, newForMs: 600 });

  beforeEach(() => {
    newcomers = new Newcomers();
  });

  it('takes nobody for new who is there at the first look', () => {
    expect(look(['a', 'b'], ['a', 'b'], 0)).toEqual({ missing: 0 });
  });

  it('counts a node that joins, until its time is over', () => {
    look(['a'], [], 0);
    expect(look(['a', 'b'], ['b'], 100)).toEqual({ missing: 1, lookAfterMs: 600 });
    expect(look(['a', 'b'], ['b'], 400)).toEqual({ missing: 1, lookAfterMs: 300 });
    expect(newcomers.missing('ns/lab')).toBe(1);
    expect(look(['a', 'b'], ['b'], 700)).toEqual({ missing: 0 });
    expect(newcomers.missing('ns/lab')).toBe(0);
  });

  it('looks again when the first of several is no longer new', () => {
    look([], [], 0);
    look(['a'], ['a'], 100);
    expect(look(['a', 'b'], ['a', 'b'], 300)).toEqual({ missing: 2, lookAfterMs: 400 });
  });

  it('takes a node for new again that left and came back', () => {
    look(['a', 'b'], [], 0);
    look(['a'], [], 100);
    expect(look(['a', 'b'], ['b'], 200).missing).toBe(1);
  });

  it('keeps images apart, and forgets', () => {
    look(['a'], [], 0);
    look(['a', 'b'], ['b'], 10);
    expect(newcomers.missing('ns/other')).toBe(0);
    newcomers.forget('ns/lab');
    expect(look(['a', 'b'], ['b'], 20)).toEqual({ missing: 0 });
  });
});
