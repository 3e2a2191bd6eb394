import { describe, expect, it } from 'vitest';
import type { DockerImageRecord } from '../../../src/api/docker-image-record.ts';
import { recordPhase, recordRefusal } from '../../../src/controllers/prepulled-image/record-reference.ts';
import { TerminalError } from '../../../src/kube/result.ts';
import { dockerImageRecord, prepulledImage } from '../../support/builders.ts';

type RecordOverrides = Parameters<typeof dockerImageRecord>[0];

function records(overrides: RecordOverrides) {
  const record: DockerImageRecord | undefined = overrides && dockerImageRecord(overrides);
  return {
    records: { get: ({ name }: { readonly name: string }) => (name === 'yolo-v5' ? record : undefined) },
  };
}

function image(metadata: object = {}) {
  return prepulledImage({ metadata: { name: 'lab', ...metadata }, spec: { recordRef: { name: 'yolo-v5' } } });
}

const DELETING = { metadata: { name: 'yolo-v5', deletionTimestamp: '2026-11-21T12:00:05Z' } };
const LATE = { creationTimestamp: '2026-11-21T12:00:06Z' };

describe('a reference to a record', () => {
  it.each([
    ['that is there', {}, {}, undefined],
    ['that is not there', undefined, {}, 'RecordNotFound'],
    ['of source code', { spec: { contentKind: 'Source' } }, {}, 'SourceImage'],
    ['that is being deleted, made before', DELETING, {}, undefined],
    ['that is being deleted, made after', DELETING, LATE, 'RecordDeleting'],
  ] as const)('%s', (_, record, metadata, reason) => {
    const refusal = recordRefusal(records(record), image(metadata));
    expect(refusal?.reason).toBe(reason);
    if (refusal !== undefined) expect(refusal).toMatchObject({ status: 'False', stalled: true });
  });

  it('is no matter for images without one, nor where no records are kept', () => {
    expect(recordRefusal(records(undefined), prepulledImage())).toBeUndefined();
    expect(recordRefusal({}, image())).toBeUndefined();
  });

  it('of the own child is never refused', () => {
    const owner = {
      apiVersion: 'larder.dev/v1alpha1',
      kind: 'DockerImageRecord',
      name: 'yolo-v5',
      uid: 'uid-of-yolo-v5',
      controller: true,
    };
    expect(recordRefusal(records(DELETING), image({ ...LATE, ownerReferences: [owner] }))).toBeUndefined();
  });

  it('that is refused keeps the image from being resolved, but drops none that was', () => {
    const phase = recordPhase(records(undefined));
    expect(() => phase(image(), {})).toThrow(TerminalError);
    expect(() => phase(image(), {})).toThrow('There is no DockerImageRecord yolo-v5');
    const known = { registry: 'r.io', repository: 'a', reference: 'r.io/a:1' };
    expect(phase(image(), { image: known })).toEqual({});
  });
});
