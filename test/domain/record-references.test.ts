import { describe, expect, it, test } from 'vitest';
import {
  cameTooLate,
  canonicalImage,
  describeHolders,
  type Holder,
  imageNames,
  sortHolders,
} from '../../src/domain/record-references.ts';
import { parseReference } from '../../src/domain/reference.ts';
import { DIGEST_A } from '../support/builders.ts';

function holder(kind: string, name: string, fieldPath = 'a'): Holder {
  return { apiVersion: 'v1', kind, namespace: 'ml', name, fieldPath };
}

describe('holders', () => {
  it('are sorted, each object once', () => {
    const holders = [
      holder('PrepulledImage', 'b'),
      holder('Pod', 'b'),
      holder('Pod', 'a'),
      holder('Pod', 'b', 'other'),
    ];
    expect(sortHolders(holders).map(({ kind, name, fieldPath }) => [kind, name, fieldPath])).toEqual([
      ['Pod', 'a', 'a'],
      ['Pod', 'b', 'a'],
      ['PrepulledImage', 'b', 'a'],
    ]);
  });

  it('are told by name, the first three of them', () => {
    expect(describeHolders([])).toBe('');
    expect(describeHolders([holder('PrepulledImage', 'yolo-gpu'), holder('Pod', 'train-7f')])).toBe(
      'PrepulledImage ml/yolo-gpu, Pod ml/train-7f',
    );
    const many = ['a', 'b', 'c', 'd', 'e'].map((name) => holder('Pod', name));
    expect(describeHolders(many)).toBe('Pod ml/a, Pod ml/b, Pod ml/c (and 2 more)');
  });

  test.each([
    ['2026-01-01T00:00:09Z', false],
    ['2026-01-01T00:00:10Z', false],
    ['2026-01-01T00:00:11Z', true],
  ])('made at %s too late for a record deleted at second 10: %s', (creationTimestamp, late) => {
    expect(cameTooLate({ creationTimestamp }, { deletionTimestamp: '2026-01-01T00:00:10Z' })).toBe(late);
    expect(cameTooLate({ creationTimestamp }, {})).toBe(false);
  });
});

describe('image names', () => {
  it('are all forms that mean the image', () => {
    const names = imageNames(parseReference(`ubuntu:22.04@${DIGEST_A}`));
    expect([...names]).toEqual([
      'docker.io/library/ubuntu:22.04',
      `docker.io/library/ubuntu@${DIGEST_A}`,
      `docker.io/library/ubuntu:22.04@${DIGEST_A}`,
    ]);
  });

  test.each([
    ['ubuntu', 'docker.io/library/ubuntu:latest'],
    ['index.docker.io/library/ubuntu:1', 'docker.io/library/ubuntu:1'],
    ['r.io:443/a/b:1', 'r.io:443/a/b:1'],
    ['not a reference', undefined],
  ])('of a pod that says %j: %j', (text, name) => {
    expect(canonicalImage(text)).toBe(name);
  });
});
