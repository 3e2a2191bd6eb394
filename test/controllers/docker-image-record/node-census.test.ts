import { describe, expect, it } from 'vitest';
import { NodeCensus } from '../../../src/controllers/docker-image-record/node-census.ts';
import type { NodeObject } from '../../../src/controllers/node.ts';
import type { NodeFacts } from '../../../src/domain/node.ts';
import type { Subscriber } from '../../../src/kube/informer.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { nodeFacts } from '../../support/stock-builders.ts';

function object(facts: NodeFacts): NodeObject {
  return { metadata: { name: facts.name }, facts };
}

/** Nodes in a cache that the test fills. */
function stage() {
  const clock = new FakeClock();
  const nodes = new Map<string, NodeObject>();
  const subscribers: Subscriber<NodeObject>[] = [];
  let changes = 0;
  const census = new NodeCensus({
    nodes: {
      lister: { list: () => [...nodes.values()] } as never,
      subscribe: (subscriber) => {
        subscribers.push(subscriber);
        return () => undefined;
      },
    },
    clock,
    onChange: () => {
      changes += 1;
    },
  });
  const put = (facts: NodeFacts): void => {
    const old = nodes.get(facts.name);
    nodes.set(facts.name, object(facts));
    for (const subscriber of subscribers) {
      if (old === undefined) subscriber.onAdd?.(object(facts));
      else subscriber.onUpdate?.(old, object(facts));
    }
  };
  return { census, clock, put, changes: () => changes };
}

const GPU = { labels: { 'nvidia.com/gpu.compute.major': '8' } };

describe('the census', () => {
  it('is taken again only when hardware has changed', () => {
    const { census, put } = stage();
    put(nodeFacts('a'));
    const first = census.current();
    put(nodeFacts('a', { unschedulable: true, images: [{ names: ['x'], sizeBytes: 1 }] }));
    expect(census.current()).toBe(first);
    put(nodeFacts('a', GPU));
    expect(census.current()).not.toBe(first);
  });

  it('tells once of a burst, and only while it leads', async () => {
    const { census, clock, put, changes } = stage();
    put(nodeFacts('early'));
    await clock.advance(20_000);
    expect(changes()).toBe(0);
    const stop = new AbortController();
    const running = census.run({ stop: stop.signal, abort: stop.signal });
    for (const name of ['a', 'b', 'c']) put(nodeFacts(name));
    put(nodeFacts('a', { ready: false }));
    await clock.advance(1_000);
    expect(changes()).toBe(1);
    put(nodeFacts('a', { unschedulable: true }));
    await clock.advance(20_000);
    expect(changes()).toBe(1);
    put(nodeFacts('a', GPU));
    stop.abort();
    await running;
    await clock.advance(20_000);
    expect(changes()).toBe(1);
    await census.run({ stop: stop.signal, abort: stop.signal });
  });
});
