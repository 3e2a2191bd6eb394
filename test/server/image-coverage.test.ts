import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PrepulledImage } from '../../src/api/prepulled-image.ts';
import type { NodeFacts } from '../../src/domain/node.ts';
import { imageCoverage } from '../../src/server/image-coverage.ts';
import { DIGEST_A, type Overrides, prepulledImage } from '../support/builders.ts';
import { nodeOf } from '../support/nublado-service.ts';

type Status = NonNullable<PrepulledImage['status']>;

const TIME = '2026-11-21T12:00:00Z';
/** As the leader cuts its lists. */
const MAX_PRESENT = 100;
const MAX_NOT_PRESENT = 32;

function node(name: string, overrides: Partial<NodeFacts> = {}): NodeFacts {
  return { ...nodeOf({ name, taints: [], images: [] }), ...overrides };
}

function nameOf(index: number): string {
  return `n${String(index).padStart(3, '0')}`;
}

/** The status that a leader writes who knows which nodes have the image. */
function statusOf(nodes: readonly string[], having: ReadonlySet<string>): Status {
  const present = nodes.filter((name) => having.has(name));
  const missing = nodes.filter((name) => !having.has(name));
  const counts = {
    eligible: nodes.length,
    present: present.length,
    unknown: 0,
    pulling: 0,
    waiting: missing.length,
    failed: 0,
    skipped: 0,
  };
  const found = { reference: 'r.io/a:b', registry: 'r.io', repository: 'a', tag: 'b', digest: DIGEST_A };
  const isPrepulled = missing.length === 0 && nodes.length > 0;
  return {
    conditions: [
      {
        type: 'Prepulled',
        status: isPrepulled ? 'True' : 'False',
        reason: 'x',
        message: '',
        observedGeneration: 1,
        lastTransitionTime: TIME,
      },
    ],
    image: found,
    coverageTime: TIME,
    nodes: counts,
    prepulled: isPrepulled,
    presentOn: present.slice(0, MAX_PRESENT),
    notPresent: missing
      .slice(0, MAX_NOT_PRESENT)
      .map((name) => ({ node: name, state: 'Waiting' as const, reason: 'Queued' })),
    ...(missing.length > MAX_NOT_PRESENT && { truncated: true }),
  };
}

/** By tag, so that what the nodes list proves nothing by itself. */
function image(status: Status, spec: Overrides<PrepulledImage['spec']> = {}): PrepulledImage {
  return { ...prepulledImage({ spec: { pull: { by: 'Tag' }, ...(spec as object) } }), status };
}

/** Some nodes, and which of them have the image. */
const worlds = fc
  .record({
    has: fc.array(fc.boolean(), { maxLength: 180 }),
    isMostly: fc.boolean(),
    newcomers: fc.integer({ min: 0, max: 3 }),
  })
  .map(({ has, isMostly, newcomers }) => {
    const nodes = has.map((_, index) => nameOf(index));
    const having = new Set(nodes.filter((_, index) => isMostly || has[index] === true));
    const fresh = Array.from({ length: newcomers }, (_, index) => nameOf(900 + index));
    return { nodes, having, fresh };
  });

describe('what a status tells of the nodes', () => {
  it('is never that a node has an image which it has not', () => {
    fc.assert(
      fc.property(worlds, ({ nodes, having, fresh }) => {
        const all = [...nodes, ...fresh].map((name) => node(name));
        const coverage = imageCoverage(image(statusOf(nodes, having)), all);
        for (const name of coverage.on) expect(having.has(name)).toBe(true);
        expect(coverage.prepulled).toBe(
          fresh.length === 0 && nodes.length > 0 && having.size === nodes.length,
        );
      }),
    );
  });

  it('is everything, as long as one of its lists is whole and no node has come', () => {
    fc.assert(
      fc.property(worlds, ({ nodes, having }) => {
        const missing = nodes.length - having.size;
        const coverage = imageCoverage(
          image(statusOf(nodes, having)),
          nodes.map((name) => node(name)),
        );
        if (having.size > MAX_PRESENT && missing > MAX_NOT_PRESENT) return;
        expect(coverage.on).toEqual(nodes.filter((name) => having.has(name)));
        expect(coverage.missing.map(({ node: name }) => name)).toEqual(
          nodes.filter((name) => !having.has(name)),
        );
        expect(coverage.unknown).toBe(0);
      }),
    );
  });
});

describe('imageCoverage', () => {
  it('believes what a node lists, if a digest is all that is wanted', () => {
    const listed = node('n1', { images: [{ names: [`other.io/a@${DIGEST_A}`], sizeBytes: 1 }] });
    const status = { ...statusOf(['n1'], new Set()), notPresent: [] };
    expect(imageCoverage(image(status, { pull: { by: 'Digest' } as never }), [listed]).on).toEqual(['n1']);
    expect(imageCoverage(image(status), [listed]).on).toEqual([]);
  });

  it('does not believe the status of another generation', () => {
    const old = image(statusOf(['n1'], new Set(['n1'])));
    const edited = { ...old, metadata: { ...old.metadata, generation: 2 } };
    expect(imageCoverage(edited, [node('n1')])).toMatchObject({
      on: [],
      waiting: 1,
      missing: [{ reason: 'Queued' }],
    });
  });

  it.each([
    ['cordoned', { unschedulable: true }, 'Cordoned'],
    ['not ready', { ready: false }, 'NotReady'],
    ['of another platform', { architecture: 'arm64' }, 'PlatformMismatch'],
  ])('skips a node that is %s, and says so', (_what, fields, reason) => {
    const status = statusOf(['n1'], new Set(['n1']));
    const platforms = [{ os: 'linux', architecture: 'amd64' }];
    const found = status.image && { ...status.image, platforms };
    const coverage = imageCoverage(image({ ...status, ...(found && { image: found }) }), [
      node('n1'),
      node('n2', fields),
    ]);
    expect(coverage).toMatchObject({ eligible: 1, present: 1, skipped: 1, prepulled: true });
    expect(coverage.missing).toMatchObject([{ node: 'n2', state: 'Skipped', reason }]);
  });

  it('leaves nodes out that the selector leaves out', () => {
    const gpu = { nodes: { nodeSelector: { gpu: 'yes' } } };
    expect(imageCoverage(image(statusOf([], new Set()), gpu as never), [node('n1')])).toMatchObject({
      eligible: 0,
      skipped: 0,
      missing: [],
    });
  });

  it.each([
    ['Suspended', { suspend: true }, { image: undefined }],
    ['NotResolved', {}, { image: undefined }],
  ])('says %s where nothing is pulled', (reason, spec, status) => {
    const without = { ...statusOf([], new Set()), ...status } as Status;
    expect(imageCoverage(image(without, spec), [node('n1')]).missing).toMatchObject([
      { state: 'Waiting', reason },
    ]);
  });

  it('is made once for the same objects', () => {
    const nodes = [node('n1')];
    const same = image(statusOf(['n1'], new Set()));
    expect(imageCoverage(same, nodes)).toBe(imageCoverage(same, nodes));
    expect(imageCoverage(same, [...nodes])).not.toBe(imageCoverage(same, nodes));
  });
});
