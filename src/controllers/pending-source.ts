/** Sources whose images nobody can know yet: whoever decides that a node has everything must wait for them. */

import type { ImageSource } from '../api/image-source.ts';
import { findCondition } from '../kube/condition.ts';

/** True until the source was scanned once or has said why it cannot be; sources that stock nothing never are. */
export function isPendingSource({ metadata, spec, status }: ImageSource): boolean {
  if (spec.suspend || spec.prepull === undefined || metadata.deletionTimestamp !== undefined) return false;
  if (status?.lastScanTime !== undefined) return false;
  const ready = findCondition(status, 'Ready');
  return ready === undefined || ready.reason === 'Progressing';
}
