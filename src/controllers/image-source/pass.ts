/** What a phase of an ImageSource is given. */

import type { ImageSource, ImageSourceStatus } from '../../api/image-source.ts';
import type { Draft } from '../../kube/conclusion.ts';
import type { PhaseContext } from '../../kube/reconciler.ts';
import type { SourceMemory } from './scan-memory.ts';

export interface Pass {
  readonly source: ImageSource;
  readonly draft: Draft<ImageSourceStatus>;
  readonly context: PhaseContext;
}

/** With what the last scan has left. */
export interface RememberedPass extends Pass {
  readonly before: SourceMemory | undefined;
}
