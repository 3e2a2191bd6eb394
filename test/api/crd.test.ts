import { describe, expect, test } from 'vitest';
import { buildCustomResourceDefinition, DEFINITIONS } from '../../src/api/crd.ts';
import { prepulledImageDefinition } from '../../src/api/prepulled-image.ts';

test('the short names are imgsrc, ppi and dir, all in one category', () => {
  const names = DEFINITIONS.map((definition) => buildCustomResourceDefinition(definition).spec['names']);
  expect(names).toMatchObject([
    { shortNames: ['imgsrc'], categories: ['larder'], plural: 'imagesources' },
    { shortNames: ['ppi'], categories: ['larder'], plural: 'prepulledimages' },
    { shortNames: ['dir'], categories: ['larder'], plural: 'dockerimagerecords' },
  ]);
});

test('kubectl get prepulledimages answers by itself', () => {
  const columns = prepulledImageDefinition.printerColumns;
  const shown = (wide: boolean): readonly string[] =>
    columns.filter(({ priority }) => (priority === 1) === wide).map(({ name }) => name.toUpperCase());
  expect(shown(false)).toEqual(['IMAGE', 'TAG', 'TYPE', 'READY', 'PREPULLED', 'SIZE', 'AGE']);
  expect(shown(true)).toEqual(['DIGEST', 'ALIASES', 'REASON']);
});

describe.each(DEFINITIONS)('$kind', (definition) => {
  const crd = buildCustomResourceDefinition(definition);
  const [version] = crd.spec['versions'] as readonly Record<string, unknown>[];

  test('has one version with a status subresource', () => {
    expect(version).toMatchObject({
      name: 'v1alpha1',
      served: true,
      storage: true,
      subresources: { status: {} },
    });
  });

  test('is small enough for kubectl apply, which keeps a copy in an annotation of at most 256 KiB', () => {
    expect(JSON.stringify(crd).length).toBeLessThan(200_000);
  });

  test('selects by at most 8 fields', () => {
    expect(definition.selectableFields.length).toBeLessThanOrEqual(8);
  });
});
