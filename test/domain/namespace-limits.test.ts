import { expect, it } from 'vitest';
import { NO_NAMESPACE_LIMITS, overLimit } from '../../src/domain/namespace-limits.ts';

const IMAGES = [
  { id: 'ns/young', createdAt: 3, bytes: 30 },
  { id: 'ns/old', createdAt: 1, bytes: 50 },
  { id: 'ns/b', createdAt: 2, bytes: 60 },
  { id: 'ns/a', createdAt: 2, bytes: 10 },
];

it('refuses nothing without limits', () => {
  expect(overLimit(IMAGES, NO_NAMESPACE_LIMITS).size).toBe(0);
});

it('keeps the oldest, and by name those of one age', () => {
  const refused = overLimit(IMAGES, { images: 2, bytes: Infinity });
  expect([...refused.keys()]).toEqual(['ns/b', 'ns/young']);
  expect(refused.get('ns/b')).toBe('The namespace may have 2 images, and has that many older ones');
});

it('lets a smaller image in where a larger one has no room', () => {
  const refused = overLimit(IMAGES, { images: Infinity, bytes: 100 });
  expect(overLimit(IMAGES, { images: 4, bytes: 150 }).size).toBe(0);
  expect([...refused]).toEqual([
    ['ns/b', 'The namespace may have 100 bytes, older images take 60 and this one needs 60'],
  ]);
});
