import { expect, it } from 'vitest';
import { Coverage } from '../../src/domain/coverage.ts';
import { needsVerification, verifyPeriodMs } from '../../src/domain/verification.ts';
import { nodeFacts, want } from '../support/stock-builders.ts';

it('nodes take turns over the second half of the interval, each always at the same time', () => {
  const lab = want('lab', { verifyIntervalMs: 1_000 });
  const uids = Array.from(
    { length: 1_000 },
    (_, index) => `6f9c1f0e-0000-4000-8000-${String(index).padStart(12, '0')}`,
  );
  const periods = uids.map((uid) => verifyPeriodMs({ uid }, lab));
  for (const period of periods) expect(period > 500 && period <= 1_000).toBe(true);
  const tenths = Array.from(
    { length: 10 },
    (_, tenth) => periods.filter((period) => Math.floor((period - 500) / 50) === tenth).length,
  );
  for (const count of tenths) expect(count).toBeGreaterThan(30);
  expect(verifyPeriodMs({ uid: uids[7] ?? '' }, lab)).toBe(periods[7]);
});

it('a receipt is believed for the period of its node', () => {
  const lab = want('lab', { verifyIntervalMs: 1_000 });
  const node = nodeFacts('n1');
  const coverage = new Coverage();
  coverage.addReceipt(node, { key: 'sha256:lab', proof: 'pod' }, 0);
  const end = verifyPeriodMs(node, lab);
  expect(needsVerification(coverage, node, lab, end - 1)).toBe(false);
  expect(needsVerification(coverage, node, lab, end)).toBe(true);
});
