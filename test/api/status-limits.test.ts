import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEFINITIONS } from '../../src/api/crd.ts';
import { dockerImageRecordDefinition } from '../../src/api/docker-image-record.ts';
import { type ImageSourceStatus, imageSourceDefinition } from '../../src/api/image-source.ts';
import { type PrepulledImageStatus, prepulledImageDefinition } from '../../src/api/prepulled-image.ts';
import { fitStatus } from '../../src/api/status-limits.ts';
import { FULL_OBJECTS } from '../support/full-objects.ts';
import { allPaths, type Json, valueAt, withValue } from '../support/json-paths.ts';

const TIME = '2026-11-21T12:00:00Z';

test('what fits is returned equal', () => {
  for (const definition of DEFINITIONS) {
    const status = valueAt(FULL_OBJECTS[definition.kind], ['status']) as object;
    expect(fitStatus(definition, status)).toEqual(status);
  }
});

test('a long message is cut, visibly, without splitting a character', () => {
  const message = '\u{1f600}'.repeat(300);
  const status: PrepulledImageStatus = {
    notPresent: [{ node: 'n1', state: 'Failed', reason: 'DiskFull', message }],
  };
  const cut = fitStatus(prepulledImageDefinition, status).notPresent?.[0]?.message ?? '';
  expect(Array.from(cut)).toHaveLength(256);
  expect(cut.endsWith('\u{1f600}…')).toBe(true);
});

test('a list keeps its first entries; texts of a list are kept whole or left out', () => {
  const status: ImageSourceStatus = {
    recommended: {
      reference: 'a.b/c:d',
      tag: 'd',
      name: 'D',
      prepulled: true,
      aliases: ['a', 'b'.repeat(129), ...Array.from({ length: 20 }, (_, index) => `c${index}`)],
    },
  };
  const { recommended } = fitStatus(imageSourceDefinition, status);
  expect(recommended?.aliases).toEqual(['a', 'c0', 'c1', 'c2', 'c3', 'c4', 'c5', 'c6']);
});

test('labels with long names go, long values are cut', () => {
  const labels = { ['k'.repeat(129)]: 'v', short: 'v'.repeat(300) };
  const fitted = fitStatus(dockerImageRecordDefinition, { labels });
  expect(fitted).toEqual({ labels: { short: `${'v'.repeat(255)}…` } });
});

test('fields that no schema knows are left alone', () => {
  const status = { conditions: [], other: 'x'.repeat(10_000), at: TIME };
  expect(fitStatus(imageSourceDefinition, status)).toEqual(status);
});

describe('whatever free texts a registry or node says, the status passes', () => {
  test.each([
    ['ImageSource', ['status', 'scan', 'warnings', 0]],
    ['ImageSource', ['status', 'images', 0, 'name']],
    ['ImageSource', ['status', 'images', 0, 'aliases', 0]],
    ['PrepulledImage', ['status', 'notPresent', 0, 'message']],
    ['PrepulledImage', ['status', 'image', 'extra']],
    ['PrepulledImage', ['status', 'conditions', 0, 'message']],
    ['DockerImageRecord', ['status', 'labels', 'org.opencontainers.image.version']],
    ['DockerImageRecord', ['status', 'operatorBundle', 'relatedImages', 0]],
  ] as const)('%s %j', (kind, path) => {
    const definition = DEFINITIONS.find((each) => each.kind === kind);
    const full = FULL_OBJECTS[kind];
    expect(allPaths(full)).toContainEqual(path);
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 3000, size: 'max' }), (words) => {
        const hostile = withValue(full, path, words);
        const status = fitStatus(definition ?? imageSourceDefinition, valueAt(hostile, ['status']) as object);
        const object = withValue(hostile, ['status'], status as Json);
        expect(definition?.schema.safeParse(object).error?.issues).toBeUndefined();
      }),
      { numRuns: 50 },
    );
  });
});
