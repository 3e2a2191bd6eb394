import { describe, expect, it } from 'vitest';
import { anonymousAccess, buildAccess, type RegistryAccess } from '../../../src/registry/access.ts';
import { Budget, BudgetPool, budgetFor } from '../../../src/registry/budget.ts';
import { Connections } from '../../../src/registry/connections.ts';
import { newScanMeter } from '../../../src/registry/meter.ts';
import { DEFAULT_TRANSPORT, Transport } from '../../../src/registry/transport.ts';
import { DockerHub } from '../../../src/registry/vendors/docker-hub.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeRegistry, sha256 } from '../../support/fake-registry.ts';
import { sendJSON } from '../../support/registry-exchange.ts';

/** A tag as hub.docker.com shows it (members that nobody reads are left out). */
interface HubTag {
  readonly name: string;
  readonly digest?: string | null;
  readonly last_updated: string | null;
  readonly media_type?: string;
}

const PATH = '/v2/repositories/library/python/tags';

interface Stage {
  readonly hub: DockerHub;
  readonly server: FakeRegistry;
  readonly clock: FakeClock;
  tags: readonly HubTag[];
  /** A status, a body, or undefined for the page asked for. */
  answer: number | string | undefined;
  facts(access?: RegistryAccess): Promise<Readonly<Record<string, string>>>;
}

async function onStage(play: (stage: Stage) => Promise<void>): Promise<void> {
  await using server = await FakeRegistry.start();
  const clock = new FakeClock();
  const connections = new Connections();
  const hub = new DockerHub(
    new Transport(connections, clock, DEFAULT_TRANSPORT),
    clock,
    new BudgetPool(() => new Budget(clock, budgetFor('hub.docker.com'))),
    server.url,
  );
  const stage: Stage = {
    hub,
    server,
    clock,
    tags: [],
    answer: undefined,
    async facts(access = anonymousAccess) {
      const signal = new AbortController().signal;
      const repository = { registry: '', repository: 'python' };
      const facts = await hub.facts({ repository, access, meter: newScanMeter(), signal });
      return Object.fromEntries([...facts].map(([tag, { digest }]) => [tag, digest]));
    },
  };
  server.intercept = ({ path, query }, response) => {
    expect(path).toBe(PATH);
    expect(query.get('ordering')).toBe('last_updated');
    const start = (Number(query.get('page')) - 1) * 100;
    const newestFirst = [...stage.tags].sort((a, b) =>
      (a.last_updated ?? '') < (b.last_updated ?? '') ? 1 : -1,
    );
    if (typeof stage.answer === 'number') response.writeHead(stage.answer).end();
    else if (stage.answer === undefined)
      sendJSON(response, 200, { count: stage.tags.length, results: newestFirst.slice(start, start + 100) });
    else response.writeHead(200).end(stage.answer);
    return true;
  };
  try {
    await play(stage);
  } finally {
    await connections.close();
  }
}

function hubTags(count: number): readonly HubTag[] {
  return Array.from({ length: count }, (_, index) => hubTag(index));
}

function hubTag(index: number, name = `t${index}`): HubTag {
  const last_updated = `2026-01-01T00:00:00.${String(index).padStart(6, '0')}Z`;
  return {
    name,
    digest: sha256(`${name} ${index}`),
    last_updated,
    media_type: 'application/vnd.oci.image.index.v1+json',
  };
}

describe('DockerHub', () => {
  it('serves Docker Hub alone', () =>
    onStage(({ hub }) => {
      expect(hub.serves({ registry: 'docker.io', repository: 'a/b' })).toBe(true);
      expect(hub.serves({ registry: '', repository: 'a' })).toBe(true);
      expect(hub.serves({ registry: 'ghcr.io', repository: 'a/b' })).toBe(false);
      return Promise.resolve();
    }));

  it('reads the newest pages first, then only what is new', () =>
    onStage(async (stage) => {
      stage.tags = hubTags(250);
      expect(Object.keys(await stage.facts())).toHaveLength(250);
      expect(stage.server.log).toHaveLength(3);
      stage.tags = [...stage.tags, hubTag(1000, 'new'), hubTag(1001, 't5')];
      const facts = await stage.facts();
      expect(stage.server.log).toHaveLength(4);
      expect(Object.keys(facts)).toHaveLength(251);
      expect(facts['t5']).toBe(sha256('t5 1001'));
      expect(facts['t6']).toBe(sha256('t6 6'));
    }));

  it('forgets what may have moved when more is new than it reads', () =>
    onStage(async (stage) => {
      stage.tags = hubTags(50);
      await stage.facts();
      stage.tags = [
        ...stage.tags,
        ...Array.from({ length: 500 }, (_, index) => hubTag(1000 + index, `n${index}`)),
      ];
      const facts = await stage.facts();
      expect(Object.keys(facts)).toHaveLength(300);
      expect(facts['t5']).toBeUndefined();
    }));

  it('tells nobody what came through the connection of another', () =>
    onStage(async (stage) => {
      stage.tags = hubTags(1);
      await stage.facts(buildAccess({ ca: 'somebody’s own' }));
      stage.tags = [];
      expect(await stage.facts()).toEqual({});
    }));

  it('does not take what it knew for current when the API forgets everything', () =>
    onStage(async (stage) => {
      stage.tags = hubTags(5);
      expect(Object.keys(await stage.facts())).toHaveLength(5);
      stage.tags = [];
      expect(await stage.facts()).toEqual({});
      stage.answer = '{}';
      stage.tags = hubTags(5);
      expect(await stage.facts()).toEqual({});
    }));

  it('passes over entries without a digest', () =>
    onStage(async (stage) => {
      stage.tags = [
        { name: 'a', digest: null, last_updated: null },
        { name: 'b', digest: 'sha256:short', last_updated: '2026' },
        hubTag(1),
      ];
      expect(Object.keys(await stage.facts())).toEqual(['t1']);
    }));

  it.each([404, 429, 500, '<html>', '{}'])(
    'is of no use and no harm when it answers %j, and rests after a refusal',
    (answer) =>
      onStage(async (stage) => {
        stage.tags = hubTags(1);
        stage.answer = answer;
        expect(await stage.facts()).toEqual({});
        expect(await stage.facts()).toEqual({});
        expect(stage.server.log).toHaveLength(1);
        stage.answer = undefined;
        await stage.clock.advance(15 * 60_000);
        expect(Object.keys(await stage.facts())).toEqual(['t0']);
      }),
  );
});
