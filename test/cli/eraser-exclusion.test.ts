import { describe, expect, it } from 'vitest';
import { eraserExclusion, excludedNames } from '../../src/cli/eraser-exclusion.ts';
import { DIGEST_A, DIGEST_B, prepulledImage } from '../support/builders.ts';

const REPOSITORY = 'registry.example.org/sciplat/lab';

describe('the images that Eraser leaves alone', () => {
  it('are named by tag, by digest, and by the digest alone', () => {
    const image = prepulledImage({ spec: { image: `${REPOSITORY}:w_1@${DIGEST_A}` } });
    expect(excludedNames([image, image])).toEqual([
      `${REPOSITORY}:w_1`,
      `${REPOSITORY}@${DIGEST_A}`,
      DIGEST_A,
    ]);
  });

  it('are named by the digest that their tag has now', () => {
    const image = prepulledImage({ spec: { image: `${REPOSITORY}:w_1` } });
    const [registry, repository] = ['registry.example.org', 'sciplat/lab'];
    const status = { image: { reference: `${REPOSITORY}:w_1`, registry, repository, digest: DIGEST_B } };
    expect(excludedNames([{ ...image, status }])).toContain(`${REPOSITORY}@${DIGEST_B}`);
    expect(excludedNames([image])).toEqual([`${REPOSITORY}:w_1`]);
  });

  it('are in a ConfigMap that Eraser finds by its label', () => {
    expect(eraserExclusion([], 'eraser-system')).toEqual({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name: 'larder-excluded',
        namespace: 'eraser-system',
        labels: { 'eraser.sh/exclude.list': 'true' },
      },
      data: { 'excluded.json': '{"excluded":[]}' },
    });
  });
});
