import { expect, it } from 'vitest';
import { hasLabels } from '../../../src/controllers/image-source/child-spec.ts';
import { prepulledImage } from '../../support/builders.ts';

it('labels of others do not matter', () => {
  const object = prepulledImage({ metadata: { labels: { mine: 'a', theirs: 'b' } } });
  expect(hasLabels(object, { mine: 'a' })).toBe(true);
  expect(hasLabels(object, { mine: 'b' })).toBe(false);
  expect(hasLabels(prepulledImage(), { mine: 'a' })).toBe(false);
});
