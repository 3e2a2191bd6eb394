/** The labels of a record: written after its status, because a write in between would make that one come too late. */

import type { DockerImageRecord } from '../../api/docker-image-record.ts';
import { LABELS } from '../../api/group-version.ts';
import { labelSlug } from '../../domain/label-slug.ts';
import { isNotFound } from '../../kube/api-error.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Draft } from '../../kube/conclusion.ts';
import type { ReconcileContext, Reconciler } from '../../kube/controller.ts';
import type { ObjectSource } from '../../kube/reconciler.ts';
import { formatKey, type ObjectKey } from '../../kube/resource.ts';
import { done, type Result } from '../../kube/result.ts';
import { dockerImageRecordType } from '../kinds.ts';
import type { Status } from './status.ts';

type Labels = Readonly<Record<string, string>>;

/** The labels that a record should have of ours; a name that leaves nothing for a label has none. */
function labelsOf({ spec }: DockerImageRecord, pk: number | undefined): Labels {
  const { framework } = spec;
  const named: readonly (readonly [key: string, value: string])[] = [
    [LABELS.pk, pk?.toString() ?? ''],
    [LABELS.domain, spec.domain ?? ''],
    [LABELS.framework, framework === undefined ? '' : labelSlug(`${framework.name}-${framework.version}`)],
    [LABELS.minHardware, labelSlug(spec.minHardwareGeneration ?? '')],
    [LABELS.licence, labelSlug(spec.licence ?? '')],
  ];
  const tasks = (spec.tasks ?? []).map(taskName).filter((task) => task !== '');
  return Object.fromEntries([
    ...named.filter(([, value]) => value !== ''),
    ...tasks.map((task) => [`${LABELS.taskPrefix}${task}`, ''] as const),
  ]);
}

/** Tasks keep their capitals: the name of a label may have them, and people write `Train`. */
function taskName(task: string): string {
  return task
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 63)
    .replace(/[^A-Za-z0-9]+$/, '');
}

interface Wanted {
  readonly uid: string | undefined;
  readonly labels: Labels;
}

export interface LabelOptions {
  readonly client: KubeClient;
  readonly source: ObjectSource<DockerImageRecord>;
}

/**
 * Clients of the REST API find a record by the label of its key, and backups keep labels but no status. Notes in the
 * last phase what the labels should be, and writes them when the pass is over.
 */
export class RecordLabels {
  readonly #options: LabelOptions;
  readonly #wanted = new Map<string, Wanted>();

  constructor(options: LabelOptions) {
    this.#options = options;
  }

  /** Phase. */
  note = (record: DockerImageRecord, draft: Draft<Status>): Result => {
    const { uid } = record.metadata;
    this.#wanted.set(formatKey(record.metadata), { uid, labels: labelsOf(record, draft.pk) });
    return done;
  };

  /** The same reconciler, after which the labels are right, whatever it ended with. */
  after(reconciler: Reconciler): Reconciler {
    return {
      reconcile: async (key, context) => {
        try {
          return await reconciler.reconcile(key, context);
        } finally {
          await this.#write(key, context);
        }
      },
    };
  }

  async #write(key: ObjectKey, { signal }: ReconcileContext): Promise<void> {
    const { client, source } = this.#options;
    const wanted = this.#wanted.get(formatKey(key));
    this.#wanted.delete(formatKey(key));
    const stored = source.lister.get(key)?.metadata;
    if (wanted === undefined || stored === undefined) return;
    const labels = changes(stored.labels ?? {}, wanted.labels);
    if (Object.keys(labels).length === 0) return;
    try {
      const { uid } = wanted;
      await client.patch(dockerImageRecordType, key, { metadata: { uid, labels } }, { signal });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}

/** A merge patch: what is new or different, and null for what is ours and no longer wanted. */
function changes(stored: Labels, wanted: Labels): Readonly<Record<string, string | null>> {
  const ours = new Set<string>([
    LABELS.pk,
    LABELS.domain,
    LABELS.framework,
    LABELS.minHardware,
    LABELS.licence,
  ]);
  const gone = Object.keys(stored).filter(
    (key) => (ours.has(key) || key.startsWith(LABELS.taskPrefix)) && !(key in wanted) && key !== LABELS.pk,
  );
  const written = Object.entries(wanted).filter(([key, value]) => stored[key] !== value);
  return Object.fromEntries([...gone.map((key) => [key, null] as const), ...written]);
}
