/** What scans and updates have noted in the status. It is noted again in each pass: the write of one may fail. */

import type { ImageSourceStatus } from '../../api/image-source.ts';
import type { Draft } from '../../kube/conclusion.ts';
import { type Condition, findCondition, setCondition } from '../../kube/condition.ts';
import { CREDENTIALS_READY } from '../credentials-condition.ts';

export interface ScanNotes
  extends Pick<
    ImageSourceStatus,
    'lastScanTime' | 'nextScanTime' | 'failedScans' | 'scan' | 'rejected' | 'lastHandledPush'
  > {
  readonly credentials: Condition | undefined;
}

export function takeNotes(draft: Draft<ImageSourceStatus>): ScanNotes {
  const { lastScanTime, nextScanTime, failedScans, scan, rejected, lastHandledPush } = draft;
  const credentials = findCondition(draft, CREDENTIALS_READY);
  return { lastScanTime, nextScanTime, failedScans, scan, rejected, lastHandledPush, credentials };
}

/** Changes nothing where the status says so already. `now`: wall-clock milliseconds. */
export function repeatNotes(
  draft: Draft<ImageSourceStatus>,
  { credentials, ...fields }: ScanNotes,
  now: number,
): void {
  Object.assign(draft, fields);
  if (credentials === undefined) return;
  setCondition(draft, credentials, { now, generation: credentials.observedGeneration });
}
