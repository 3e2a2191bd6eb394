/** What the phases of all controllers are handed in tests: a context, nodes, and objects straight from the store. */

import type { PrepulledImage } from '../../src/api/prepulled-image.ts';
import { CHILD_INDEXES } from '../../src/controllers/image-source/child-identity.ts';
import type { Lister } from '../../src/kube/cache.ts';
import type { Condition } from '../../src/kube/condition.ts';
import type { EventRecorder } from '../../src/kube/events.ts';
import { silentLogger } from '../../src/kube/logger.ts';
import type { PhaseContext } from '../../src/kube/reconciler.ts';
import { formatKey, type KubeObject, type ObjectKey } from '../../src/kube/resource.ts';
import type { FakeApiServer } from '../support/fake-api-server.ts';
import type { ResourceRef } from '../support/fake-api-store.ts';
import type { FakeRegistry } from '../support/fake-registry.ts';

export const IMAGE_SOURCES: ResourceRef = {
  group: 'larder.dev',
  version: 'v1alpha1',
  plural: 'imagesources',
};
export const PREPULLED_IMAGES: ResourceRef = {
  group: 'larder.dev',
  version: 'v1alpha1',
  plural: 'prepulledimages',
};
export const PODS: ResourceRef = { group: '', version: 'v1', plural: 'pods' };

/** 2026-01-01T00:00:00Z, where the stepped clock starts. */
export const NOW = Date.UTC(2026, 0, 1);

export function phaseContext(overrides: Partial<PhaseContext> = {}): PhaseContext {
  const events = { record: () => undefined };
  return {
    log: silentLogger,
    now: NOW,
    signal: new AbortController().signal,
    reconcileId: 'id',
    events,
    key: { namespace: 'default', name: 'lab' },
    requested: false,
    ...overrides,
  };
}

/** A digest of 64 times the same hexadecimal digit. */
export function digestOf(digit: string): string {
  return `sha256:${digit.repeat(64)}`;
}

/** A cache without lag: what the server stores now. */
export function storeLister<T extends KubeObject>(
  server: FakeApiServer,
  ref: ResourceRef,
): Pick<Lister<T>, 'get' | 'list' | 'byIndex'> {
  const list = (): readonly T[] => server.store.list(ref) as unknown as readonly T[];
  return {
    get: (key: ObjectKey): T | undefined =>
      server.store.find(ref, formatKey(key)) as unknown as T | undefined,
    list,
    byIndex: (index: string, value: string): readonly T[] =>
      list().filter((object) => CHILD_INDEXES[index]?.(object as unknown as PrepulledImage).includes(value)),
  };
}

/** Writes down `type reason: message` of each event. */
export function writeDownEvents(lines: string[]): EventRecorder {
  return {
    record: (_subject, { type, reason, message }) => {
      lines.push(`${type} ${reason}: ${message}`);
    },
  };
}

/** `status/reason` of each condition, by type. */
export function conditionWords({
  conditions = [],
}: {
  readonly conditions?: readonly Condition[] | undefined;
}): Readonly<Record<string, string>> {
  return Object.fromEntries(conditions.map(({ type, status, reason }) => [type, `${status}/${reason}`]));
}

/** A person edits some fields of the spec of a stored object, which is of a new generation then. */
export function editSpec(server: FakeApiServer, ref: ResourceRef, key: string, fields: object): void {
  const { metadata, spec, ...rest } = server.store.get(ref, key);
  server.store.put(ref, {
    ...rest,
    spec: { ...(spec as object), ...fields },
    metadata: { ...metadata, generation: Number(metadata['generation'] ?? 0) + 1 },
  });
}

/** `GET w_1` and the like, sorted, without what was asked before the last call. */
export function takeRequests({ apiRequests, log }: FakeRegistry): readonly string[] {
  const seen = apiRequests.map(({ method, path }) => `${method} ${path.split('/').at(-1) ?? ''}`);
  log.length = 0;
  return seen.sort();
}
