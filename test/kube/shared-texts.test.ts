import { expect, it } from 'vitest';
import { SharedTexts } from '../../src/kube/shared-texts.ts';

const MIB = 2 ** 20;

/** What JSON.parse makes of the same long text: another string each time. */
function parsed(): string {
  return JSON.parse(`"${'sha256:'.repeat(1_000)}"`) as string;
}

it('keeps equal texts once', () => {
  const texts = new SharedTexts();
  const before = process.memoryUsage().heapUsed;
  const kept = Array.from({ length: 20_000 }, () => texts.share(parsed()));
  expect(new Set(kept).size).toBe(1);
  // 20,000 texts of 7,000 characters are 134 MiB.
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(120 * MIB);
});

it('gives back the text itself, also when it has forgotten others', () => {
  const texts = new SharedTexts();
  for (let n = 0; n < 25_000; n += 1) expect(texts.share(`text ${n}`)).toBe(`text ${n}`);
  expect(texts.share('text 1')).toBe('text 1');
});
