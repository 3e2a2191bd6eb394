/**
 * The whole tag list of a repository, page by page: exact, or an error; never silently short.
 *
 * Pages are followed by Link (distribution specification, "Listing Tags"). A first page that is exactly as long as was
 * asked for and has no Link may come from a registry that knows `last` but not Link: it is asked once for what follows.
 */

import type { Repository } from '../domain/reference.ts';
import type { RegistryAccess } from './access.ts';
import type { BoundedCache } from './bounded-cache.ts';
import { apiRoot, apiURL, subjectOf } from './endpoint.ts';
import { RegistryError, type RegistryErrorCode } from './errors.ts';
import { findNextLink } from './link.ts';
import type { ScanMeter } from './meter.ts';
import { isPlainAllowed } from './realm.ts';
import { SeenTags } from './seen-tags.ts';
import type { Session } from './session.ts';
import { readTagPage, type TagPage } from './tag-page.ts';
import type { TransportResponse } from './transport.ts';

/** Beyond any of these the list is an error (LIST_TOO_LARGE), never a part of it. */
export interface ListLimits {
  readonly maxTags: number;
  readonly maxPages: number;
  /** Of one page. A page is parsed at once, so this also bounds the stall. */
  readonly maxPageBytes: number;
}

/** Where the caller names none. */
export const DEFAULT_LIST_LIMITS: ListLimits = {
  maxTags: 100_000,
  maxPages: 10_000,
  maxPageBytes: 16 * 1024 * 1024,
};

/** Whose view of which repository, and how much of it may be read. */
export interface ListRequest {
  readonly repository: Repository;
  readonly access: RegistryAccess;
  readonly limits: ListLimits;
  readonly meter: ScanMeter;
  readonly signal: AbortSignal;
}

/** ECR refuses more; everybody else may answer with fewer. */
const PAGE_SIZE = 1000;
/** Pages in a row without anything new before we stop believing the registry. */
const MAX_STALE_PAGES = 10;

/** A page as it was last sent, for conditional requests. */
export interface KnownPage {
  readonly etag: string;
  readonly page: TagPage;
  readonly link: string | undefined;
}

/** Walks the pages of a list, asking conditionally for those it knows. */
export class TagLister {
  readonly #session: Session;
  readonly #pages: BoundedCache<KnownPage>;

  constructor(session: Session, pages: BoundedCache<KnownPage>) {
    this.#session = session;
    this.#pages = pages;
  }

  /**
   * The pages in the registry's order, each tag once.
   * @throws RegistryError
   */
  async *list(request: ListRequest): AsyncGenerator<TagPage, void, void> {
    const walk = new Walk(request);
    let answer = await this.#firstPage(walk);
    for (;;) {
      const { page, link } = await this.#read(answer, walk);
      request.meter.pages++;
      const fresh = walk.add(page);
      yield fresh;
      const next = link === undefined ? walk.probe(page, fresh) : walk.resolve(link, answer.response);
      if (next === undefined) return;
      answer = await this.#fetch(walk, next);
    }
  }

  /** Registries that refuse our page size get no wish at all. */
  async #firstPage(walk: Walk): Promise<Answer> {
    const url = apiURL(walk.request.repository, walk.request.access, 'tags/list');
    const sized = new URL(url);
    sized.searchParams.set('n', String(PAGE_SIZE));
    const answer = await this.#fetch(walk, sized, [400, 405]);
    const isRefused = answer.response.status === 400 || answer.response.status === 405;
    return isRefused ? this.#fetch(walk, url) : answer;
  }

  async #fetch(walk: Walk, url: URL, accepts: readonly number[] = []): Promise<Answer> {
    walk.visit(url);
    const { repository, access, limits, meter, signal } = walk.request;
    const known = this.#pages.get(pageKey(walk.request, url));
    const response = await this.#session.send({
      method: 'GET',
      url,
      headers: {
        accept: 'application/json',
        'accept-encoding': 'gzip',
        ...(known && { 'if-none-match': known.etag }),
      },
      repository,
      access,
      subject: walk.subject,
      maxBytes: limits.maxPageBytes,
      meter,
      signal,
      missing: 'NAME_UNKNOWN',
      accepts: known ? [...accepts, 304] : accepts,
    });
    return { url, known, response };
  }

  async #read({ url, known, response }: Answer, walk: Walk): Promise<KnownPage> {
    if (response.status === 304 && known !== undefined) return known;
    const type = response.headers.get('content-type') ?? '';
    if (/^\s*(text\/html|application\/xhtml)/i.test(type))
      throw walk.error('INVALID_RESPONSE', 'the answer is a web page');
    const read = await readTagPage(response.body);
    if (!read.ok) throw walk.error('INVALID_RESPONSE', read.error);
    const header = response.headers.get('link');
    const etag = response.headers.get('etag') ?? '';
    const result = { etag, page: read.value, link: header === undefined ? undefined : findNextLink(header) };
    if (etag !== '') this.#pages.set(pageKey(walk.request, url), result, response.body.length);
    return result;
  }
}

/** A page as it arrived, and what was known of it. */
interface Answer {
  readonly url: URL;
  readonly known: KnownPage | undefined;
  readonly response: TransportResponse;
}

function pageKey({ access, repository }: ListRequest, url: URL): string {
  return `${access.identity} ${repository.repository} ${url.href}`;
}

/** Where a listing stands: what was seen, so that loops end and nothing is counted twice. */
class Walk {
  readonly request: ListRequest;
  readonly subject;
  readonly #seenTags = new SeenTags();
  readonly #seenURLs = new Set<string>();
  #stalePages = 0;
  #followsLinks = false;
  #probed = false;

  constructor(request: ListRequest) {
    this.request = request;
    this.subject = subjectOf('listing tags of', request.repository);
  }

  error(code: RegistryErrorCode, problem: string): RegistryError {
    return new RegistryError(`${this.subject.action}: ${problem}`, { ...this.subject, code });
  }

  /** @throws RegistryError if this page was asked for already, or too many were */
  visit(url: URL): void {
    if (this.#seenURLs.has(url.href))
      throw this.error('INVALID_RESPONSE', 'the pages of the list run in a circle');
    this.#seenURLs.add(url.href);
    if (this.#seenURLs.size > this.request.limits.maxPages) {
      throw this.error('LIST_TOO_LARGE', `more than ${this.request.limits.maxPages} pages`);
    }
  }

  /** The page without what earlier pages had. */
  add(page: TagPage): TagPage {
    const tags = this.#seenTags.add(page.tags);
    if (this.#seenTags.size > this.request.limits.maxTags) {
      throw this.error('LIST_TOO_LARGE', `more than ${this.request.limits.maxTags} tags`);
    }
    this.#stalePages = tags.length === 0 ? this.#stalePages + 1 : 0;
    return { ...page, tags };
  }

  /** The target of a next link, checked. */
  resolve(link: string, response: TransportResponse): URL {
    if (this.#stalePages >= MAX_STALE_PAGES) {
      throw this.error('INVALID_RESPONSE', `${MAX_STALE_PAGES} pages in a row held nothing new`);
    }
    this.#followsLinks = true;
    if (!URL.canParse(link, response.url.href))
      throw this.error('INVALID_RESPONSE', 'the link to the next page is no URL');
    const url = new URL(link, response.url.href);
    const registry = apiRoot(this.request.repository, this.request.access);
    const isOurs = url.origin === registry.origin || url.origin === response.url.origin;
    if (!isOurs || url.username !== '' || url.password !== '') {
      throw this.error('POLICY_REFUSED', `the next page is at another host, ${url.host}`);
    }
    if (url.protocol !== 'https:' && !isPlainAllowed(url, response.url, this.request.access.plainHTTP)) {
      throw this.error('POLICY_REFUSED', 'the next page is not https');
    }
    // Artifactory writes links with the path it sees behind its own proxy; only the query is right.
    if (!response.headers.has('x-jfrog-version')) return url;
    const repaired = new URL(response.url.href);
    repaired.search = url.search;
    return repaired;
  }

  /** What to ask after a page without a link: nothing, or once what follows a suspiciously full first page. */
  probe(page: TagPage, fresh: TagPage): URL | undefined {
    const last = page.tags.at(-1);
    const isFull = page.tags.length + page.junk === PAGE_SIZE;
    if (this.#followsLinks || last === undefined || !isFull || fresh.tags.length === 0) return undefined;
    if (this.#probed && fresh.tags.length < page.tags.length) return undefined;
    this.#probed = true;
    const url = apiURL(this.request.repository, this.request.access, 'tags/list');
    url.searchParams.set('n', String(PAGE_SIZE));
    url.searchParams.set('last', last);
    return url;
  }
}
