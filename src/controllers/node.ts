/** Nodes as the informer keeps them: little more than the facts that stocking asks for. */

import type { NodeFacts, NodeImage, Taint } from '../domain/node.ts';
import type { KubeObject, RawObject, ResourceType } from '../kube/resource.ts';

/** A Node without the parts that nobody reads. */
export interface NodeObject extends KubeObject {
  readonly facts: NodeFacts;
}

/** How the API addresses Nodes. */
export const nodeType: ResourceType<NodeObject> = {
  group: '',
  version: 'v1',
  plural: 'nodes',
  kind: 'Node',
  namespaced: false,
};

/** The parts of a core/v1 Node that are read. */
interface RawNode extends RawObject {
  readonly spec?: { readonly unschedulable?: boolean; readonly taints?: readonly Taint[] };
  readonly status?: {
    readonly allocatable?: Readonly<Record<string, string>>;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly images?: readonly RawImage[];
    readonly nodeInfo?: {
      readonly operatingSystem?: string;
      readonly architecture?: string;
      readonly machineID?: string;
    };
  };
}

interface RawImage {
  /** Entries with null occur. */
  readonly names?: readonly string[] | null;
  readonly sizeBytes?: number;
}

/** Projection of the informer. */
export function projectNode(raw: RawObject): NodeObject {
  const { name, uid, resourceVersion, creationTimestamp } = raw.metadata;
  return { metadata: { name, uid, resourceVersion, creationTimestamp }, facts: nodeFacts(raw) };
}

/** The facts of a core/v1 Node, from the API or from a file. */
export function nodeFacts({ metadata, spec = {}, status = {} }: RawNode): NodeFacts {
  const conditions = new Set(
    (status.conditions ?? []).filter(({ status: value }) => value === 'True').map(({ type }) => type),
  );
  return {
    name: metadata.name,
    uid: metadata.uid ?? '',
    labels: metadata.labels ?? {},
    taints: spec.taints ?? [],
    unschedulable: spec.unschedulable ?? false,
    ready: conditions.has('Ready'),
    conditions: {
      diskPressure: conditions.has('DiskPressure'),
      memoryPressure: conditions.has('MemoryPressure'),
      pidPressure: conditions.has('PIDPressure'),
    },
    ...machine(status),
    images: (status.images ?? []).flatMap(nodeImage),
  };
}

type Machine = Pick<NodeFacts, 'os' | 'architecture' | 'ephemeralBytes' | 'machineId'>;

function machine({ nodeInfo = {}, allocatable = {} }: NonNullable<RawNode['status']>): Machine {
  const { operatingSystem = '', architecture = '', machineID = '' } = nodeInfo;
  const ephemeralBytes = parseQuantity(allocatable['ephemeral-storage']);
  return {
    // Empty until the kubelet has told it.
    os: operatingSystem === '' ? 'linux' : operatingSystem,
    architecture,
    ...(ephemeralBytes !== undefined && { ephemeralBytes }),
    ...(machineID !== '' && { machineId: machineID }),
  };
}

function nodeImage({ names, sizeBytes = 0 }: RawImage): readonly NodeImage[] {
  return names === null || names === undefined ? [] : [{ names, sizeBytes }];
}

const QUANTITY = /^(?<number>[0-9]+(?:\.[0-9]+)?)(?<suffix>m|[kMGTPE]|[KMGTPE]i)?$/;
const SUFFIXES: Readonly<Record<string, number>> = {
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** A resource.Quantity as a number; undefined if it is none (exponents do not occur in allocatable). */
function parseQuantity(text: string | undefined): number | undefined {
  const groups = QUANTITY.exec(text ?? '')?.groups;
  if (groups === undefined) return undefined;
  return Number(groups['number']) * (SUFFIXES[groups['suffix'] ?? ''] ?? 1);
}
