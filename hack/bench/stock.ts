/**
 * What knowing the stock costs: N nodes and M images in the coverage index, every pair pulled once.
 *
 *   node --expose-gc hack/bench/stock.ts [N [M]]        (default 5000 nodes, 20 images)
 *
 * Prints CPU of filling the index, of a rollout (three events a pair), of one report for each image - kept by events,
 * and by a look at all nodes as a comparison - of one node's change, and the memory that all of it added.
 */

import { Circuits } from '../../src/domain/circuits.ts';
import { Coverage } from '../../src/domain/coverage.ts';
import type { NodeFacts } from '../../src/domain/node.ts';
import { StockIndex } from '../../src/domain/stock-index.ts';
import { stockReport } from '../../src/domain/stock-report.ts';
import type { Want } from '../../src/domain/want.ts';
import { nodeFacts, want } from '../../test/support/stock-builders.ts';

const LIMITS = { present: 100, missing: 32 };
const MIB = 2 ** 20;

function makeNode(index: number): NodeFacts {
  const name = `node-${String(index).padStart(5, '0')}`;
  return nodeFacts(name, {
    labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', pool: `p${index % 7}` },
    images: Array.from({ length: 30 }, (_, n) => ({ names: [`reg.example/i${n}:1`], sizeBytes: 1_000 - n })),
  });
}

function makeWant(index: number): Want {
  const digest = `sha256:${String(index).padStart(64, '0')}`;
  return want(`image-${index}`, {
    sizeBytes: 10 * MIB,
    pulls: [{ key: digest, reference: `reg.example/lab@${digest}`, policy: 'IfNotPresent' }],
    scope: { nodeSelector: { 'kubernetes.io/os': 'linux' } },
  });
}

function cpuMs(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return Math.round((user + system) / 10) / 100;
}

/** Every node is asked, says that it pulls, and shows what it has. */
function rollOut(coverage: Coverage, nodes: readonly NodeFacts[], wants: readonly Want[]): void {
  const pulls = wants.flatMap((want) => want.pulls);
  const state = { reason: 'Pulling', message: 'The node is pulling' } as const;
  for (const node of nodes) coverage.setPulling(node, new Map(pulls.map(({ key }) => [key, state])));
  for (const node of nodes) {
    for (const { key } of pulls) coverage.addReceipt(node, { key, proof: `pod/${key}` }, 0);
    coverage.setPulling(node, new Map());
  }
}

function main(): void {
  const [nodeCount = 5_000, wantCount = 20] = process.argv.slice(2).map(Number);
  const nodes = Array.from({ length: nodeCount }, (_, index) => makeNode(index));
  const wants = Array.from({ length: wantCount }, (_, index) => makeWant(index));
  const idsByKey = new Map(wants.map(({ id, pulls }) => [pulls[0]?.key, id]));
  global.gc?.();
  const before = process.memoryUsage();
  const facts = { coverage: new Coverage(), circuits: new Circuits(() => 0) };
  const index = new StockIndex(facts, () => 0);
  const fillMs = cpuMs(() => {
    for (const node of nodes) facts.coverage.observeNode(node);
    for (const node of nodes) index.putNode(node);
    for (const want of wants) index.putWant(want);
  });
  facts.coverage.subscribe((node, keys) => {
    for (const key of keys) index.touch(node, idsByKey.get(key) ?? '');
  });
  const rolloutMs = cpuMs(() => {
    rollOut(facts.coverage, nodes, wants);
  });
  const reportsMs = cpuMs(() => {
    for (const want of wants) index.report(want, LIMITS);
  });
  const allNodesMs = cpuMs(() => {
    for (const want of wants) stockReport(want, nodes, facts, LIMITS);
  });
  const [first] = nodes;
  const nodeChangeMs = cpuMs(() => {
    for (let time = 0; time < 100; time += 1)
      if (first !== undefined) index.putNode({ ...first, unschedulable: time % 2 === 0 });
  });
  global.gc?.();
  const after = process.memoryUsage();
  const heapMiB = Math.round((after.heapUsed - before.heapUsed) / MIB);
  const rssMiB = Math.round((after.rss - before.rss) / MIB);
  const times = { fillMs, rolloutMs, reportsMs, allNodesMs, nodeChangeMs: nodeChangeMs / 100 };
  const figures = { ...times, heapMiB, rssMiB };
  process.stdout.write(`${JSON.stringify({ nodeCount, wantCount, ...figures })}\n`);
}

main();
