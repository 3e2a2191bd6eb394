/** The whole list of each source, on any replica: the leader's from its last scan, another's from a scan of its own. */

import type { ImageSource } from '../api/image-source.ts';
import type { Clock } from '../clock.ts';
import { sleep } from '../clock.ts';
import type { AccessReader } from '../controllers/access.ts';
import { listRevision } from '../controllers/image-source/guard.ts';
import { runFoldAsync } from '../controllers/image-source/run-fold.ts';
import { type ScanResult, scan } from '../controllers/image-source/scan.ts';
import { knownDigests, type ScanMemory } from '../controllers/image-source/scan-memory.ts';
import { toSelectionSpec } from '../controllers/image-source/selection-spec.ts';
import { parseDuration } from '../domain/duration.ts';
import { compileSelection, type Selection } from '../domain/selection.ts';
import type { SourceImages } from '../domain/source-images.ts';
import type { Logger } from '../kube/logger.ts';
import { formatKey } from '../kube/resource.ts';
import type { RegistryAccess } from '../registry/access.ts';
import { BoundedCache } from '../registry/bounded-cache.ts';
import type { RegistryClient } from '../registry/client.ts';
import { SingleFlight } from '../registry/single-flight.ts';
import type { ListingReader, SourceListing } from '../server/cluster.ts';
import { ProblemError } from '../server/problem.ts';
import { listingFromStatus } from './status-listing.ts';

export interface SourceListingsOptions {
  readonly memory: Pick<ScanMemory, 'listing'>;
  readonly registry: Pick<RegistryClient, 'collectTags' | 'headDigest'>;
  readonly access: Pick<AccessReader, 'grant'>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Tags of all lists together: some 400 bytes each. */
const MAX_TAGS = 500_000;
/** How long one request waits for a scan before it is answered from the status. */
const WAIT_MS = 3_000;
/** A list whose source shows no change is read again after this: unselected tags may have moved. */
const MAX_AGE_MS = 3_600_000;
const RETRY_MS = 30_000;
const MAX_SCANS = 2;
const DIGEST_MS = 30_000;
const MAX_DIGESTS = 4_096;

interface Scanned {
  /** What the source looked like; see `subjectOf`. */
  readonly subject: string;
  readonly listing: SourceListing;
  /** Monotonic milliseconds. */
  readonly at: number;
}

export class SourceListings implements ListingReader {
  readonly #options: SourceListingsOptions;
  readonly #scanned = new BoundedCache<Scanned>(MAX_TAGS);
  /** By source; one scan each at a time, whoever waits for it. */
  readonly #flights = new Map<string, Promise<void>>();
  /** By source: the registry is left alone until then, monotonic milliseconds. */
  readonly #restUntil = new Map<string, number>();
  /** The same listing again for the same images, so that what is made of it is not made again. */
  readonly #ofImages = new WeakMap<SourceImages, SourceListing>();
  /** Of tags that no scan asks about; until: monotonic milliseconds. */
  readonly #digests = new BoundedCache<{ readonly digest: string | null; readonly until: number }>(
    MAX_DIGESTS,
  );
  readonly #digestFlights = new SingleFlight<string | null>();
  readonly #ofStatus = new WeakMap<ImageSource, Promise<SourceListing>>();

  constructor(options: SourceListingsOptions) {
    this.#options = options;
  }

  async read(source: ImageSource, signal: AbortSignal): Promise<SourceListing> {
    const led = this.#led(source);
    if (led !== undefined) return led;
    const key = formatKey(source.metadata);
    const subject = subjectOf(source);
    if (this.#isDue(source, this.#scanned.get(key), subject)) await this.#scanOnce(source, key, signal);
    const scanned = this.#scanned.get(key);
    // A list of an earlier moment is worth more than a few lines of this one, if it is of the same spec.
    if (scanned !== undefined && isOfSameSpec(scanned.subject, subject)) return scanned.listing;
    return this.#fromStatus(source);
  }

  /** Asked of the registry at most every half minute, however many want to know. */
  async findDigest(source: ImageSource, tag: string, signal: AbortSignal): Promise<string | null> {
    const { uid = '', generation = '' } = source.metadata;
    const key = `${uid}/${generation} ${tag}`;
    const known = this.#digests.get(key);
    const { clock } = this.#options;
    if (known !== undefined && clock.monotonic() < known.until) return known.digest;
    const digest = await this.#digestFlights.run(key, signal, (shared) =>
      this.#askForDigest(source, tag, shared),
    );
    this.#digests.set(key, { digest, until: clock.monotonic() + DIGEST_MS });
    return digest;
  }

  async #askForDigest(source: ImageSource, tag: string, signal: AbortSignal): Promise<string | null> {
    const selection = compile(source);
    const { registry } = this.#options;
    try {
      const access = await this.#access(source, selection, signal);
      return (await registry.headDigest({ ...selection.spec.image, tag }, access, { signal })).digest;
    } catch {
      signal.throwIfAborted();
      return null;
    }
  }

  /** Only the leader scans all the time. */
  #led({ metadata }: ImageSource): SourceListing | undefined {
    const found = this.#options.memory.listing(formatKey(metadata));
    if (found === undefined || found.uid !== metadata.uid) return undefined;
    const known = this.#ofImages.get(found.images);
    if (known !== undefined) return known;
    const listing: SourceListing = { images: found.images, origin: 'Scan' };
    this.#ofImages.set(found.images, listing);
    return listing;
  }

  /** Before the leader has scanned, and while it must not, nobody does. */
  #isDue({ metadata, spec, status }: ImageSource, scanned: Scanned | undefined, subject: string): boolean {
    if (spec.suspend || status?.scan === undefined) return false;
    const now = this.#options.clock.monotonic();
    if (now < (this.#restUntil.get(formatKey(metadata)) ?? 0)) return false;
    return scanned?.subject !== subject || now - scanned.at > MAX_AGE_MS;
  }

  /** Joins the scan under way or starts one; returns when it has ended, or when waiting any longer is rude. */
  async #scanOnce(source: ImageSource, key: string, signal: AbortSignal): Promise<void> {
    let flight = this.#flights.get(key);
    if (flight === undefined) {
      if (this.#flights.size >= MAX_SCANS) return;
      flight = this.#scan(source, key).finally(() => {
        this.#flights.delete(key);
      });
      this.#flights.set(key, flight);
    }
    const waited = new AbortController();
    const patience = AbortSignal.any([signal, waited.signal]);
    await Promise.race([flight, sleep(this.#options.clock, WAIT_MS, patience).catch(() => undefined)]);
    waited.abort();
    signal.throwIfAborted();
  }

  async #scan(source: ImageSource, key: string): Promise<void> {
    const { clock, log } = this.#options;
    try {
      const result = await this.#visit(source);
      if (listRevision(result.list.tags) === source.status?.rejected?.listRevision)
        throw new Error('the list is one that the leader does not believe');
      const listing: SourceListing = { images: result.images, origin: 'Scan' };
      const scanned = { subject: subjectOf(source), listing, at: clock.monotonic() };
      this.#scanned.set(key, scanned, Math.max(1, result.list.tags.length));
    } catch (error) {
      this.#restUntil.set(key, clock.monotonic() + RETRY_MS);
      log.warn('a list cannot be read here, the status is served instead', { source: key, err: error });
    }
  }

  async #visit(source: ImageSource): Promise<ScanResult> {
    const { registry, clock } = this.#options;
    const { spec } = source;
    const selection = compile(source);
    const timeout = new AbortController();
    const timer = clock.schedule(parseDuration(spec.timeout), () => {
      timeout.abort(new Error(`scanning ${spec.image}: not finished within spec.timeout (${spec.timeout})`));
    });
    const { signal } = timeout;
    try {
      const access = await this.#access(source, selection, signal);
      const known = knownDigests(source, selection, undefined);
      const { maxTags } = spec.guard;
      return await scan({ registry, access, selection, clock, signal, known, maxTags });
    } finally {
      timer.cancel();
    }
  }

  async #access(
    { metadata, spec }: ImageSource,
    { spec: { image } }: Selection,
    signal: AbortSignal,
  ): Promise<RegistryAccess> {
    const { namespace = '' } = metadata;
    const { registry, repository } = image;
    const request = { namespace, registry, repository, access: spec.access, signal };
    return (await this.#options.access.grant(request)).access;
  }

  #fromStatus(source: ImageSource): Promise<SourceListing> {
    const known = this.#ofStatus.get(source);
    if (known !== undefined) return known;
    const nowMs = this.#options.clock.now();
    const listing = runFoldAsync(listingFromStatus(compile(source), source, nowMs)).then(
      (images): SourceListing => ({ images, origin: 'Status' }),
    );
    this.#ofStatus.set(source, listing);
    return listing;
  }
}

const SEPARATOR = '\n';

/** Changes when the leader has found something else: another list, or another digest of a selected tag. */
function subjectOf({ metadata, status }: ImageSource): string {
  const digests = status?.images?.map(({ tag, digest = '' }) => `${tag}@${digest}`) ?? [];
  const spec = `${metadata.uid ?? ''}/${metadata.generation ?? ''}`;
  return [spec, status?.scan?.listRevision ?? '', ...digests].join(SEPARATOR);
}

function isOfSameSpec(left: string, right: string): boolean {
  return left.split(SEPARATOR, 1)[0] === right.split(SEPARATOR, 1)[0];
}

/** @throws ProblemError for a spec that the leader reports as Stalled */
function compile({ spec }: ImageSource): Selection {
  const compiled = compileSelection(toSelectionSpec(spec));
  if (compiled.ok) return compiled.value;
  throw new ProblemError('Conflict', `spec.${compiled.error.field}: ${compiled.error.message}`);
}
