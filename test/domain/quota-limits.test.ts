import { beforeEach, describe, expect, it } from 'vitest';
import { QuotaLimits } from '../../src/domain/quota-limits.ts';

const HOUR = 3_600_000;

let quotas: QuotaLimits;

beforeEach(() => {
  quotas = new QuotaLimits();
});

describe('the limit of a quota', () => {
  it('is unknown before it refuses, and of no other namespace', () => {
    quotas.noteAdmitted('lab', 1, 0);
    expect(quotas.limit('lab')).toBeUndefined();
    quotas.noteRefused('lab', 5, 0);
    expect([quotas.limit('lab'), quotas.limit('other')]).toEqual([5, undefined]);
    quotas.forget('lab');
    expect(quotas.limit('lab')).toBeUndefined();
    expect(quotas.noteRefused('lab', 0, 1)).toBe(false);
  });

  it('is how many of ours it has let through, and lets one of ours try if none', () => {
    expect(quotas.noteRefused('lab', 3, 0)).toBe(true);
    expect(quotas.noteRefused('lab', 2, 0)).toBe(true);
    expect(quotas.limit('lab')).toBe(2);
    expect(quotas.noteRefused('lab', 0, 0)).toBe(false);
    expect(quotas.limit('lab')).toBe(1);
  });

  it('is not zero because it counts what it has just let through', () => {
    quotas.noteAdmitted('lab', 1, 1_000);
    expect(quotas.noteRefused('lab', 0, 30_999)).toBe(true);
    expect(quotas.noteRefused('lab', 0, 31_000)).toBe(false);
  });

  it('is not zero because it counts pods that have just ended', () => {
    quotas.noteEnded('lab', 1_000);
    quotas.noteEnded('lab', 500);
    expect(quotas.noteRefused('lab', 0, 30_999)).toBe(true);
    expect(quotas.noteRefused('lab', 0, 31_000)).toBe(false);
  });

  it('grows by one where it is used up, but not right after a refusal', () => {
    quotas.noteRefused('lab', 2, 1_000);
    expect(quotas.noteAdmitted('lab', 2, 5_999)).toBe(false);
    expect(quotas.limit('lab')).toBe(2);
    expect(quotas.noteAdmitted('lab', 1, 6_000)).toBe(false);
    expect(quotas.limit('lab')).toBe(2);
    expect(quotas.noteAdmitted('lab', 2, 6_000)).toBe(true);
    expect(quotas.limit('lab')).toBe(3);
  });

  it('grows at once up to what it has let through within the hour', () => {
    quotas.noteRefused('lab', 3, 0);
    quotas.noteRefused('lab', 0, HOUR - 2);
    expect(quotas.limit('lab')).toBe(1);
    expect(quotas.noteAdmitted('lab', 1, HOUR - 1)).toBe(true);
    expect(quotas.noteAdmitted('lab', 2, HOUR - 1)).toBe(true);
    expect(quotas.limit('lab')).toBe(3);
    expect(quotas.noteAdmitted('lab', 3, HOUR - 1)).toBe(false);
    expect(quotas.limit('lab')).toBe(3);
    quotas.noteRefused('lab', 0, 2 * HOUR - 2);
    expect(quotas.noteAdmitted('lab', 1, 2 * HOUR - 2)).toBe(true);
    quotas.noteRefused('lab', 0, 2 * HOUR - 1);
    expect(quotas.noteAdmitted('lab', 1, 2 * HOUR - 1)).toBe(false);
  });

  it('has let through what pulls at a refusal, too: more than before, or as many again', () => {
    for (const [others, at] of [
      [1, 0],
      [3, 1],
      [3, HOUR],
    ] as const)
      quotas.noteRefused('lab', others, at);
    quotas.noteRefused('lab', 0, HOUR + 1);
    expect(quotas.noteAdmitted('lab', 1, HOUR + 1)).toBe(true);
    expect(quotas.noteAdmitted('lab', 2, HOUR + 1)).toBe(true);
    expect(quotas.limit('lab')).toBe(3);
  });
});
