/** From a path to its page, for whoever may see it. Used by requests and by the live stream alike. */

import { randomUUID } from 'node:crypto';
import type { Clock } from '../../clock.ts';
import { formatKey } from '../../kube/resource.ts';
import type { Authorizer, Caller } from '../authorize.ts';
import type { ClusterReader } from '../cluster.ts';
import { ProblemError } from '../problem.ts';
import { IMAGES, NODES, SOURCES } from '../reading.ts';
import { imagePage, nodePage, sourcePage } from './detail-pages.ts';
import type { RenderTime } from './markup.ts';
import { matrixPage } from './matrix-page.ts';
import { isMissing, type MatrixQuery, selectMatrix } from './matrix-view.ts';
import type { Matrix } from './model.ts';
import { nodesPage } from './nodes-page.ts';
import { overviewPage } from './overview-page.ts';
import type { Page } from './page.ts';
import { DashboardReader, type Sight } from './reader.ts';
import type { RecentEvents } from './recent-events.ts';

/** What pages are made of. */
export interface FinderPorts {
  readonly cluster: ClusterReader;
  readonly authorizer: Authorizer;
  readonly events: Pick<RecentEvents, 'list'>;
  readonly clock: Clock;
}

/** Who asks, and until when an answer is wanted. */
export interface Visitor {
  readonly caller: Caller;
  readonly signal: AbortSignal;
}

const LIST_NODES = { ...NODES, verb: 'list' } as const;
/** Characters of a filter that count. */
const MAX_FILTER = 128;

type Route = readonly [
  pattern: RegExp,
  open: (visitor: Visitor, parts: readonly string[], query: URLSearchParams) => Promise<Page>,
];

/** One for the process. */
export class PageFinder {
  readonly #ports: FinderPorts;
  readonly #reader: DashboardReader;
  readonly #instance = randomUUID();
  readonly #routes: readonly Route[] = [
    [/^\/$/, (visitor) => this.#overview(visitor)],
    [/^\/sources\/([^/]+)\/([^/]+)$/, (visitor, parts) => this.#source(visitor, parts)],
    [/^\/images\/([^/]+)\/([^/]+)$/, (visitor, parts) => this.#image(visitor, parts)],
    [/^\/nodes$/, (visitor) => this.#nodes(visitor)],
    [/^\/nodes\/([^/]+)$/, (visitor, parts) => this.#node(visitor, parts)],
    [/^\/matrix$/, (visitor, _parts, query) => this.#matrix(visitor, query)],
  ];

  constructor(ports: FinderPorts) {
    this.#ports = ports;
    this.#reader = new DashboardReader(ports.cluster);
  }

  /** @throws ProblemError NotFound also for what the caller may not see; Forbidden for nodes as a whole */
  async find(target: URL, visitor: Visitor): Promise<Page> {
    for (const [pattern, open] of this.#routes) {
      const match = pattern.exec(target.pathname);
      if (match !== null) return open(visitor, match.slice(1).map(decodePart), target.searchParams);
    }
    throw notFound();
  }

  /** Changes with what pages show, ages apart; never the same in two processes. */
  get revision(): string {
    const { sources, images, nodes } = this.#ports.cluster.revisions;
    return `${this.#instance}-${sources}-${images}-${nodes}`;
  }

  async #overview(visitor: Visitor): Promise<Page> {
    const sight = await this.#sight(visitor);
    return overviewPage(this.#reader.overview(sight, await this.#ports.events.list()), this.#moment());
  }

  async #source({ caller, signal }: Visitor, [namespace = '', name = '']: readonly string[]): Promise<Page> {
    const { cluster, authorizer } = this.#ports;
    const access = { ...SOURCES, verb: 'get', namespace, name } as const;
    await authorizer.require(caller, access, signal);
    const source = cluster.source(namespace, name);
    if (source === undefined) throw notFound();
    const children = await authorizer.visible(caller, IMAGES, cluster.childrenOf(source), signal);
    return sourcePage(this.#reader.source(source, children), this.#moment());
  }

  async #image({ caller, signal }: Visitor, [namespace = '', name = '']: readonly string[]): Promise<Page> {
    const { cluster, authorizer } = this.#ports;
    const access = { ...IMAGES, verb: 'get', namespace, name } as const;
    await authorizer.require(caller, access, signal);
    const image = cluster.image(namespace, name);
    if (image === undefined) throw notFound();
    return imagePage(this.#reader.image(image), this.#moment());
  }

  async #node(visitor: Visitor, [name = '']: readonly string[]): Promise<Page> {
    await this.#requireNodes(visitor);
    const node = this.#ports.cluster.nodes().find((candidate) => candidate.name === name);
    if (node === undefined) throw notFound();
    return nodePage(this.#reader.node(node, await this.#sight(visitor)), this.#moment());
  }

  async #nodes(visitor: Visitor): Promise<Page> {
    await this.#requireNodes(visitor);
    return nodesPage(nodeRows(this.#reader.matrix(await this.#sight(visitor), '')));
  }

  async #matrix(visitor: Visitor, parameters: URLSearchParams): Promise<Page> {
    await this.#requireNodes(visitor);
    const query = readQuery(parameters);
    const sight = await this.#sight(visitor);
    const selection = selectMatrix(this.#reader.matrix(sight, query.source), query);
    const sources = sight.sources.map(({ metadata }) => formatKey(metadata)).sort();
    return matrixPage(selection, query, sources);
  }

  async #requireNodes({ caller, signal }: Visitor): Promise<void> {
    await this.#ports.authorizer.require(caller, LIST_NODES, signal);
  }

  async #sight({ caller, signal }: Visitor): Promise<Sight> {
    const { cluster, authorizer } = this.#ports;
    const mayListNodes = await authorizer.allows(caller, LIST_NODES, signal);
    return {
      sources: await authorizer.visible(caller, SOURCES, cluster.sources(), signal),
      images: await authorizer.visible(caller, IMAGES, cluster.images(), signal),
      nodes: mayListNodes ? cluster.nodes() : [],
    };
  }

  #moment(): RenderTime {
    return { now: this.#ports.clock.now() };
  }
}

function notFound(): ProblemError {
  return new ProblemError('NotFound', 'there is no such page');
}

/** @throws ProblemError NotFound for what is not encoded as it should be */
function decodePart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw notFound();
  }
}

function readQuery(parameters: URLSearchParams): MatrixQuery {
  const text = (name: string): string => (parameters.get(name) ?? '').slice(0, MAX_FILTER);
  return {
    group: text('group'),
    pool: parameters.has('pool') ? text('pool') : undefined,
    node: text('node'),
    image: text('image'),
    source: text('source'),
    missing: parameters.get('missing') === '1',
    all: parameters.get('all') === '1',
  };
}

function nodeRows({ nodes, cells }: Matrix): Parameters<typeof nodesPage>[0] {
  return nodes.map((node, index) => {
    const states = cells[index] ?? [];
    const present = states.filter((state) => state === 'Present').length;
    const missing = states.filter((state) => isMissing(state) && state !== 'Skipped').length;
    return {
      node,
      present,
      eligible: present + missing,
      failed: states.filter((state) => state === 'Failed').length,
    };
  });
}
