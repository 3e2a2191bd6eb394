import { describe, expect, it } from 'vitest';
import { type MatrixQuery, selectMatrix } from '../../../src/server/dashboard/matrix-view.ts';
import type { Matrix } from '../../../src/server/dashboard/model.ts';
import { matrix, nodeView } from './models.ts';

function query(overrides: Partial<MatrixQuery> = {}): MatrixQuery {
  return {
    group: '',
    pool: undefined,
    node: '',
    image: '',
    source: '',
    missing: false,
    all: false,
    ...overrides,
  };
}

const SMALL: Matrix = {
  images: ['a', 'b', 'c'].map((tag) => ({
    object: { namespace: 'x', name: tag },
    tag,
    repository: `repo/${tag}`,
  })),
  nodes: [
    nodeView('node-10', { labels: { pool: 'gpu' } }),
    nodeView('node-2', { labels: { pool: 'gpu', zone: 'z1' } }),
    nodeView('edge'),
  ],
  cells: [
    ['Present', 'Failed', 'Present'],
    ['Present', 'Skipped', 'Present'],
    ['Present', 'Present', 'NotWanted'],
  ],
};

describe('selectMatrix', () => {
  it('groups by the first pool label there is, and orders as people count', () => {
    const { groups, label } = selectMatrix(SMALL, query());
    expect(label).toBe('pool');
    expect(groups.map(({ name, size }) => [name, size])).toEqual([
      ['(none)', 1],
      ['gpu', 2],
    ]);
    expect(groups[1]?.rows.map(({ node }) => node.name)).toEqual(['node-2', 'node-10']);
  });

  it('totals leave out nodes that do not want the image or cannot have it now', () => {
    const { groups } = selectMatrix(SMALL, query());
    expect(groups[1]?.totals).toEqual([
      { present: 2, eligible: 2, failed: 0 },
      { present: 0, eligible: 1, failed: 1 },
      { present: 2, eligible: 2, failed: 0 },
    ]);
    expect(groups[0]?.totals[2]).toEqual({ present: 0, eligible: 0, failed: 0 });
  });

  it('missing only: hides nodes and images that lack nothing, and says how many', () => {
    const { groups, images, hidden } = selectMatrix(SMALL, query({ missing: true }));
    expect(images.map(({ tag }) => tag)).toEqual(['b']);
    expect(groups.flatMap(({ rows }) => rows.map(({ node }) => node.name))).toEqual(['node-2', 'node-10']);
    expect(hidden).toEqual({ nodes: 1, images: 2 });
  });

  it('filters by parts of names', () => {
    const selected = selectMatrix(SMALL, query({ node: '2', image: 'repo/c' }));
    expect(selected.images.map(({ tag }) => tag)).toEqual(['c']);
    expect(selected.groups.map(({ size }) => size)).toEqual([1]);
  });

  it('groups by any label that is asked for', () => {
    const { groups } = selectMatrix(SMALL, query({ group: 'zone' }));
    expect(groups.map(({ name }) => name)).toEqual(['(none)', 'z1']);
  });

  it('puts all nodes into one group where no label tells them apart', () => {
    const bare = { ...SMALL, nodes: SMALL.nodes.map((node) => ({ ...node, labels: {} })) };
    const { groups, label } = selectMatrix(bare, query());
    expect([label, groups.map(({ name }) => name)]).toEqual([undefined, ['all nodes']]);
  });

  it('collapses many nodes, and opens one pool or all on request', () => {
    const large = matrix(200, 50);
    expect(selectMatrix(large, query())).toMatchObject({ collapsed: true });
    const pool = selectMatrix(large, query({ pool: 'pool-3' }));
    expect(pool.groups.map(({ name, rows }) => [name, rows.length])).toEqual([['pool-3', 25]]);
    const all = selectMatrix(large, query({ all: true }));
    expect(all.groups.flatMap(({ rows }) => rows)).toHaveLength(200);
  });

  it('survives an empty cluster', () => {
    const empty = selectMatrix({ images: [], nodes: [], cells: [] }, query());
    expect(empty).toMatchObject({ images: [], groups: [], hidden: { nodes: 0, images: 0 } });
  });
});
