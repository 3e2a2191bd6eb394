/**
 * Who refers to the DockerImageRecords of a namespace, by LIST. An annotation cannot be selected by, and a watch of all
 * pods costs memory and traffic for each of them, so the workloads are listed page by page, as metadata only where that
 * tells enough, and nothing is kept but those that name a record.
 */

import type { DockerImageRecord } from '../api/docker-image-record.ts';
import { ANNOTATIONS } from '../api/group-version.ts';
import type { PrepulledImage } from '../api/prepulled-image.ts';
import type { RecordReference } from '../api/record-status.ts';
import { cameTooLate, canonicalImage, imageNames, sortHolders } from '../domain/record-references.ts';
import { type Reference, validateReference } from '../domain/reference.ts';
import { type ListOptions, METADATA_ONLY } from '../kube/call-options.ts';
import type { KubeClient } from '../kube/client.ts';
import { controllerOf, isControlledBy } from '../kube/owner-reference.ts';
import { visitPages } from '../kube/paged-list.ts';
import { apiVersionOf, type KubeObject, type ResourceType } from '../kube/resource.ts';
import { dockerImageRecordType, prepulledImageType } from './kinds.ts';

/** The parts of workloads that are read; metadata-only lists have nothing below `metadata`. */
interface Workload extends KubeObject {
  readonly spec?: {
    readonly containers?: readonly Container[];
    readonly initContainers?: readonly Container[];
    readonly ephemeralContainers?: readonly Container[];
  };
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[] | null;
  };
}

interface Container {
  readonly image?: string;
}

interface WorkloadKind {
  readonly type: ResourceType<Workload>;
  readonly options: Pick<ListOptions, 'accept' | 'fieldSelector' | 'labelSelector'>;
}

function workloadType(group: string, kind: string, plural: string): ResourceType<Workload> {
  return { group, version: 'v1', kind, plural, namespaced: true };
}

/** What has finished uses nothing any more. Our own pull pods hold no record: they would hold it for ever. */
const PODS: WorkloadKind = {
  type: workloadType('', 'Pod', 'pods'),
  options: {
    accept: METADATA_ONLY,
    fieldSelector: 'status.phase!=Succeeded,status.phase!=Failed',
    labelSelector: 'larder.dev/component!=pull-pod',
  },
};
const PODS_WITH_IMAGES: WorkloadKind = { ...PODS, options: { ...PODS.options, accept: undefined } };

const OTHER_WORKLOADS: readonly WorkloadKind[] = [
  { type: workloadType('apps', 'Deployment', 'deployments'), options: { accept: METADATA_ONLY } },
  { type: workloadType('apps', 'StatefulSet', 'statefulsets'), options: { accept: METADATA_ONLY } },
  { type: workloadType('apps', 'DaemonSet', 'daemonsets'), options: { accept: METADATA_ONLY } },
  { type: workloadType('batch', 'CronJob', 'cronjobs'), options: { accept: METADATA_ONLY } },
  // Whole: only the status tells that one has finished.
  { type: workloadType('batch', 'Job', 'jobs'), options: {} },
];

const ANNOTATION_PATH = `metadata.annotations['${ANNOTATIONS.record}']`;
const IMAGE_PATH = 'spec.containers[].image';

/** The workloads of one namespace that refer to records. */
export interface Survey {
  /** By metadata.name of the record that they are annotated with. */
  readonly annotated: ReadonlyMap<string, readonly RecordReference[]>;
  /** Pods by canonical image, of the images that were asked for. */
  readonly podsByImage: ReadonlyMap<string, readonly RecordReference[]>;
  /** Objects that were looked at. */
  readonly looked: number;
}

export interface SurveyOptions {
  /** Canonical names of images whose pods count. Without any, no pod is read whole. */
  readonly images: ReadonlySet<string>;
  readonly signal: AbortSignal;
}

/** One reader of references; keeps nothing between calls. */
export class RecordReferences {
  readonly #client: Pick<KubeClient, 'list' | 'listPage'>;

  constructor(client: Pick<KubeClient, 'list' | 'listPage'>) {
    this.#client = client;
  }

  /** Everything that refers to the record at this moment, sorted. @throws ApiError */
  async find(record: DockerImageRecord, signal: AbortSignal): Promise<readonly RecordReference[]> {
    const { namespace = '' } = record.metadata;
    const [survey, images] = await Promise.all([
      this.survey(namespace, { images: matchedImages(record), signal }),
      this.#client.list(prepulledImageType, { namespace, signal }),
    ]);
    return holdersOf(record, survey, images.items);
  }

  /** @throws ApiError */
  async survey(namespace: string, { images, signal }: SurveyOptions): Promise<Survey> {
    const annotated = new Map<string, RecordReference[]>();
    const podsByImage = new Map<string, RecordReference[]>();
    let looked = 0;
    for (const kind of [images.size > 0 ? PODS_WITH_IMAGES : PODS, ...OTHER_WORKLOADS]) {
      const visited = await this.#visit(kind, { namespace, images, signal });
      looked += visited.looked;
      for (const { record, image, reference } of visited.found) {
        if (record !== undefined) push(annotated, record, reference);
        if (image !== undefined) push(podsByImage, image, reference);
      }
    }
    return { annotated, podsByImage, looked };
  }

  /** Pages are let go as soon as they are read. */
  async #visit(
    { type, options }: WorkloadKind,
    { namespace, images, signal }: SurveyOptions & { readonly namespace: string },
  ): Promise<{ readonly found: readonly Found[]; readonly looked: number }> {
    let found: Found[] = [];
    let looked = 0;
    const visitor = {
      begin: () => {
        found = [];
      },
      page: (items: readonly Workload[]) => {
        looked += items.length;
        found.push(...items.flatMap((item) => findIn(type, item, images)));
      },
    };
    await visitPages(
      (continueToken) => this.#client.listPage(type, { namespace, ...options, continueToken, signal }),
      visitor,
    );
    return { found, looked };
  }
}

/** One way in which a workload refers: by annotation or by image. */
interface Found {
  readonly record?: string;
  readonly image?: string;
  readonly reference: RecordReference;
}

function findIn(type: ResourceType, workload: Workload, images: ReadonlySet<string>): readonly Found[] {
  if (isFinished(workload)) return [];
  const { metadata, spec = {} } = workload;
  const record = metadata.annotations?.[ANNOTATIONS.record];
  const used = images.size === 0 ? [] : imagesOf(spec).filter((image) => images.has(image));
  return [
    ...(record === undefined ? [] : [{ record, reference: reference(type, metadata, ANNOTATION_PATH) }]),
    ...used.map((image) => ({ image, reference: reference(type, metadata, IMAGE_PATH) })),
  ];
}

function imagesOf({
  containers = [],
  initContainers = [],
  ephemeralContainers = [],
}: NonNullable<Workload['spec']>): readonly string[] {
  const names = [...initContainers, ...containers, ...ephemeralContainers].map(({ image = '' }) =>
    canonicalImage(image),
  );
  return [...new Set(names.filter((name) => name !== undefined))];
}

/** Who holds the record: of the workloads in `survey`, and of the PrepulledImages of its namespace. */
export function holdersOf(
  record: DockerImageRecord,
  survey: Pick<Survey, 'annotated' | 'podsByImage'>,
  images: readonly PrepulledImage[],
): readonly RecordReference[] {
  const { name } = record.metadata;
  const byImage = [...matchedImages(record)].flatMap((image) => survey.podsByImage.get(image) ?? []);
  const referring = images.filter((image) => isReferring(image, record)).map(imageReference);
  return sortHolders([...(survey.annotated.get(name) ?? []), ...byImage, ...referring]);
}

/** A PrepulledImage of the record's own making does not hold it, nor one that came when it was being deleted. */
function isReferring(image: PrepulledImage, record: DockerImageRecord): boolean {
  return (
    image.spec.recordRef?.name === record.metadata.name &&
    image.metadata.namespace === record.metadata.namespace &&
    !isControlledBy(image, record) &&
    !isOfPredecessor(image, record) &&
    !cameTooLate(image.metadata, record.metadata)
  );
}

/** Restored from a backup, a record has another uid than the owner its child names; that child goes by itself. */
function isOfPredecessor(image: PrepulledImage, { metadata }: DockerImageRecord): boolean {
  const owner = controllerOf(image);
  return owner?.kind === dockerImageRecordType.kind && owner.name === metadata.name;
}

function imageReference({ metadata }: PrepulledImage): RecordReference {
  return reference(prepulledImageType, metadata, 'spec.recordRef');
}

/** Canonical names by which a pod's image makes it a holder; empty unless the record asks for that. */
export function matchedImages({ spec, status }: DockerImageRecord): ReadonlySet<string> {
  const asked = validateReference(spec.image);
  if (!spec.matchByImage || !asked.ok) return new Set();
  const digest = asked.value.digest ?? (status?.image?.digest as Reference['digest']);
  return imageNames({ ...asked.value, ...(digest !== undefined && { digest }) });
}

function reference(
  type: ResourceType,
  { namespace = '', name, uid }: KubeObject['metadata'],
  fieldPath: string,
): RecordReference {
  return {
    apiVersion: apiVersionOf(type),
    kind: type.kind,
    namespace,
    name,
    ...(uid !== undefined && { uid }),
    fieldPath,
  };
}

/** Jobs that ended; everything else that is listed may still run. */
function isFinished({ status }: Workload): boolean {
  return (status?.conditions ?? []).some(
    ({ type, status: value }) => (type === 'Complete' || type === 'Failed') && value === 'True',
  );
}

function push<T>(map: Map<string, T[]>, key: string, value: T): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [value]);
  else known.push(value);
}
