/** What an ImageSource from a file would find: by a scan of its registry, or in a tag list. */

import type { ImageSource } from '../api/image-source.ts';
import { scan } from '../controllers/image-source/scan.ts';
import { toSelectionSpec } from '../controllers/image-source/selection-spec.ts';
import { parseDuration } from '../domain/duration.ts';
import { runFold } from '../domain/fold.ts';
import { planSelection } from '../domain/selection.ts';
import { concludeSelection, type SourceImages } from '../domain/source-images.ts';
import type { RegistryClient } from '../registry/client.ts';
import { type CliIo, readInput } from './io.ts';
import { openAccess, type RegistryFlags, registryFailure } from './registry-options.ts';
import { compile } from './select.ts';
import { readTagList } from './tag-list.ts';

export interface SourceQuestion {
  readonly source: ImageSource;
  readonly registry: RegistryClient;
  /** Path of a tag list; absent: the registry is asked. */
  readonly tags: string | undefined;
}

export async function findSourceImages(
  io: CliIo,
  flags: RegistryFlags,
  { source: { spec }, registry, tags }: SourceQuestion,
): Promise<SourceImages> {
  const selection = compile(toSelectionSpec(spec));
  const { clock } = io;
  if (tags !== undefined) {
    const plan = runFold(planSelection(selection, readTagList(await readInput(io, tags)), clock.now()));
    const nowhere = {
      digests: new Map(),
      eligibleNodes: new Set<string>(),
      presence: new Map<never, never>(),
    };
    return runFold(concludeSelection(selection, plan, nowhere));
  }
  const signal = AbortSignal.any([io.signal, AbortSignal.timeout(parseDuration(spec.timeout))]);
  try {
    const access = await openAccess(io, flags, spec.access);
    const known = new Map<never, never>();
    const { maxTags } = spec.guard;
    return (await scan({ registry, access, selection, maxTags, known, clock, signal })).images;
  } catch (error) {
    throw registryFailure(error);
  }
}
