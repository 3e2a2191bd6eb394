import { expect, it } from 'vitest';
import { formatBytes } from '../../../src/controllers/prepulled-image/bytes.ts';

it.each([
  [undefined, undefined],
  [0, '0 B'],
  [1_023, '1023 B'],
  [1_024, '1.0 KiB'],
  [2_222, '2.2 KiB'],
  [102_400, '100 KiB'],
  [10_500_000_000, '9.8 GiB'],
  [5 * 1024 ** 5, '5120 TiB'],
])('%j is %j', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});
