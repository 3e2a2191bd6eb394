/** Metric labels whose values strangers choose: bounded, so that no tenant can fill the memory of Prometheus. */

/** What counts under one label beyond the bound. */
export const OTHER = 'other';

/** Tells whether a value is among the first `max` different ones. */
export function amongFirst(max: number): (value: string) => boolean {
  const known = new Set<string>();
  return (value) => {
    if (known.size < max) known.add(value);
    return known.has(value);
  };
}
