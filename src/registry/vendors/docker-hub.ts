/**
 * Docker Hub's own API lists tags with digests, most recently pushed first. Names still come from the registry, whose
 * list is exact; this adds the digests of what moved lately, so that fewer HEADs are needed.
 *
 * Pages are read until one holds nothing newer than the last look; what is known stays in memory.
 */

import * as z from 'zod';
import type { Clock } from '../../clock.ts';
import { isValidDigest } from '../../domain/digest.ts';
import { DEFAULT_REGISTRY, type Repository, withRuntimeDefaults } from '../../domain/reference.ts';
import { parseJSON } from '../../json.ts';
import type { RegistryAccess } from '../access.ts';
import { answerError } from '../answer-errors.ts';
import { BoundedCache } from '../bounded-cache.ts';
import type { BudgetPool } from '../budget.ts';
import { subjectOf } from '../endpoint.ts';
import { RegistryError } from '../errors.ts';
import { HUB_WEB_HOST } from '../hub-hosts.ts';
import type { ScanMeter } from '../meter.ts';
import type { TagFact } from '../tag-page.ts';
import type { Transport } from '../transport.ts';

/** Only what is used; unknown members and entries without a digest are passed over. */
const PAGE = z.object({
  results: z.array(
    z.object({
      name: z.string(),
      digest: z.string().nullish(),
      media_type: z.string().nullish(),
      last_updated: z.string().nullish(),
    }),
  ),
});

/** Root of Docker Hub's own API. */
const DOCKER_HUB_URL = `https://${HUB_WEB_HOST}/`;
const PAGE_SIZE = 100;
/** A first look reads the newest tags only; the rest is asked for by HEAD when it is wanted. */
const MAX_PAGES = 3;
const MAX_PAGE_BYTES = 4 * 1024 * 1024;
const MAX_REPOSITORIES = 1000;
/** Rest of all repositories after a 429. */
const RATE_LIMITED_MS = 5 * 60_000;
/** Rest of one repository after a refusal. */
const REST_MS = 15 * 60_000;
/** Tags remembered of one repository. */
const MAX_FACTS = 5000;

interface Known {
  readonly facts: ReadonlyMap<string, TagFact>;
  /** `last_updated` of the newest tag at the last look. */
  readonly newest: string;
}

/** Which repository, and whose connection is used. */
export interface HubRequest {
  readonly repository: Repository;
  readonly access: RegistryAccess;
  readonly meter: ScanMeter;
  readonly signal: AbortSignal;
}

/** One for the process; credentials are never sent to it. */
export class DockerHub {
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #budgets: BudgetPool;
  readonly #baseURL: string;
  /** By connection and repository: an answer through somebody's own proxy or CA is for that somebody alone. */
  readonly #known = new BoundedCache<Known>(MAX_REPOSITORIES);
  /** When a repository whose page was refused is asked about again. */
  readonly #restUntil = new BoundedCache<number>(MAX_REPOSITORIES);

  constructor(transport: Transport, clock: Clock, budgets: BudgetPool, baseURL: string = DOCKER_HUB_URL) {
    this.#transport = transport;
    this.#clock = clock;
    this.#budgets = budgets;
    this.#baseURL = baseURL;
  }

  serves(repository: Repository): boolean {
    return withRuntimeDefaults(repository).registry === DEFAULT_REGISTRY;
  }

  /** Facts of recently pushed tags; none of a repository that is not public or while the API refuses. */
  async facts(request: HubRequest): Promise<ReadonlyMap<string, TagFact>> {
    const key = `${request.access.identity} ${withRuntimeDefaults(request.repository).repository}`;
    if ((this.#restUntil.get(key) ?? 0) > this.#clock.monotonic()) return new Map();
    try {
      return await this.#look(request, key);
    } catch (error) {
      // The list is exact without these facts; only the caller's own abort counts.
      if (request.signal.aborted) throw error;
      this.#known.delete(key);
      this.#restUntil.set(key, this.#clock.monotonic() + REST_MS);
      return new Map();
    }
  }

  async #look(request: HubRequest, key: string): Promise<ReadonlyMap<string, TagFact>> {
    const known = this.#known.get(key);
    const found = new Map<string, TagFact>();
    let newest = '';
    for (let page = 1; page <= MAX_PAGES; page++) {
      const entries = await this.#page(request, page);
      for (const entry of entries) addFact(found, entry);
      newest = entries.reduce((latest, { updated }) => (updated > latest ? updated : latest), newest);
      const isKnown =
        known !== undefined && entries.some(({ updated }) => updated !== '' && updated <= known.newest);
      if (isKnown || entries.length < PAGE_SIZE) break;
      // Between the last look and the third page lies a gap: what was known may have moved in it.
      if (page === MAX_PAGES) return this.#remember(key, found, newest);
    }
    if (newest === '') return this.#remember(key, found, newest);
    return this.#remember(key, new Map([...(known?.facts ?? []), ...found]), newest);
  }

  #remember(key: string, facts: ReadonlyMap<string, TagFact>, newest: string): ReadonlyMap<string, TagFact> {
    if (facts.size <= MAX_FACTS) this.#known.set(key, { facts, newest });
    else this.#known.delete(key);
    return facts;
  }

  async #page(request: HubRequest, page: number): Promise<readonly HubEntry[]> {
    const path = withRuntimeDefaults(request.repository).repository;
    const url = new URL(`v2/repositories/${path}/tags`, this.#baseURL);
    url.search = new URLSearchParams({
      page: String(page),
      page_size: String(PAGE_SIZE),
      ordering: 'last_updated',
    }).toString();
    const subject = subjectOf("asking Docker Hub's API about", request.repository);
    const budget = this.#budgets.get(HUB_WEB_HOST, request.access.identity);
    const permit = await budget.acquire(0, request.signal);
    try {
      const { access, meter, signal } = request;
      const call = { method: 'GET', url, headers: {}, subject, access, meter, signal } as const;
      const response = await this.#transport.send({
        ...call,
        target: { kind: 'registry' },
        maxBytes: MAX_PAGE_BYTES,
      });
      if (response.status === 429) budget.pause(RATE_LIMITED_MS);
      if (response.status !== 200) throw answerError(response, subject, 'NAME_UNKNOWN', this.#clock.now());
      const entries = readPage(response.body);
      if (entries !== undefined) return entries;
      throw new RegistryError(`${subject.action}: the answer is no page of tags`, {
        ...subject,
        code: 'INVALID_RESPONSE',
      });
    } finally {
      permit.release();
    }
  }
}

interface HubEntry {
  readonly name: string;
  readonly digest: string;
  readonly mediaType: string;
  readonly updated: string;
}

/** undefined for anything else than a page: what is known must not be taken for current then. */
function readPage(body: Buffer): readonly HubEntry[] | undefined {
  const page = PAGE.safeParse(parseJSON(body));
  if (!page.success) return undefined;
  return page.data.results.map(({ name, digest, media_type: mediaType, last_updated: updated }) => ({
    name,
    digest: digest ?? '',
    mediaType: mediaType ?? '',
    updated: updated ?? '',
  }));
}

function addFact(facts: Map<string, TagFact>, { name, digest, mediaType, updated }: HubEntry): void {
  if (!isValidDigest(digest)) return;
  const pushedMs = Date.parse(updated);
  facts.set(name, {
    digest,
    ...(mediaType !== '' && { mediaType }),
    ...(!Number.isNaN(pushedMs) && { pushedMs }),
  });
}
