/** Gauges of sources and images, read from the caches when they are asked for; the same on every replica. */

import { Gauge, type Registry } from 'prom-client';
import type { ImageSource } from '../api/image-source.ts';
import type { PrepulledImage } from '../api/prepulled-image.ts';
import type { PrepulledImageReason } from '../api/reasons.ts';
import { compareNames } from '../domain/sorted-names.ts';
import { findCondition, isConditionTrue } from '../kube/condition.ts';
import { formatKey } from '../kube/resource.ts';

/** Asked at every scrape. */
export interface MeasuredObjects {
  readonly sources: () => readonly ImageSource[];
  readonly images: () => readonly PrepulledImage[];
}

/** Series of one gauge: names come from users. Beyond, the least interesting objects are left out. */
const MAX_SERIES = 200;

interface ObjectGauge<T> {
  readonly name: string;
  readonly help: string;
  /** Undefined: no series for this object. */
  readonly value: (object: T) => number | undefined;
}

const SOURCE_GAUGES: readonly ObjectGauge<ImageSource>[] = [
  {
    name: 'larder_source_ready',
    help: '1 if the last scan of the ImageSource can be trusted; suspended ones are left out.',
    value: ({ spec, status }) => (spec.suspend ? undefined : Number(isConditionTrue(status, 'Ready'))),
  },
  {
    name: 'larder_source_last_scan_timestamp_seconds',
    help: 'End of the last scan that succeeded.',
    value: ({ status }) => secondsOf(status?.lastScanTime),
  },
  {
    name: 'larder_scan_duration_seconds',
    help: 'Length of the last scan that succeeded.',
    value: ({ status }) => {
      const durationMs = status?.scan?.durationMs;
      return durationMs === undefined ? undefined : durationMs / 1000;
    },
  },
  {
    name: 'larder_scan_requests',
    help: 'Requests of the last scan that succeeded.',
    value: ({ status }) => status?.scan?.requests,
  },
  {
    name: 'larder_source_tags',
    help: 'Tags in the list of the registry.',
    value: ({ status }) => status?.scan?.tags,
  },
];

export function objectMetrics(registry: Registry, { sources, images }: MeasuredObjects): void {
  for (const gauge of SOURCE_GAUGES) objectGauge(registry, gauge, () => sources().toSorted(byName));
  objectGauge(registry, MISSING_NODES, () => images().filter(isMissed).toSorted(byMissing));
  objectGauge(registry, NOT_READY, () => images().filter(isInTrouble).toSorted(byName));
}

const MISSING_NODES: ObjectGauge<PrepulledImage> = {
  name: 'larder_image_missing_nodes',
  help: 'Eligible nodes that lack the image; images that none lacks are left out.',
  value: missingNodes,
};

/** Of what cannot even be resolved nobody counts nodes: no figure above would show it. */
const NOT_READY: ObjectGauge<PrepulledImage> = {
  name: 'larder_image_not_ready',
  help: '1 for an image that is not ready for another reason than being stocked; others and suspended ones are left out.',
  value: () => 1,
};

/** Reasons of Ready=False that time alone heals. */
const UNDER_WAY: ReadonlySet<string> = new Set<PrepulledImageReason>(['Stocking', 'Progressing']);

function isInTrouble({ spec, status }: PrepulledImage): boolean {
  const ready = findCondition(status, 'Ready');
  return !spec.suspend && ready?.status === 'False' && !UNDER_WAY.has(ready.reason);
}

function objectGauge<T extends ImageSource | PrepulledImage>(
  registry: Registry,
  { name, help, value }: ObjectGauge<T>,
  objects: () => readonly T[],
): void {
  new Gauge({
    name,
    help,
    labelNames: ['namespace', 'name'] as const,
    registers: [registry],
    collect() {
      this.reset();
      for (const object of objects().slice(0, MAX_SERIES)) {
        const found = value(object);
        const { namespace = '', name: label } = object.metadata;
        if (found !== undefined) this.set({ namespace, name: label }, found);
      }
    },
  });
}

function missingNodes({ status }: PrepulledImage): number {
  const { eligible = 0, present = 0 } = status?.nodes ?? {};
  return eligible - present;
}

function isMissed(image: PrepulledImage): boolean {
  return !image.spec.suspend && missingNodes(image) > 0;
}

function byMissing(left: PrepulledImage, right: PrepulledImage): number {
  return missingNodes(right) - missingNodes(left) || byName(left, right);
}

type Named = Pick<ImageSource | PrepulledImage, 'metadata'>;

function byName(left: Named, right: Named): number {
  return compareNames(formatKey(left.metadata), formatKey(right.metadata));
}

function secondsOf(time: string | undefined): number | undefined {
  const ms = Date.parse(time ?? '');
  return Number.isNaN(ms) ? undefined : ms / 1000;
}
