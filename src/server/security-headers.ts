/** Headers that every answer has: nothing is framed, sniffed, or loaded unless its group says so. */

const LOADS_NOTHING = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
const YEAR_SECONDS = 31_536_000;

export function securityHeaders(
  contentSecurityPolicy: string = LOADS_NOTHING,
  isSecure = false,
): readonly (readonly [name: string, value: string])[] {
  return [
    ['content-security-policy', contentSecurityPolicy],
    ['x-content-type-options', 'nosniff'],
    ['x-frame-options', 'DENY'],
    ['referrer-policy', 'no-referrer'],
    ['cross-origin-resource-policy', 'same-origin'],
    ['cross-origin-opener-policy', 'same-origin'],
    ['cache-control', 'no-store'],
    ...(isSecure ? [['strict-transport-security', `max-age=${YEAR_SECONDS}`] as const] : []),
  ];
}
