/** Values as pages show them, for tests of views; overrides replace fields. */

import type {
  CellState,
  ImageDetail,
  ImageView,
  Matrix,
  MissingView,
  NodeView,
  Overview,
  SourceDetail,
  SourceView,
} from '../../../src/server/dashboard/model.ts';
import { DIGEST_A } from '../../support/builders.ts';

export const NOW = Date.parse('2026-11-21T12:00:00Z');
export const MOMENT = { now: NOW };
const MINUTE = 60_000;

/** What a hostile registry, or whoever may write labels, could put into any text. */
export const HOSTILE = `"><script>alert(1)</script><img src=x onerror='alert(2)'>&lt;`;

export function sourceView(overrides: Partial<SourceView> = {}): SourceView {
  return {
    namespace: 'default',
    name: 'lab',
    image: 'registry.example.org/sciplat/lab',
    health: 'Ready',
    reason: 'Succeeded',
    message: 'Scanned 8 tags',
    since: NOW - 5 * MINUTE,
    recommended: 'recommended',
    selected: 6,
    prepulled: 5,
    known: 8,
    lastScan: NOW - 2 * MINUTE,
    nextScan: NOW + 3 * MINUTE,
    ...overrides,
  };
}

export function imageView(overrides: Partial<ImageView> = {}): ImageView {
  return {
    tag: 'w_2026_47',
    title: 'Weekly 2026_47',
    type: 'weekly',
    digest: DIGEST_A,
    aliases: ['latest_weekly', 'recommended'],
    rules: ['weeklies'],
    size: '9.8 GiB',
    date: NOW - 3 * 86_400_000,
    prepulled: false,
    nodes: { present: 10, eligible: 12 },
    object: { namespace: 'default', name: 'lab-w-2026-47-aaaaaaaa' },
    ...overrides,
  };
}

export function missingView(overrides: Partial<MissingView> = {}): MissingView {
  return {
    node: 'node-3',
    image: { namespace: 'default', name: 'lab-w-2026-47-aaaaaaaa' },
    imageTitle: 'sciplat/lab:w_2026_47',
    state: 'Failed',
    reason: 'ImagePullBackOff',
    message: 'manifest unknown',
    attempts: 2,
    lastAttempt: NOW - MINUTE,
    nextAttempt: NOW + MINUTE,
    ...overrides,
  };
}

export function nodeView(name: string, overrides: Partial<NodeView> = {}): NodeView {
  return { name, ready: true, remarks: [], labels: {}, architecture: 'amd64', ...overrides };
}

export function overview(overrides: Partial<Overview> = {}): Overview {
  return {
    sources: [sourceView()],
    others: [],
    nodes: { all: 12, ready: 11 },
    pairs: { eligible: 72, present: 70, failed: 1 },
    pulling: [missingView({ state: 'Pulling', reason: 'Pulling', message: 'The pull pod runs' })],
    events: [
      {
        at: NOW - MINUTE,
        isWarning: true,
        reason: 'PullFailed',
        message: 'manifest unknown',
        kind: 'PrepulledImage',
        object: { namespace: 'default', name: 'lab-w-2026-47-aaaaaaaa' },
      },
    ],
    ...overrides,
  };
}

export function sourceDetail(overrides: Partial<SourceDetail> = {}): SourceDetail {
  return {
    source: sourceView(),
    named: [
      { label: 'Recommended', tag: 'recommended', title: 'Recommended (Weekly 2026_47)', prepulled: true },
    ],
    images: [imageView()],
    truncated: false,
    conditions: [
      { type: 'Ready', status: 'True', reason: 'Succeeded', message: 'Scanned 8 tags', since: NOW - MINUTE },
    ],
    ...overrides,
  };
}

export function imageDetail(overrides: Partial<ImageDetail> = {}): ImageDetail {
  return {
    object: { namespace: 'default', name: 'lab-w-2026-47-aaaaaaaa' },
    reference: `registry.example.org/sciplat/lab:w_2026_47@${DIGEST_A}`,
    health: 'Working',
    reason: 'Stocking',
    message: '10 of 12 nodes have it',
    since: NOW - MINUTE,
    image: imageView(),
    conditions: [],
    missing: [missingView()],
    presentOn: ['node-1', 'node-2'],
    ...overrides,
  };
}

/** `nodes` nodes in pools of 25, `images` images; every 10th cell is missing, by turns in another way. */
export function matrix(nodes: number, images: number): Matrix {
  const states: readonly CellState[] = ['Failed', 'Waiting', 'Pulling', 'Skipped', 'Unknown', 'NotWanted'];
  return {
    images: Array.from({ length: images }, (_, index) => ({
      object: { namespace: 'default', name: `lab-${index}` },
      tag: `w_2026_${String(index).padStart(2, '0')}`,
      repository: 'registry.example.org/sciplat/lab',
    })),
    nodes: Array.from({ length: nodes }, (_, index) =>
      nodeView(`node-${index + 1}`, { labels: { pool: `pool-${Math.floor(index / 25)}` } }),
    ),
    cells: Array.from({ length: nodes }, (_, node) =>
      Array.from({ length: images }, (_, image) =>
        (node * images + image) % 10 === 9
          ? (states[Math.floor((node + image) / 2) % states.length] ?? 'Unknown')
          : 'Present',
      ),
    ),
  };
}
