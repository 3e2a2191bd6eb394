/** A pull of an image by digest and by tag, for tests of pull pods. */

import type { PodSettings } from '../../../src/controllers/node-stocker/pull-pod-manifest.ts';
import type { Batch } from '../../../src/domain/stock-plan.ts';

export const NODE = { name: 'n1', uid: '1111-2222' };
export const DIGEST = `sha256:${'a'.repeat(64)}`;
export const TAGGED = `reg.example/lab:w_1@${DIGEST}`;
export const BATCH: Batch = {
  namespace: 'science',
  wants: [],
  pulls: [
    { key: DIGEST, reference: `reg.example/lab@${DIGEST}`, policy: 'IfNotPresent' },
    { key: TAGGED, reference: 'reg.example/lab:w_1', policy: 'Always' },
  ],
};
export const SETTINGS: PodSettings = {
  pullSecrets: ['regcred'],
  serviceAccountName: undefined,
  priorityClassName: 'larder-pull',
  tolerations: [{ key: 'gpu', operator: 'Exists' }],
};
