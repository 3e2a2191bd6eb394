import { describe, expect, it } from 'vitest';
import type { PrepulledImage } from '../../../src/api/prepulled-image.ts';
import { placement } from '../../../src/domain/want.ts';
import { prepulledImage } from '../../support/builders.ts';
import { nodeFacts } from '../../support/stock-builders.ts';
import { PREPULLED_IMAGES } from '../fixtures.ts';
import { gpuNode, REPOSITORY, RecordWorld } from './record-world.ts';

const NODES = [
  gpuNode('fits', ['12.1', '530.30.02', '8.0']),
  gpuNode('just-fits', ['11.1', '455.23.05', '6.0']),
  gpuNode('old-cuda', ['10.2', '530.30.02', '8.0']),
  gpuNode('old-driver', ['11.1', '455.23.04', '8.0']),
  gpuNode('old-gpu', ['12.1', '530.30.02', '5.2']),
  nodeFacts('no-gpu'),
];

/** Somebody else changes the spec of the child. */
function edit({ server }: RecordWorld, child: PrepulledImage, spec: Partial<PrepulledImage['spec']>): void {
  const { generation = 0 } = child.metadata;
  server.store.put(PREPULLED_IMAGES, {
    ...child,
    metadata: { ...child.metadata, generation: generation + 1 },
    spec: { ...child.spec, ...spec },
  });
}

describe('the PrepulledImage of a record', () => {
  it('pins the digest, names the record, and is owned by it', async () => {
    await using world = await RecordWorld.start({
      prepull: { keepWarm: true, pull: { by: 'Both', priority: 70 } },
      interval: '10m',
    });
    await world.reconcile();
    const [child] = world.children;
    expect(child?.metadata.name).toMatch(/^yolo-[0-9a-f]{8}$/);
    expect(child?.metadata.ownerReferences).toEqual([
      {
        apiVersion: 'larder.dev/v1alpha1',
        kind: 'DockerImageRecord',
        name: 'yolo',
        uid: 'uid-of-yolo',
        controller: true,
      },
    ]);
    expect(child?.spec).toMatchObject({
      image: `${world.image('1')}@${world.status().image?.digest ?? ''}`,
      recordRef: { name: 'yolo' },
      interval: '10m',
      access: { plainHTTP: true },
      keepWarm: true,
      pull: { by: 'Both', priority: 70 },
    });
    expect(world.conditions()).toMatchObject({ InUse: 'False/NoReferences' });
  });

  it('stays as it is while nobody can tell what an edited reference means', async () => {
    await using world = await RecordWorld.start({ prepull: {} });
    await world.reconcile();
    const before = world.children.map(({ spec }) => spec.image);
    for (const image of [world.image('2'), `${world.registry.host}/ml/other:1`]) {
      world.put('yolo', { prepull: {}, image });
      await world.reconcile();
      expect(world.conditions()['Available']).toMatch(/^False/);
      expect(world.children.map(({ spec }) => spec.image)).toEqual(before);
    }
    const digest = world.registry.putImage(REPOSITORY, '2', { seed: 'second' });
    world.put('yolo', { prepull: {}, image: world.image('2') });
    await world.reconcile();
    expect(world.children.map(({ spec }) => spec.image)).toEqual([`${world.image('2')}@${digest}`]);
  });

  it('wants the nodes that the record counts, and no others', async () => {
    await using world = await RecordWorld.start({ prepull: {} });
    world.nodes = NODES;
    await world.reconcile();
    const [child] = world.children;
    const scope = { nodeSelectorTerms: child?.spec.nodes?.nodeSelectorTerms ?? [] };
    const wanting = NODES.filter((node) => placement(node, { scope, platforms: [] }).eligible);
    expect(wanting.map(({ name }) => name)).toEqual(world.status().nodes?.names);
    expect(world.status().nodes).toEqual({
      total: 6,
      eligible: 2,
      names: ['fits', 'just-fits'],
      reasons: [
        { reason: 'NoUsableGPU', count: 1 },
        { reason: 'CUDATooOld', count: 1 },
        { reason: 'DriverTooOld', count: 1 },
        { reason: 'ComputeTooLow', count: 1 },
      ],
    });
  });

  it('of a CPU image has no limits but those of its template', async () => {
    const cpu = { cpu: true, cuda: undefined, minHardwareGeneration: undefined };
    await using world = await RecordWorld.start({
      ...cpu,
      prepull: { nodes: { nodeSelector: { pool: 'a' } } },
    });
    await world.reconcile();
    expect(world.children[0]?.spec.nodes).toEqual({ nodeSelector: { pool: 'a' } });
  });

  it('keeps to the platforms that the record wants', async () => {
    const cpu = { cpu: true, cuda: undefined, minHardwareGeneration: undefined };
    const given = { matchExpressions: [{ key: 'pool', operator: 'Exists' as const }] };
    await using world = await RecordWorld.start({
      ...cpu,
      platforms: [{ architecture: 'x86_64' }, { architecture: 'arm64' }],
      prepull: { nodes: { nodeSelectorTerms: [given] } },
    });
    await world.reconcile();
    expect(world.children[0]?.spec.nodes?.nodeSelectorTerms).toEqual([
      {
        matchExpressions: [
          { key: 'pool', operator: 'Exists' },
          { key: 'kubernetes.io/os', operator: 'In', values: ['linux'] },
          { key: 'kubernetes.io/arch', operator: 'In', values: ['amd64', 'arm64'] },
        ],
      },
    ]);
  });

  it('follows a tag that moves', async () => {
    await using world = await RecordWorld.start({ prepull: {} });
    await world.reconcile();
    const digest = world.registry.putImage(REPOSITORY, '1', { seed: 'second' });
    await world.later();
    expect(world.children.map(({ spec }) => spec.image)).toEqual([`${world.image('1')}@${digest}`]);
  });

  it('is put right when somebody edits it, and written only then', async () => {
    await using world = await RecordWorld.start({ prepull: {} });
    await world.reconcile();
    const applies = world.server.count('apply', 'prepulledimages');
    await world.reconcile();
    expect(world.server.count('apply', 'prepulledimages')).toBe(applies);
    const [child] = world.children;
    if (child === undefined) throw new Error('no child');
    edit(world, child, { image: 'r.io/other:1' });
    await world.reconcile();
    expect(world.children[0]?.spec.image).toContain('ml/yolo:1@');
  });

  it('may have fields of another manager: it is not written again and again for that', async () => {
    await using world = await RecordWorld.start({ prepull: {} });
    await world.reconcile();
    const [child] = world.children;
    if (child === undefined) throw new Error('no child');
    edit(world, child, { aliases: ['mine'] });
    await world.reconcile();
    const applies = world.server.count('apply', 'prepulledimages');
    await world.reconcile();
    await world.reconcile();
    expect(world.server.count('apply', 'prepulledimages')).toBe(applies);
    expect(world.children[0]?.spec.aliases).toEqual(['mine']);
  });

  it('goes when the template goes', async () => {
    await using world = await RecordWorld.start({ prepull: {} });
    await world.reconcile();
    world.put('yolo');
    await world.reconcile();
    expect(world.children).toEqual([]);
  });

  it('of somebody else is left alone, and the record says so', async () => {
    await using world = await RecordWorld.start({ prepull: {} });
    await world.reconcile();
    const name = world.children[0]?.metadata.name ?? '';
    world.server.store.delete(PREPULLED_IMAGES, `default/${name}`);
    world.server.store.put(PREPULLED_IMAGES, prepulledImage({ metadata: { name } }));
    await expect(world.reconcile()).rejects.toMatchObject({ reason: 'ChildConflict' });
    expect(world.conditions()).toMatchObject({ Ready: 'False/ChildConflict' });
    world.put('yolo');
    await world.reconcile();
    expect(world.children).toHaveLength(1);
  });

  it('is not made before the digest is known; with a digest in the spec it is, whatever the registry says', async () => {
    await using world = await RecordWorld.start({ prepull: {} });
    world.put('yolo', { prepull: {}, image: world.image('missing') });
    await world.reconcileThroughRetries();
    expect(world.children).toEqual([]);
    const digest = `sha256:${'d'.repeat(64)}`;
    world.put('yolo', { prepull: {}, image: `${world.image('missing')}@${digest}` });
    await world.reconcileThroughRetries();
    expect(world.conditions()).toMatchObject({ Available: 'False/ManifestUnknown' });
    expect(world.children.map(({ spec }) => spec.image)).toEqual([`${world.image('missing')}@${digest}`]);
  });

  it('cannot have more terms than its schema takes: that is a matter for a person', async () => {
    const terms = Array.from({ length: 20 }, (_, index) => ({
      matchExpressions: [{ key: `pool-${index}`, operator: 'Exists' as const }],
    }));
    await using world = await RecordWorld.start({ prepull: { nodes: { nodeSelectorTerms: terms } } });
    await expect(world.reconcile()).rejects.toMatchObject({ name: 'TerminalError' });
    expect(world.conditions()).toMatchObject({ Ready: 'False/InvalidSpec', Stalled: 'True/InvalidSpec' });
    expect(world.get().metadata.labels).toMatchObject({ 'larder.dev/pk': '1' });
  });
});
