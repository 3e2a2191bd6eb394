/** The server of the HTTP measurement, a process of its own: 200 images, 50 of them on 1,000 nodes; `rollout` changes one all the time. */

import type { PrepulledImage } from '../../src/api/prepulled-image.ts';
import { systemClock } from '../../src/clock.ts';
import { toSelectionSpec } from '../../src/controllers/image-source/selection-spec.ts';
import type { Digest } from '../../src/domain/digest.ts';
import { runFold } from '../../src/domain/fold.ts';
import type { NodeFacts } from '../../src/domain/node.ts';
import { compileSelection, planSelection } from '../../src/domain/selection.ts';
import { concludeSelection } from '../../src/domain/source-images.ts';
import { imageSource, prepulledImage } from '../../test/support/builders.ts';
import { ReadingWorld, serveWorld } from '../../test/support/reading-world.ts';
import { nodeFacts } from '../../test/support/stock-builders.ts';

const IMAGE = 'registry.example.org/sciplat/lab';
const IMAGES = 200;
const STOCKED = 50;
const NODES = 1_000;
const LISTED_ON_STATUS = 100;
const ROLLOUT_STEP_MS = 20;

const world = new ReadingWorld();
const nodes = Array.from({ length: NODES }, (_, index) => nodeOf(index));

function digestOf(index: number): Digest {
  return `sha256:${index.toString(16).padStart(64, '0')}` as Digest;
}

function tagOf(index: number): string {
  const week = index % 52;
  return `w_${2026 - Math.floor(index / 52)}_${String(week + 1).padStart(2, '0')}`;
}

/** A node lists all that is stocked. */
function nodeOf(index: number): NodeFacts {
  const images = Array.from({ length: STOCKED }, (_unused, image) => ({
    names: [`${IMAGE}@${digestOf(image)}`],
    sizeBytes: 1,
  }));
  return nodeFacts(`node-${String(index).padStart(4, '0')}`, { images });
}

/** As the leader reports it: present on all nodes but the first `missing`. */
function stocked(index: number, missing: number): PrepulledImage {
  const owner = {
    apiVersion: 'larder.dev/v1alpha1',
    kind: 'ImageSource',
    name: 'lab',
    uid: 'uid-of-lab',
    controller: true,
  };
  const spec = { image: `${IMAGE}:${tagOf(index)}@${digestOf(index)}` };
  const image = prepulledImage({ metadata: { name: `lab-${index}`, ownerReferences: [owner] }, spec });
  const names = nodes.map(({ name }) => name);
  const present = NODES - missing;
  const time = '2026-11-21T12:00:00Z';
  const condition = {
    type: 'Prepulled',
    status: 'True' as const,
    reason: 'Prepulled',
    message: '',
    observedGeneration: 1,
    lastTransitionTime: time,
  };
  const counts = {
    eligible: NODES,
    present,
    unknown: 0,
    pulling: missing,
    waiting: 0,
    failed: 0,
    skipped: 0,
  };
  const found = {
    reference: `${IMAGE}:${tagOf(index)}`,
    registry: 'registry.example.org',
    repository: 'sciplat/lab',
    tag: tagOf(index),
    digest: digestOf(index),
  };
  const notPresent = names
    .slice(0, Math.min(missing, 32))
    .map((node) => ({ node, state: 'Pulling' as const, reason: 'Pulling', message: '' }));
  return {
    ...image,
    status: {
      conditions: [condition],
      image: found,
      nodes: counts,
      presentOn: names.slice(missing, missing + LISTED_ON_STATUS),
      notPresent,
      prepulled: missing === 0,
      coverageTime: time,
    },
  };
}

function setUp(): PrepulledImage[] {
  const select = [{ name: 'weeklies', type: 'weekly' as const, newest: STOCKED }];
  const source = imageSource({ spec: { image: IMAGE, tags: { grammar: 'RSP' }, select, prepull: {} } });
  const selection = compileSelection(toSelectionSpec(source.spec));
  if (!selection.ok) throw new Error(selection.error.message);
  const tags = Array.from({ length: IMAGES }, (_, index) => tagOf(index));
  const plan = runFold(planSelection(selection.value, tags, Date.UTC(2026, 11, 31)));
  const digests = new Map(tags.map((tag, index) => [tag, digestOf(index)]));
  const facts = { digests, eligibleNodes: new Set<string>(), presence: new Map<never, never>() };
  world.listings.set('default/lab', {
    images: runFold(concludeSelection(selection.value, plan, facts)),
    origin: 'Scan',
  });
  world.setSources(source);
  world.setNodes(...nodes);
  const images = Array.from({ length: STOCKED }, (_, index) => stocked(index, 0));
  world.setImages(...images);
  return images;
}

/** A pull ends every few milliseconds somewhere, and the leader says so. */
function rollOut(images: PrepulledImage[], step: number): void {
  images[step % STOCKED] = stocked(step % STOCKED, step % 30);
  world.setImages(...images);
  systemClock.schedule(ROLLOUT_STEP_MS, () => {
    rollOut(images, step + 1);
  });
}

const images = setUp();
// Lines would be kept in memory here.
const served = await serveWorld(world, { accessLog: false });
process.on('message', (message) => {
  if (message === 'rollout') rollOut(images, 1);
  if (message === 'memory') {
    globalThis.gc?.();
    process.send?.({ rssBytes: process.memoryUsage().rss });
  }
});
process.send?.({ url: served.url });
