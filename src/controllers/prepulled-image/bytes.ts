/** Sizes for people. */

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** 2222 is "2.2 KiB", 10500000000 is "9.8 GiB"; undefined stays undefined. */
export function formatBytes(bytes: number | undefined): string | undefined {
  if (bytes === undefined) return undefined;
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  return `${value.toFixed(digits)} ${UNITS[unit] ?? ''}`;
}
