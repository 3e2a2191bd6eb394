import { describe, expect, it } from 'vitest';
import { needsOf } from '../../../src/controllers/docker-image-record/catalogue.ts';
import { dockerImageRecord } from '../../support/builders.ts';
import { RecordWorld, shippedCatalogue } from './record-world.ts';

/** The shipped catalogue with one of its files edited. */
function edited(file: string, edit: (text: string) => string): Readonly<Record<string, string>> {
  const data = shippedCatalogue();
  return { ...data, [file]: edit(data[file] ?? '') };
}

describe('names of the catalogue', () => {
  it('are resolved to their rows', async () => {
    await using world = await RecordWorld.start();
    await world.reconcile();
    expect(world.status().resolved).toEqual({
      cuda: { fullVersion: '11.1.0', minDriverVersion: '455.23.05' },
      hardware: { minComputeCapability: '6.0', maxComputeCapability: '7.0' },
      domainDescription: 'Object Detection',
      licenceURL: 'https://opensource.org/licenses/GPL-3.0',
    });
  });

  it('keep fractions of compute capabilities', async () => {
    await using world = await RecordWorld.start({ minHardwareGeneration: 'Turing' });
    await world.reconcile();
    expect(world.status().resolved?.hardware).toEqual({
      minComputeCapability: '7.5',
      maxComputeCapability: '8.0',
    });
  });

  it.each([
    ['UnknownCUDAVersion', { cuda: { version: '11.10' } }, 'CUDA version 11.10'],
    ['UnknownHardwareGeneration', { minHardwareGeneration: 'Ada' }, 'hardware generation Ada'],
    ['UnknownFramework', { framework: { name: 'yolo', version: 'v9' } }, 'framework yolo v9'],
    ['UnknownDomain', { domain: 'zz' }, 'domain zz'],
    ['UnknownTask', { tasks: ['Train', 'Dance', 'Sing'] }, 'task Dance, Sing'],
    ['UnknownLicence', { licence: 'gpl3' }, 'licence gpl3'],
  ])('that it does not have are %s', async (reason, spec, what) => {
    await using world = await RecordWorld.start(spec);
    await world.reconcile();
    expect(world.conditions()).toMatchObject({
      Resolved: `False/${reason}`,
      Ready: `False/${reason}`,
      Stalled: `True/${reason}`,
      Available: 'True/ManifestFound',
    });
    expect(world.message('Resolved')).toBe(`The catalogue has no ${what}`);
  });

  it('that are unknown are all told, the first gives the reason', async () => {
    await using world = await RecordWorld.start({ cuda: { version: '99.0' }, domain: 'zz', licence: 'none' });
    await world.reconcile();
    expect(world.message('Resolved')).toBe('The catalogue has no CUDA version 99.0, domain zz, licence none');
  });

  it('compare CUDA versions as numbers', async () => {
    await using world = await RecordWorld.start({ cuda: { version: '11.01' } });
    await world.reconcile();
    expect(world.status().resolved?.cuda?.fullVersion).toBe('11.1.0');
  });
});

describe('a change of the catalogue', () => {
  it('counts at the next pass, in both directions', async () => {
    await using world = await RecordWorld.start({ prepull: {} });
    await world.reconcile();
    world.publishCatalogue(edited('licences.yaml', (text) => text.replaceAll('GPL3', 'GPL-three')));
    await world.reconcile();
    expect(world.conditions()).toMatchObject({ Resolved: 'False/UnknownLicence' });
    expect(world.children).toHaveLength(1);
    world.publishCatalogue(shippedCatalogue());
    await world.reconcile();
    expect(world.conditions()).toMatchObject({ Resolved: 'True/CatalogueComplete', Ready: 'True/Succeeded' });
  });

  it('that cannot be read changes nothing, and is told on every record', async () => {
    await using world = await RecordWorld.start();
    await world.reconcile();
    const { resolved } = world.status();
    world.publishCatalogue(edited('cuda.yaml', (text) => text.replace('"12.1"', '12.1')));
    await world.reconcile();
    expect(world.conditions()).toMatchObject({
      Resolved: 'True/CatalogueUnavailable',
      Ready: 'True/Succeeded',
    });
    expect(world.message('Resolved')).toBe(
      'ConfigMap larder-system/larder-catalogue cannot be read: cuda.yaml row 1 version: must be text in quotes: ' +
        'without them YAML takes 12.10 for 12.1; the last good one holds',
    );
    expect(world.status().resolved).toEqual(resolved);
  });

  it('with many mistakes names the first three', async () => {
    await using world = await RecordWorld.start();
    world.publishCatalogue({});
    await world.reconcile();
    expect(world.message('Resolved')).toContain(
      'cuda.yaml is missing; hardware.yaml is missing; frameworks.yaml is missing (and 3 more)',
    );
  });

  it('that removes it leaves the last good one', async () => {
    await using world = await RecordWorld.start({ licence: 'none' });
    world.publishCatalogue(undefined);
    await world.reconcile();
    expect(world.conditions()).toMatchObject({ Resolved: 'False/UnknownLicence' });
    expect(world.message('Resolved')).toContain('does not exist; kubectl apply -k config/catalogue makes it');
  });

  it('while nobody has read it yet: what was resolved stays so, the rest waits', async () => {
    await using world = await RecordWorld.start({ prepull: {} });
    await world.reconcile();
    world.put('new');
    await world.restart();
    await world.reconcile();
    await world.reconcile('new');
    expect(world.conditions()).toMatchObject({
      Resolved: 'True/CatalogueUnavailable',
      Schedulable: 'True/NodesEligible',
    });
    expect(world.conditions('new')).toMatchObject({
      Resolved: 'False/CatalogueUnavailable',
      Schedulable: 'Unknown/CatalogueUnavailable',
      Reconciling: 'True/ProgressingWithRetry',
    });
  });
});

describe('what a node must have', () => {
  it.each([
    ['of a CPU image: nothing', { cpu: true, cuda: undefined }, {}, { cpu: true }],
    [
      'not known without the row of CUDA',
      {},
      { hardware: { minComputeCapability: '6.0', maxComputeCapability: '7.0' } },
      undefined,
    ],
    [
      'not known without the row of the generation',
      {},
      { cuda: { fullVersion: '11.1.0', minDriverVersion: '455.23.05' } },
      undefined,
    ],
  ])('%s', (_, spec, resolved, needs) => {
    expect(needsOf(dockerImageRecord({ spec }).spec, resolved)).toEqual(needs);
  });
});
