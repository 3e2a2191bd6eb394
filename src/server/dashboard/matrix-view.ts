/** Which part of the matrix is shown, and how it is grouped: 200 nodes stay readable as a few pools. */

import type { CellState, Matrix, MatrixImage, NodeView } from './model.ts';
import { compareNaturally } from './natural-order.ts';

/** What the form above the matrix asks for; all texts come from a URL. */
export interface MatrixQuery {
  /** Label to group by; empty: the first well-known label of a node pool that the nodes have. */
  readonly group: string;
  /** Only the nodes of this group, one by one. */
  readonly pool: string | undefined;
  /** Part of a node's name. */
  readonly node: string;
  /** Part of a tag or repository. */
  readonly image: string;
  /** namespace/name of an ImageSource; empty: all. */
  readonly source: string;
  /** Only nodes and images with something missing. */
  readonly missing: boolean;
  /** Every node in a row of its own, however many there are. */
  readonly all: boolean;
}

/** A pool of nodes: counts per image, and the rows if they are shown. */
export interface MatrixGroup {
  readonly name: string;
  readonly size: number;
  /** By image: nodes that have it of those that could. */
  readonly totals: readonly {
    readonly present: number;
    readonly eligible: number;
    readonly failed: number;
  }[];
  readonly rows: readonly MatrixRow[];
}

/** A node with the state of each shown image, in the order of the images. */
export interface MatrixRow {
  readonly node: NodeView;
  readonly cells: readonly CellState[];
}

/** What is left of the matrix after the filters. */
export interface MatrixSelection {
  readonly images: readonly MatrixImage[];
  readonly groups: readonly MatrixGroup[];
  /** The label that was grouped by; undefined if nodes have none of the well-known ones. */
  readonly label: string | undefined;
  /** Labels to choose from. */
  readonly labels: readonly string[];
  /** Rows of single nodes are left out for their number. */
  readonly collapsed: boolean;
  readonly hidden: { readonly nodes: number; readonly images: number };
}

/** Labels that providers give the nodes of one pool; the first that occurs is the default. */
const POOL_LABELS = [
  'karpenter.sh/nodepool',
  'cloud.google.com/gke-nodepool',
  'eks.amazonaws.com/nodegroup',
  'kubernetes.azure.com/agentpool',
  'node.cluster.x-k8s.io/pool',
  'pool',
  'topology.kubernetes.io/zone',
  'node.kubernetes.io/instance-type',
  'kubernetes.io/arch',
] as const;

/** More single rows than this are shown only if asked for. */
const MAX_ROWS = 40;
const UNLABELLED = '(none)';

/** Filters, and groups by pool; of too many rows only the groups are left, which `collapsed` tells. */
export function selectMatrix(matrix: Matrix, query: MatrixQuery): MatrixSelection {
  const labels = POOL_LABELS.filter((label) => matrix.nodes.some((node) => label in node.labels));
  const label = query.group === '' ? labels[0] : query.group;
  const rows = rowsOf(matrix, query);
  const columns = columnsOf(matrix, rows, query);
  const shown = rows.map(({ node, cells }) => ({
    node,
    cells: columns.map((index) => cells[index] ?? 'NotWanted'),
  }));
  const kept = query.missing ? shown.filter(({ cells }) => cells.some(isMissing)) : shown;
  const groups = groupRows(kept, label).filter(({ name }) => query.pool === undefined || name === query.pool);
  const collapsed = !query.all && query.pool === undefined && kept.length > MAX_ROWS;
  const visible = groups.reduce((sum, { size }) => sum + size, 0);
  return {
    images: columns.flatMap((index) => matrix.images[index] ?? []),
    groups: collapsed ? groups.map((group) => ({ ...group, rows: [] })) : groups,
    label,
    labels,
    collapsed,
    hidden: { nodes: matrix.nodes.length - visible, images: matrix.images.length - columns.length },
  };
}

/** Whether the cell is of a node that wants the image and is not known to have it. */
export function isMissing(state: CellState): boolean {
  return state !== 'Present' && state !== 'NotWanted';
}

function rowsOf({ nodes, cells }: Matrix, { node: part }: MatrixQuery): readonly MatrixRow[] {
  return nodes.flatMap((node, index) =>
    node.name.includes(part) ? [{ node, cells: cells[index] ?? [] }] : [],
  );
}

function columnsOf({ images }: Matrix, rows: readonly MatrixRow[], query: MatrixQuery): readonly number[] {
  return images.flatMap(({ repository, tag }, index) => {
    const matches = `${repository}:${tag}`.includes(query.image);
    const counts = !query.missing || rows.some(({ cells }) => isMissing(cells[index] ?? 'NotWanted'));
    return matches && counts ? [index] : [];
  });
}

function groupRows(rows: readonly MatrixRow[], label: string | undefined): readonly MatrixGroup[] {
  const groups = Map.groupBy(rows, ({ node }) =>
    label === undefined ? 'all nodes' : (node.labels[label] ?? UNLABELLED),
  );
  return [...groups]
    .sort(([left], [right]) => compareNaturally(left, right))
    .map(([name, members]) => ({
      name,
      size: members.length,
      totals: totalsOf(members),
      rows: members.toSorted((left, right) => compareNaturally(left.node.name, right.node.name)),
    }));
}

function totalsOf(rows: readonly MatrixRow[]): MatrixGroup['totals'] {
  const columns = rows[0]?.cells.length ?? 0;
  return Array.from({ length: columns }, (_, column) => {
    const states = rows.map(({ cells }) => cells[column] ?? 'NotWanted');
    const count = (wanted: CellState): number => states.filter((state) => state === wanted).length;
    const present = count('Present');
    // Skipped nodes cannot have it now; they are no reason for alarm.
    return {
      present,
      eligible: states.length - count('NotWanted') - count('Skipped'),
      failed: count('Failed'),
    };
  });
}
