/** Looks through the workloads of every namespace that has records, again and again, and tells which records are concerned. */

import type { DockerImageRecord } from '../../api/docker-image-record.ts';
import { type Clock, sleep } from '../../clock.ts';
import { isEqual } from '../../json.ts';
import type { Lister } from '../../kube/cache.ts';
import type { RunSignals } from '../../kube/controller.ts';
import type { Workload } from '../../kube/lifecycle.ts';
import type { Logger } from '../../kube/logger.ts';
import { keyOf, type ObjectKey } from '../../kube/resource.ts';
import { holdersOf, matchedImages, type RecordReferences, type Survey } from '../record-references.ts';

export interface ReferenceSweepOptions {
  readonly references: Pick<RecordReferences, 'survey'>;
  readonly records: Pick<Lister<DockerImageRecord>, 'list'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Called with records whose holders have changed. */
  readonly onChange: (record: ObjectKey) => void;
}

/** Between two looks at a namespace. A look at 50,000 pods costs 3.3 s of CPU: rest in proportion, to stay below 1 %. */
const REST = { atLeastMs: 60_000, perObjectMs: 10 };
/** The same where it is urgent. */
const URGENT_REST = { atLeastMs: 5_000, perObjectMs: 3 };
/** After a failure nobody asks again for so long. */
const RETRY_MS = 15_000;
/** How often due namespaces are looked for. */
const TICK_MS = 1_000;

interface Look {
  readonly survey: Survey;
  /** The images that were asked for. */
  readonly images: ReadonlySet<string>;
  /** Monotonic milliseconds. */
  readonly at: number;
}

interface Running {
  readonly images: ReadonlySet<string>;
  readonly look: Promise<Look>;
}

/** Answers from the moment it is made; sweeps while it runs, that is while this replica leads. */
export class ReferenceSweep implements Workload {
  readonly name = 'reference-sweep';
  readonly #options: ReferenceSweepOptions;
  readonly #looks = new Map<string, Look>();
  readonly #looking = new Map<string, Running>();
  /** Why a namespace cannot be looked at: told to all its records without asking for each of them. */
  readonly #failures = new Map<string, { readonly error: unknown; readonly until: number }>();

  constructor(options: ReferenceSweepOptions) {
    this.#options = options;
  }

  /** The workloads as last seen; the first time they are looked at now. */
  async survey(record: DockerImageRecord, signal: AbortSignal): Promise<Survey> {
    const { namespace = '' } = record.metadata;
    const known = this.#looks.get(namespace);
    if (known !== undefined) return known.survey;
    const failure = this.#failures.get(namespace);
    if (failure !== undefined && this.#options.clock.monotonic() < failure.until) throw failure.error;
    return (await this.#look(namespace, signal)).survey;
  }

  async run({ stop, abort }: RunSignals): Promise<void> {
    const { clock } = this.#options;
    while (!stop.aborted) {
      for (const namespace of this.#due()) await this.#sweep(namespace, abort);
      await sleep(clock, TICK_MS, stop).catch(() => undefined);
    }
  }

  /** Namespaces whose rest is over; those without records are forgotten. */
  #due(): readonly string[] {
    const byNamespace = this.#records();
    for (const namespace of this.#looks.keys())
      if (!byNamespace.has(namespace)) this.#looks.delete(namespace);
    const now = this.#options.clock.monotonic();
    return [...byNamespace].flatMap(([namespace, records]) => {
      const look = this.#looks.get(namespace);
      // A namespace that nobody has asked about yet is looked at by the first pass of its records.
      return look !== undefined && now >= look.at + restOf(look, records) ? [namespace] : [];
    });
  }

  #records(): ReadonlyMap<string, readonly DockerImageRecord[]> {
    return Map.groupBy(this.#options.records.list(), ({ metadata }) => metadata.namespace ?? '');
  }

  /** A sweep that fails leaves what was seen before; the finalizer does not rely on it. */
  async #sweep(namespace: string, signal: AbortSignal): Promise<void> {
    const { log, clock, records, onChange } = this.#options;
    const before = this.#looks.get(namespace);
    try {
      const { survey } = await this.#look(namespace, signal);
      for (const record of records.list(namespace)) {
        if (before === undefined || !isSame(record, before.survey, survey)) onChange(keyOf(record));
      }
    } catch (error) {
      if (signal.aborted) return;
      log.warn('references not looked at', { namespace, err: error });
      if (before !== undefined) this.#looks.set(namespace, { ...before, at: clock.monotonic() });
    }
  }

  /** Whoever asks while a look is under way shares it, unless it began without an image that matters now. */
  #look(namespace: string, signal: AbortSignal): Promise<Look> {
    const images = this.#imagesOf(namespace);
    const running = this.#looking.get(namespace);
    if (running !== undefined && images.isSubsetOf(running.images)) return running.look;
    const look = this.#read(namespace, images, signal).finally(() => {
      if (this.#looking.get(namespace)?.look === look) this.#looking.delete(namespace);
    });
    this.#looking.set(namespace, { images, look });
    return look;
  }

  async #read(namespace: string, images: ReadonlySet<string>, signal: AbortSignal): Promise<Look> {
    const { references, clock } = this.#options;
    try {
      const survey = await references.survey(namespace, { images, signal });
      const look = { survey, images, at: clock.monotonic() };
      this.#looks.set(namespace, look);
      this.#failures.delete(namespace);
      return look;
    } catch (error) {
      if (!signal.aborted) this.#failures.set(namespace, { error, until: clock.monotonic() + RETRY_MS });
      throw error;
    }
  }

  #imagesOf(namespace: string): ReadonlySet<string> {
    return new Set(this.#options.records.list(namespace).flatMap((record) => [...matchedImages(record)]));
  }
}

/** In a hurry: somebody waits for a record to go, or a record has an image that nobody has looked for yet. */
function restOf({ survey, images }: Look, records: readonly DockerImageRecord[]): number {
  const isUrgent = records.some(
    (record) => record.metadata.deletionTimestamp !== undefined || !matchedImages(record).isSubsetOf(images),
  );
  const { atLeastMs, perObjectMs } = isUrgent ? URGENT_REST : REST;
  return Math.max(atLeastMs, survey.looked * perObjectMs);
}

/** Whether the workloads hold the record as before; PrepulledImages are followed by their informer. */
function isSame(record: DockerImageRecord, before: Survey, after: Survey): boolean {
  return isEqual(holdersOf(record, before, []), holdersOf(record, after, []));
}
