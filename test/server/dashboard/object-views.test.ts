import { describe, expect, it } from 'vitest';
import type { Condition } from '../../../src/api/conditions.ts';
import type { ImageSource } from '../../../src/api/image-source.ts';
import {
  healthOf,
  missingView,
  nodeView,
  repositoryOf,
  tagOf,
  timeOf,
  titleOf,
} from '../../../src/server/dashboard/object-views.ts';
import { DIGEST_A, imageSource, prepulledImage } from '../../support/builders.ts';
import { nodeFacts } from '../../support/stock-builders.ts';

const AT = '2026-11-21T12:00:00Z';

function condition(type: string, status: Condition['status'], reason: string): Condition {
  return { type, status, reason, message: `because ${reason}`, lastTransitionTime: AT };
}

function source(conditions: readonly Condition[], suspend = false): ImageSource {
  return { ...imageSource({ spec: { suspend } }), status: { conditions } };
}

describe('health', () => {
  it.each([
    ['Ready', [condition('Ready', 'True', 'Succeeded')], false],
    [
      'Working',
      [condition('Ready', 'False', 'Stocking'), condition('Reconciling', 'True', 'Progressing')],
      false,
    ],
    ['Working', [condition('Ready', 'Unknown', 'Progressing')], false],
    ['Failing', [condition('Ready', 'False', 'Unauthorized')], false],
    [
      'Failing',
      [condition('Ready', 'False', 'Stocking'), condition('Stalled', 'True', 'InvalidSpec')],
      false,
    ],
    ['Suspended', [condition('Ready', 'False', 'Suspended')], true],
    ['Unknown', [], false],
  ])('is %s', (health, conditions, suspend) => {
    expect(healthOf(source(conditions, suspend)).health).toBe(health);
  });

  it('comes with reason, message and since when', () => {
    expect(healthOf(source([condition('Ready', 'False', 'Unauthorized')]))).toEqual({
      health: 'Failing',
      reason: 'Unauthorized',
      message: 'because Unauthorized',
      since: Date.parse(AT),
    });
  });
});

describe('an image is called', () => {
  it.each([
    [`registry.example.org/sciplat/lab:w_2026_47@${DIGEST_A}`, 'w_2026_47', 'sciplat/lab:w_2026_47'],
    ['registry.example.org:5000/a/b:1.2.3', '1.2.3', 'a/b:1.2.3'],
    [`registry.example.org/a/b@${DIGEST_A}`, 'sha256:aaaaaaaaaaaa', 'a/b:sha256:aaaaaaaaaaaa'],
  ])('%s', (image, tag, title) => {
    const object = prepulledImage({ spec: { image } });
    expect([tagOf(object), titleOf(object)]).toEqual([tag, title]);
    expect(image.startsWith(repositoryOf(object))).toBe(true);
  });
});

describe('what is missing', () => {
  const missing = { node: 'n', reason: 'R', message: 'm', attempts: 2, lastAttempt: Date.parse(AT) };
  const held = {
    ...prepulledImage(),
    status: { backoff: { class: 'Image', attempts: 2, nextAttempt: AT } },
  } as const;

  it('has a next attempt where attempts are held back', () => {
    expect(missingView(held, { ...missing, state: 'Failed' }).nextAttempt).toBe(Date.parse(AT));
    expect(missingView(held, { ...missing, state: 'Pulling' }).nextAttempt).toBeUndefined();
    expect(missingView(prepulledImage(), { ...missing, state: 'Failed' }).nextAttempt).toBeUndefined();
  });

  it('has none where the pause is that of other nodes', () => {
    const own = { ...held, status: { backoff: { ...held.status.backoff, class: 'Node' as const } } };
    expect(missingView(own, { ...missing, state: 'Failed' }).nextAttempt).toBeUndefined();
  });

  it('tells when it was tried last', () => {
    expect(missingView(held, { ...missing, state: 'Failed' }).lastAttempt).toBe(Date.parse(AT));
  });
});

it('a node says in words what keeps images away', () => {
  const node = nodeFacts('n', {
    unschedulable: true,
    taints: [
      { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' },
      { key: 'team', value: 'a', effect: 'NoSchedule' },
    ],
    conditions: { diskPressure: true, memoryPressure: false, pidPressure: false },
  });
  expect(nodeView(node).remarks).toEqual([
    'Cordoned',
    'Disk pressure',
    'Node is tainted (NoSchedule, team = a)',
  ]);
});

it('what is no time is none', () => {
  expect([timeOf(AT), timeOf(undefined), timeOf('soon'), timeOf('')]).toEqual([
    Date.parse(AT),
    undefined,
    undefined,
    undefined,
  ]);
});
