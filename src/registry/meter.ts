/** What one scan cost the registry; handed in by the caller and counted up by the transport. */

/** Counted up by everything it is handed to; read by the caller afterwards. */
export interface ScanMeter {
  /** Every HTTP request sent, token requests, redirects and retries included. */
  requests: number;
  headRequests: number;
  /** Pages of the tag list. */
  pages: number;
}

/** All zero. */
export function newScanMeter(): ScanMeter {
  return { requests: 0, headRequests: 0, pages: 0 };
}
