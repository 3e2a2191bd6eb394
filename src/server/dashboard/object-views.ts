/** From objects of the API to what the pages show of them. */

import type { Condition } from '../../api/conditions.ts';
import type { ImageSource, NamedImage, SelectedImage } from '../../api/image-source.ts';
import { isHeldBackEverywhere, type PrepulledImage } from '../../api/prepulled-image.ts';
import type { NodeFacts } from '../../domain/node.ts';
import { taintMessage } from '../../domain/node.ts';
import { validateReference } from '../../domain/reference.ts';
import type { MissingNode } from '../../domain/stock-report.ts';
import { findCondition, isConditionTrue } from '../../kube/condition.ts';
import type { ImageCoverage } from '../image-coverage.ts';
import type {
  ConditionView,
  Health,
  HealthView,
  ImageView,
  MissingView,
  NamedImageView,
  NodeView,
  ObjectName,
  SourceView,
} from './model.ts';

/** The two kinds that have health. */
type Watched = ImageSource | PrepulledImage;

/** Reasons of Ready=False that time alone mends. */
const AT_WORK: ReadonlySet<string> = new Set(['Progressing', 'Stocking']);

/** Suspended wins over what the conditions say. */
export function healthOf({ spec, status, metadata }: Watched): HealthView {
  const ready = findCondition(status, 'Ready');
  const since = timeOf(ready?.lastTransitionTime) ?? timeOf(metadata.creationTimestamp);
  if (ready === undefined)
    return { health: 'Unknown', reason: 'New', message: 'Larder has not looked at it yet.', since };
  const { reason, message } = ready;
  return { health: spec.suspend ? 'Suspended' : judge(ready, status), reason, message, since };
}

function judge(ready: Condition, status: Watched['status']): Health {
  if (isConditionTrue(status, 'Stalled')) return 'Failing';
  if (ready.status === 'True') return 'Ready';
  if (ready.status === 'Unknown' || AT_WORK.has(ready.reason)) return 'Working';
  return 'Failing';
}

export function nameOf({ metadata }: Watched): ObjectName {
  return { namespace: metadata.namespace ?? '', name: metadata.name };
}

export function sourceView(source: ImageSource): SourceView {
  const { status = {}, spec } = source;
  const { counts = {} } = status;
  return {
    ...nameOf(source),
    ...healthOf(source),
    image: spec.image,
    recommended: status.recommended?.tag,
    selected: counts.selected ?? 0,
    prepulled: counts.prepulled ?? 0,
    known: counts.known,
    lastScan: timeOf(status.lastScanTime),
    nextScan: timeOf(status.nextScanTime),
  };
}

export function conditionViews({ status }: Watched): readonly ConditionView[] {
  return (status?.conditions ?? []).map(({ lastTransitionTime, ...condition }) => ({
    ...condition,
    since: timeOf(lastTransitionTime),
  }));
}

const NAMED = [
  ['Recommended', 'recommended'],
  ['Latest release', 'latestRelease'],
  ['Latest weekly', 'latestWeekly'],
  ['Latest daily', 'latestDaily'],
] as const;

export function namedImages({ status = {} }: ImageSource): readonly NamedImageView[] {
  return NAMED.flatMap(([label, field]) => {
    const image: NamedImage | undefined = status[field];
    return image === undefined
      ? []
      : [{ label, tag: image.tag, title: image.name, prepulled: image.prepulled }];
  });
}

/** A selected image, with its child if it has one. */
export function selectedImage(image: SelectedImage, child: ImageCoverage | undefined): ImageView {
  return {
    tag: image.tag,
    title: image.name,
    type: image.type,
    digest: image.digest,
    aliases: image.aliases ?? [],
    rules: image.rules ?? [],
    date: timeOf(image.date),
    prepulled: image.prepulled,
    ...(child !== undefined && childFields(child)),
  };
}

function childFields({
  image,
  present,
  eligible,
}: ImageCoverage): Pick<ImageView, 'size' | 'nodes' | 'object'> {
  return { size: image.status?.size, nodes: { present, eligible }, object: nameOf(image) };
}

/** A PrepulledImage by itself. */
export function imageView(coverage: ImageCoverage): ImageView {
  const { image, prepulled } = coverage;
  const described = image.status?.image;
  return {
    tag: tagOf(image),
    title: described?.displayName ?? '',
    type: described?.type,
    digest: digestOf(image),
    aliases: described?.aliases ?? [],
    rules: [],
    date: timeOf(described?.date),
    prepulled,
    ...childFields(coverage),
  };
}

/** The digest that was resolved, else the one that was asked for. */
export function digestOf({ spec, status }: PrepulledImage): string | undefined {
  const asked = validateReference(spec.image);
  return status?.image?.digest ?? (asked.ok ? asked.value.digest : undefined);
}

/** The tag, or the beginning of the digest. */
export function tagOf(image: PrepulledImage): string {
  const asked = validateReference(image.spec.image);
  const tag = asked.ok ? asked.value.tag : undefined;
  return tag ?? digestOf(image)?.slice(0, 'sha256:'.length + 12) ?? image.metadata.name;
}

/** registry/repository as it was asked for. */
export function repositoryOf({ spec: { image } }: PrepulledImage): string {
  const asked = validateReference(image);
  return asked.ok ? `${asked.value.registry}/${asked.value.repository}` : image;
}

/** repository:tag without the registry, which nobody confuses. */
export function titleOf(image: PrepulledImage): string {
  const asked = validateReference(image.spec.image);
  return asked.ok ? `${asked.value.repository}:${tagOf(image)}` : image.spec.image;
}

/** One row of what is missing, with the time of the next attempt where the image as a whole is held back. */
export function missingView(image: PrepulledImage, missing: MissingNode): MissingView {
  const { state } = missing;
  const { backoff } = image.status ?? {};
  const isHeldBack = isHeldBackEverywhere(backoff) && (state === 'Failed' || state === 'Waiting');
  return {
    node: missing.node,
    image: nameOf(image),
    imageTitle: titleOf(image),
    state,
    reason: missing.reason,
    message: missing.message,
    attempts: missing.attempts,
    lastAttempt: missing.lastAttempt,
    nextAttempt: isHeldBack ? timeOf(backoff?.nextAttempt) : undefined,
  };
}

export function nodeView(node: NodeFacts): NodeView {
  const { name, ready, labels, architecture, taints, unschedulable, conditions } = node;
  const remarks = [
    unschedulable ? 'Cordoned' : '',
    conditions.diskPressure ? 'Disk pressure' : '',
    conditions.memoryPressure ? 'Memory pressure' : '',
    conditions.pidPressure ? 'PID pressure' : '',
    // The taint of a cordon says the same again.
    ...taints.filter(({ key }) => key !== 'node.kubernetes.io/unschedulable').map(taintMessage),
  ];
  return { name, ready, labels, architecture, remarks: remarks.filter((remark) => remark !== '') };
}

/** Milliseconds since the epoch; undefined for what is no time. */
export function timeOf(text: string | undefined): number | undefined {
  const time = Date.parse(text ?? '');
  return Number.isNaN(time) ? undefined : time;
}
