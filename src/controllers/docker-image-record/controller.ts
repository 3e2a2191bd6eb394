/** docker-image-record: what a catalogue entry means, on which nodes it can run, who uses it; and its own PrepulledImage. */

import { type DockerImageRecord, dockerImageRecordDefinition } from '../../api/docker-image-record.ts';
import { RECORD_FINALIZER } from '../../api/group-version.ts';
import type { PrepulledImage } from '../../api/prepulled-image.ts';
import type { Lister } from '../../kube/cache.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Draft, Summary } from '../../kube/conclusion.ts';
import { findCondition } from '../../kube/condition.ts';
import type { Reconciler } from '../../kube/controller.ts';
import { type ObjectSource, objectReconciler, type PhaseContext } from '../../kube/reconciler.ts';
import { formatKey } from '../../kube/resource.ts';
import { minResult, type Result } from '../../kube/result.ts';
import { AppliedSpecs } from '../applied-specs.ts';
import { fitPhase } from '../fit-phase.ts';
import { REQUEST_ANNOTATIONS } from '../kinds.ts';
import { SilentRegistries } from '../silent-registries.ts';
import { acceptPhase } from './accept.ts';
import { type CatalogueOptions, cataloguePhase } from './catalogue.ts';
import { RecordLabels } from './labels.ts';
import { type NodesOptions, nodesPhase } from './nodes.ts';
import { prepullPhase } from './prepull.ts';
import { type PrimaryKeyOptions, primaryKeyPhase } from './primary-key.ts';
import { finalizePhase, type ReferencesOptions, referencesPhase } from './references.ts';
import { type ResolveOptions, resolvePhase } from './resolve.ts';
import { isTruncated, OWNED_CONDITIONS, type Status } from './status.ts';

export interface DockerImageRecordOptions
  extends CatalogueOptions,
    NodesOptions,
    Omit<ReferencesOptions, 'images'>,
    Omit<PrimaryKeyOptions, 'records'>,
    Omit<ResolveOptions, 'attempts' | 'records' | 'silent'> {
  readonly client: KubeClient;
  readonly source: ObjectSource<DockerImageRecord>;
  readonly records: Pick<Lister<DockerImageRecord>, 'list' | 'byIndex'>;
  readonly images: Pick<Lister<PrepulledImage>, 'get' | 'byIndex'>;
}

/** What Ready is made of, in this order. */
const READY_CONDITIONS = ['Accepted', 'Resolved', 'CredentialsReady', 'Available'] as const;

/** Reasons that pass without anybody acting. */
const PASSING_REASONS: ReadonlySet<string> = new Set([
  'CatalogueUnavailable',
  'RegistryUnreachable',
  'RegistryTimeout',
  'RegistryUnavailable',
  'TooManyRequests',
  'InvalidResponse',
]);

export function dockerImageRecordReconciler(options: DockerImageRecordOptions): Reconciler {
  const attempts: ResolveOptions['attempts'] = new Map();
  const silent = new SilentRegistries(options.clock);
  const labels = new RecordLabels(options);
  const references = referencesPhase(options);
  const applied = new AppliedSpecs();
  const prepull = prepullPhase({ ...options, applied });
  const cut = fitPhase(dockerImageRecordDefinition);
  const fit = (record: DockerImageRecord, draft: Draft<Status>): Result => {
    draft.truncated = isTruncated(draft) ? true : undefined;
    return cut(record, draft);
  };
  const reconciler = objectReconciler<DockerImageRecord, Status>({
    source: options.source,
    client: options.client,
    // In the order of what they need: a number only if accepted, the registry only then, nodes by rows and platforms.
    phases: [
      acceptPhase(options),
      primaryKeyPhase(options),
      cataloguePhase(options),
      resolvePhase({ ...options, attempts, silent }),
      nodesPhase(options),
      references,
      fit,
      labels.note,
      // Last, because it may throw, and what was found before must be written all the same.
      prepull,
    ],
    summarise: (_record, draft) => summarise(draft),
    ownedConditions: OWNED_CONDITIONS,
    isSuspended: ({ spec }) => spec.suspend,
    // Who uses it is asked on, and its child is suspended with it.
    suspend: async (
      record: DockerImageRecord,
      draft: Draft<Status>,
      context: PhaseContext,
    ): Promise<Result> =>
      minResult(
        await references(record, draft, context),
        fit(record, draft),
        await prepull(record, draft, context),
      ),
    finalizer: RECORD_FINALIZER,
    needsFinalizer: ({ spec }) => spec.deletionPolicy === 'Protect',
    finalize: finalizePhase(options),
    requestAnnotations: REQUEST_ANNOTATIONS,
    forget: (key) => {
      attempts.delete(formatKey(key));
      applied.forget(formatKey(key));
    },
  });
  return labels.after(reconciler);
}

/** InUse, DeletionBlocked and Schedulable say nothing about the record itself. */
export function summarise(draft: Draft<Status>): Summary {
  for (const type of READY_CONDITIONS) {
    const found = findCondition(draft, type);
    if (found?.status === 'True') continue;
    if (found === undefined) {
      const message = `${type} has not been determined yet`;
      return { status: 'Unknown', reason: 'Progressing', message };
    }
    const { status, reason, message } = found;
    const isPassing = type === 'CredentialsReady' || PASSING_REASONS.has(reason);
    const next = isPassing ? { progressing: { reason: 'ProgressingWithRetry', message } } : { stalled: true };
    return { status, reason, message, ...next };
  }
  const { digest = '' } = draft.image ?? {};
  return { status: 'True', reason: 'Succeeded', message: `The image is ${digest}` };
}
