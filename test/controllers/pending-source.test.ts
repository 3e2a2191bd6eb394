import { expect, it } from 'vitest';
import type { ImageSource } from '../../src/api/image-source.ts';
import { isPendingSource } from '../../src/controllers/pending-source.ts';
import { imageSource } from '../support/builders.ts';

const NOW = '2026-01-01T00:00:00Z';

function source(spec: object = {}, status?: object): ImageSource {
  const object = imageSource();
  return {
    ...object,
    spec: { ...object.spec, prepull: {}, ...spec },
    ...(status && { status }),
  } as ImageSource;
}

function ready(reason: string): object {
  const type = { type: 'Ready', status: 'False', lastTransitionTime: NOW, message: '' };
  return { conditions: [{ ...type, reason }] };
}

it.each([
  ['was never looked at', source(), true],
  ['is being scanned for the first time', source({}, ready('Progressing')), true],
  ['was scanned', source({}, { lastScanTime: NOW }), false],
  ['failed at its first scan, and said so', source({}, ready('RegistryUnreachable')), false],
  ['is suspended', source({ suspend: true }), false],
  ['stocks nothing', source({ prepull: undefined }), false],
])('a source that %s: %s', (_what, object, isPending) => {
  expect(isPendingSource(object)).toBe(isPending);
});

it('a source that is being deleted is not waited for', () => {
  const object = source();
  expect(isPendingSource({ ...object, metadata: { ...object.metadata, deletionTimestamp: NOW } })).toBe(
    false,
  );
});
