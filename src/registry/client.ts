/** The registry client: one per process; everything it learns about load, tokens and content is shared by all callers. */

import { type Clock, systemClock } from '../clock.ts';
import type { Digest } from '../domain/digest.ts';
import type { Reference, Repository } from '../domain/reference.ts';
import type { RegistryAccess } from './access.ts';
import { AddressPolicy } from './address-policy.ts';
import { Authentication } from './authentication.ts';
import { BoundedCache } from './bounded-cache.ts';
import { Budget, BudgetPool, type BudgetSettings, budgetFor } from './budget.ts';
import { type Bundle, BundleReader } from './bundle-reader.ts';
import { Connections, type ResolveHost } from './connections.ts';
import { ContentReader, type HeadResult, type ManifestContent, type View } from './content.ts';
import { subjectOf } from './endpoint.ts';
import { ImageResolver, type ResolveDetail, type ResolvedImage } from './image-resolver.ts';
import { newScanMeter, type ScanMeter } from './meter.ts';
import { type Referrer, ReferrerReader } from './referrers.ts';
import { Session } from './session.ts';
import { SingleFlight } from './single-flight.ts';
import { DEFAULT_LIST_LIMITS, type KnownPage, type ListLimits, TagLister } from './tag-list.ts';
import type { TagFact, TagPage } from './tag-page.ts';
import { DEFAULT_TRANSPORT, type ObservedExchange, Transport } from './transport.ts';
import { deadlineError, type Subject } from './transport-errors.ts';
import { DockerHub } from './vendors/docker-hub.ts';

/** All optional: without any, a client that reaches public registries. */
export interface RegistryClientOptions {
  readonly clock?: Clock;
  readonly budget?: Partial<BudgetSettings>;
  /** `--allow-cidr`: networks that redirects, links and realms may lead to besides public ones. */
  readonly allowedCIDRs?: readonly string[];
  /** `--allow-realm`: hosts of token services that any registry may name. */
  readonly allowedRealms?: readonly string[];
  /** Deadline of one request, milliseconds. */
  readonly requestTimeoutMs?: number;
  readonly userAgent?: string;
  readonly resolveHost?: ResolveHost;
  /** Told about every HTTP exchange, for metrics. */
  readonly observe?: (exchange: ObservedExchange) => void;
  /** Docker Hub's own API, for tests. */
  readonly dockerHubURL?: string;
}

/** What every call takes. */
export interface CallOptions {
  readonly signal: AbortSignal;
  /** Counts what the call costs; a call that joins an equal one in flight costs nothing. */
  readonly meter?: ScanMeter;
}

/** Of `listTags`; limits that are absent are the default ones. */
export interface ListOptions extends CallOptions {
  readonly limits?: Partial<ListLimits>;
}

/** Of `resolve`. */
export interface ResolveOptions extends CallOptions {
  /** Default: sizes. */
  readonly detail?: ResolveDetail;
}

/** A whole list. */
export interface TagList {
  readonly tags: readonly string[];
  /** Digests the list itself named, by tag. */
  readonly facts: ReadonlyMap<string, TagFact>;
  readonly junk: number;
  readonly pages: number;
}

const MAX_FACT_BYTES = 32 * 1024 * 1024;
const MAX_PAGE_BYTES = 32 * 1024 * 1024;
const MAX_TAG_DIGESTS = 100_000;

/** All methods reject with RegistryError, or with the reason of the caller's signal. */
export class RegistryClient {
  readonly #connections: Connections;
  readonly #session: Session;
  readonly #lister: TagLister;
  readonly #hub: DockerHub;
  readonly #resolver: ImageResolver;
  readonly #bundles: BundleReader;
  readonly #referrers: ReferrerReader;
  readonly #heads = new SingleFlight<HeadResult>();
  readonly #images = new SingleFlight<ResolvedImage>();
  readonly #lists = new SingleFlight<TagList>();

  constructor(options: RegistryClientOptions = {}) {
    const clock = options.clock ?? systemClock;
    const policy = new AddressPolicy(options.allowedCIDRs);
    this.#connections = new Connections({
      policy,
      ...(options.resolveHost && { resolve: options.resolveHost }),
    });
    const transport = new Transport(this.#connections, clock, {
      requestTimeoutMs: options.requestTimeoutMs ?? DEFAULT_TRANSPORT.requestTimeoutMs,
      userAgent: options.userAgent ?? DEFAULT_TRANSPORT.userAgent,
      ...(options.observe && { observe: options.observe }),
    });
    const realms = { allowedHosts: new Set(options.allowedRealms) };
    const newBudget = (host: string): Budget => new Budget(clock, { ...budgetFor(host), ...options.budget });
    const budgets = new BudgetPool(newBudget);
    this.#hub = new DockerHub(transport, clock, budgets, options.dockerHubURL);
    this.#session = new Session(transport, new Authentication(transport, clock, realms), budgets, clock);
    this.#lister = new TagLister(this.#session, new BoundedCache<KnownPage>(MAX_PAGE_BYTES));
    const content = new ContentReader(
      this.#session,
      new BoundedCache<ManifestContent | Buffer>(MAX_FACT_BYTES),
    );
    this.#referrers = new ReferrerReader(content);
    this.#bundles = new BundleReader(content);
    this.#resolver = new ImageResolver(content, new BoundedCache<Digest>(MAX_TAG_DIGESTS));
  }

  /**
   * The pages of a tag list as they arrive, each tag once, in the registry's order.
   * @throws RegistryError; what was yielded before is then not the whole list
   */
  listTags(
    repository: Repository,
    access: RegistryAccess,
    options: ListOptions,
  ): AsyncGenerator<TagPage, void, void> {
    const { signal, meter = newScanMeter(), limits } = options;
    return this.#lister.list({
      repository,
      access,
      signal,
      meter,
      limits: { ...DEFAULT_LIST_LIMITS, ...limits },
    });
  }

  /** The whole tag list; equal calls at the same moment share one listing. */
  async collectTags(repository: Repository, access: RegistryAccess, options: ListOptions): Promise<TagList> {
    const limits = { ...DEFAULT_LIST_LIMITS, ...options.limits };
    const key = `${await this.#session.viewKey(repository, access, options.signal)} ${JSON.stringify(limits)}`;
    const subject = subjectOf('listing tags of', repository);
    const listing = this.#lists.run(key, options.signal, async (signal) => {
      const tags: string[] = [];
      const facts = new Map<string, TagFact>();
      let junk = 0;
      let pages = 0;
      for await (const page of this.listTags(repository, access, { ...options, signal })) {
        for (const tag of page.tags) tags.push(tag);
        for (const [tag, fact] of page.facts) facts.set(tag, fact);
        junk += page.junk;
        pages++;
      }
      for (const [tag, fact] of await this.#hubFacts(repository, access, { ...options, signal }))
        facts.set(tag, fact);
      return { tags, facts, junk, pages };
    });
    return listing.catch(rethrow(subject));
  }

  async #hubFacts(
    repository: Repository,
    access: RegistryAccess,
    { signal, meter = newScanMeter() }: CallOptions,
  ): Promise<ReadonlyMap<string, TagFact>> {
    return this.#hub.serves(repository) ? this.#hub.facts({ repository, access, signal, meter }) : new Map();
  }

  /** What a tag (or "latest", or a digest) points at now; one HEAD. @throws RegistryError */
  async headDigest(reference: Reference, access: RegistryAccess, options: CallOptions): Promise<HeadResult> {
    const identifier = identifierOf(reference);
    const key = await this.#session.viewKey(reference, access, options.signal);
    const subject = subjectOf('asking for the digest of', reference, `:${identifier}`);
    const heading = this.#heads.run(`${key} ${identifier}`, options.signal, (signal) =>
      this.#resolver.headDigest(view(reference, access, key, { ...options, signal }), identifier),
    );
    return heading.catch(rethrow(subject));
  }

  /** Digest, platforms and sizes of an image; a digest known already costs nothing. @throws RegistryError */
  async resolve(
    reference: Reference,
    access: RegistryAccess,
    options: ResolveOptions,
  ): Promise<ResolvedImage> {
    const identifier = identifierOf(reference);
    const detail = options.detail ?? 'sizes';
    const key = await this.#session.viewKey(reference, access, options.signal);
    const subject = subjectOf('resolving', reference, `:${identifier}`);
    const resolving = this.#images.run(`${key} ${identifier} ${detail}`, options.signal, (signal) =>
      this.#resolver.resolve(view(reference, access, key, { ...options, signal }), identifier, detail),
    );
    return resolving.catch(rethrow(subject));
  }

  /** The operator bundle that an image is; undefined if it is none. @throws RegistryError */
  async readBundle(
    reference: Reference,
    access: RegistryAccess,
    options: CallOptions,
  ): Promise<Bundle | undefined> {
    const identifier = identifierOf(reference);
    const key = await this.#session.viewKey(reference, access, options.signal);
    const reading = this.#bundles.read(view(reference, access, key, options), identifier);
    return reading.catch(rethrow(subjectOf('reading the bundle', reference, `:${identifier}`)));
  }

  /** Signatures and other artifacts that refer to a digest; none is verified. @throws RegistryError */
  async listReferrers(
    reference: Repository & { readonly digest: Digest },
    access: RegistryAccess,
    options: CallOptions,
  ): Promise<readonly Referrer[]> {
    const key = await this.#session.viewKey(reference, access, options.signal);
    const listing = this.#referrers.list(view(reference, access, key, options), reference.digest);
    return listing.catch(rethrow(subjectOf('listing referrers of', reference, `@${reference.digest}`)));
  }

  /** Ends all connections; calls in progress fail. */
  close(): Promise<void> {
    return this.#connections.close();
  }
}

/** A caller's deadline becomes a RegistryError; other reasons for giving up stay as they are. */
function rethrow(subject: Subject): (error: unknown) => never {
  return (error) => {
    throw deadlineError(error, subject);
  };
}

/** The digest wins over the tag, as in runtimes. */
function identifierOf(reference: Reference): string {
  return reference.digest ?? reference.tag ?? 'latest';
}

function view(
  { registry, repository }: Repository,
  access: RegistryAccess,
  key: string,
  options: CallOptions,
): View {
  const { signal, meter = newScanMeter() } = options;
  return { repository: { registry, repository }, access, key, meter, signal };
}
