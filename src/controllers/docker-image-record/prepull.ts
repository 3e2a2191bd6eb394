/** Phase: the PrepulledImage that the record owns, on the nodes whose hardware fits, by server-side apply. */

import type { DockerImageRecord } from '../../api/docker-image-record.ts';
import type { PrepullTemplate } from '../../api/prepull.ts';
import type { PrepulledImage } from '../../api/prepulled-image.ts';
import type { Digest } from '../../domain/digest.ts';
import { limitTerms } from '../../domain/hardware-terms.ts';
import type { NodeSelectorTerm } from '../../domain/node.ts';
import { normalisePlatform } from '../../domain/platform.ts';
import {
  formatReference,
  type Reference,
  validateReference,
  withRuntimeDefaults,
} from '../../domain/reference.ts';
import { isConflict, isNotFound } from '../../kube/api-error.ts';
import type { Lister } from '../../kube/cache.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Draft } from '../../kube/conclusion.ts';
import { isConditionTrue } from '../../kube/condition.ts';
import { childName, controllerReference, isControlledBy, ownerName } from '../../kube/owner-reference.ts';
import type { PhaseContext } from '../../kube/reconciler.ts';
import { formatKey } from '../../kube/resource.ts';
import { done, type Result, TerminalError, WaitingError } from '../../kube/result.ts';
import type { AppliedSpecs, ChildSpec } from '../applied-specs.ts';
import { dockerImageRecordType, prepulledImageType } from '../kinds.ts';
import { needsOf } from './catalogue.ts';
import type { Status } from './status.ts';

export interface PrepullOptions {
  readonly client: KubeClient;
  readonly images: Pick<Lister<PrepulledImage>, 'get'>;
  readonly applied: AppliedSpecs;
}

const CONFLICT_RETRY_MS = 60_000;

/** A record that is not accepted or not resolved leaves its child as it is: what was right a moment ago may be again. */
export function prepullPhase(options: PrepullOptions) {
  return async (record: DockerImageRecord, draft: Draft<Status>, context: PhaseContext): Promise<Result> => {
    const { prepull } = record.spec;
    if (prepull === undefined) await removeChild(options, record, context);
    else if (isConditionTrue(draft, 'Accepted') && isConditionTrue(draft, 'Resolved')) {
      const spec = childSpec(record, prepull, draft, childOf(options, record)?.spec.image);
      if (spec !== undefined) await ensureChild(options, record, spec, context);
    }
    return done;
  };
}

/** The same for the same record, also after it was restored under another uid. */
function childNameOf({ metadata }: DockerImageRecord): string {
  return childName(metadata.name, `record ${metadata.name}`);
}

/** Also one of that name that belongs to somebody else. */
function childOf({ images }: PrepullOptions, record: DockerImageRecord): PrepulledImage | undefined {
  const { namespace = '' } = record.metadata;
  return images.get({ namespace, name: childNameOf(record) });
}

/**
 * Undefined as long as nobody knows the digest, or what the nodes must have. While an edited reference is not resolved yet,
 * the child keeps the image that it has.
 */
function childSpec(
  { metadata, spec }: DockerImageRecord,
  template: PrepullTemplate,
  draft: Draft<Status>,
  imageBefore: string | undefined,
): ChildSpec | undefined {
  const reference = validateReference(spec.image);
  const needs = needsOf(spec, draft.resolved);
  if (!reference.ok || needs === undefined) return undefined;
  const digest = reference.value.digest ?? digestOf(reference.value, draft.image);
  const image = digest === undefined ? imageBefore : formatReference({ ...reference.value, digest });
  if (image === undefined) return undefined;
  const terms = limitTerms(needs, onPlatforms(spec, template.nodes?.nodeSelectorTerms));
  if (!terms.ok)
    throw new TerminalError('InvalidSpec', `spec.prepull.nodes.nodeSelectorTerms: ${terms.error}`);
  const nodes = { ...template.nodes, ...(terms.value !== undefined && { nodeSelectorTerms: terms.value }) };
  return {
    ...template,
    image,
    interval: spec.interval,
    suspend: spec.suspend,
    access: spec.access,
    recordRef: { name: metadata.name },
    ...(Object.keys(nodes).length > 0 && { nodes }),
  };
}

/** Undefined if what was resolved last is not this very reference. */
function digestOf(reference: Reference, found: Status['image']): Digest | undefined {
  const { registry, repository, tag } = withRuntimeDefaults(reference);
  const isFound = found?.registry === registry && found.repository === repository && found.tag === tag;
  return isFound ? (found.digest as Digest | undefined) : undefined;
}

/** The image may have more platforms than the record wants to be counted; the child knows only those of the image. */
function onPlatforms(
  { platforms }: DockerImageRecord['spec'],
  given: readonly NodeSelectorTerm[] | undefined,
): readonly NodeSelectorTerm[] | undefined {
  if (platforms === undefined) return given;
  const byOs = Map.groupBy(platforms.map(normalisePlatform), ({ os }) => os);
  const own: readonly NodeSelectorTerm[] = [...byOs].map(([os, entries]) => ({
    matchExpressions: [
      { key: 'kubernetes.io/os', operator: 'In', values: [os] },
      {
        key: 'kubernetes.io/arch',
        operator: 'In',
        values: [...new Set(entries.map(({ architecture }) => architecture))],
      },
    ],
  }));
  if (given === undefined) return own;
  return given.flatMap((term) =>
    own.map(({ matchExpressions = [] }) => ({
      ...term,
      matchExpressions: [...(term.matchExpressions ?? []), ...matchExpressions],
    })),
  );
}

/** Creates or corrects the child. Nothing is sent if it is as wanted. */
async function ensureChild(
  { client, images, applied }: PrepullOptions,
  record: DockerImageRecord,
  spec: ChildSpec,
  { signal, log }: PhaseContext,
): Promise<void> {
  const { namespace = '' } = record.metadata;
  const name = childNameOf(record);
  const current = images.get({ namespace, name });
  if (current !== undefined && !isControlledBy(current, record)) {
    const message = `PrepulledImage ${name} belongs to ${ownerName(current)}; delete or rename it`;
    throw new WaitingError('ChildConflict', message, CONFLICT_RETRY_MS);
  }
  const key = formatKey(record.metadata);
  if (current !== undefined && applied.isAsWanted(key, current, spec)) return;
  const ownerReferences = [controllerReference(dockerImageRecordType, record)];
  const wanted = { metadata: { namespace, name, ownerReferences }, spec };
  applied.note(key, await client.apply(prepulledImageType, wanted, { signal }), spec);
  log.info('prepulled image applied', { child: name, image: spec['image'] });
}

async function removeChild(
  options: PrepullOptions,
  record: DockerImageRecord,
  { signal, log }: PhaseContext,
): Promise<void> {
  const child = childOf(options, record);
  if (child === undefined || !isControlledBy(child, record)) return;
  try {
    const { uid } = child.metadata;
    await options.client.delete(prepulledImageType, child.metadata, { preconditions: { uid }, signal });
    log.info('prepulled image removed', { child: child.metadata.name });
  } catch (error) {
    if (!isNotFound(error) && !isConflict(error)) throw error;
  }
}
