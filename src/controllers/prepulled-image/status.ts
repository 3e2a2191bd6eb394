/** The status this controller writes, and the conditions in it that are its own. */

import type { PrepulledImageStatus } from '../../api/prepulled-image.ts';

export type Status = PrepulledImageStatus;
export const OWNED_CONDITIONS = ['CredentialsReady', 'Resolved', 'Prepulled'] as const;
