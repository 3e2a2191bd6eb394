/** Events (events.k8s.io/v1) on objects people look at: deduplicated, rate-limited, written behind the caller's back. */

import type { Clock } from '../clock.ts';
import type { KubeClient } from './client.ts';
import { type Logger, silentLogger } from './logger.ts';
import { apiVersionOf, type KubeObject, type ResourceType } from './resource.ts';
import { type RateLimit, TokenBucket } from './token-bucket.ts';

/** What happened, in the words of `kubectl describe`. */
export interface EventNote {
  readonly type: 'Normal' | 'Warning';
  /** CamelCase, as in conditions. */
  readonly reason: string;
  /** What we did or tried, CamelCase verb: `Scan`, `Pull`. */
  readonly action: string;
  readonly message: string;
}

/** The object an event is shown on; the uid is what `kubectl describe` looks for. */
export interface EventSubject {
  readonly type: ResourceType;
  readonly object: KubeObject;
}

/** Port of reconcilers to events. */
export interface EventRecorder {
  /** Never throws and never waits; an event that cannot be written is logged and dropped. */
  record(subject: EventSubject, note: EventNote): void;
}

/** Drops every event; the default where nobody looks. */
export const silentEvents: EventRecorder = { record: () => undefined };

interface EventObject extends KubeObject {
  readonly note?: string;
}

const EVENTS: ResourceType<EventObject> = {
  group: 'events.k8s.io',
  version: 'v1',
  plural: 'events',
  kind: 'Event',
  namespaced: true,
};

/** Limit of the API. */
const NOTE_LIMIT = 1024;

/** An equal event within this time tells nobody anything new. */
const REPEAT_AFTER_MS = 10 * 60_000;

/** Per object, as client-go's spam filter has it. */
const OBJECT_RATE: RateLimit = { qps: 1 / 300, burst: 25 };

/** Bounds of memory: events not yet written, and objects or notes remembered. */
const BACKLOG_LIMIT = 500;
const MEMORY_LIMIT = 4_096;

/** Who the events are from. */
export interface EventWriterOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  /** `larder.dev/operator`. */
  readonly controller: string;
  /** Which replica. */
  readonly instance: string;
  readonly log?: Logger | undefined;
}

/** Writes events one after the other in the background. */
export class EventWriter implements EventRecorder {
  readonly #options: EventWriterOptions;
  readonly #log: Logger;
  readonly #lastSeen = new Map<string, number>();
  readonly #buckets = new Map<string, TokenBucket>();
  readonly #backlog: (() => Promise<void>)[] = [];
  #writing: Promise<void> | undefined;

  constructor(options: EventWriterOptions) {
    this.#options = options;
    this.#log = options.log ?? silentLogger;
  }

  record(subject: EventSubject, note: EventNote): void {
    const now = this.#options.clock.monotonic();
    const uid = subject.object.metadata.uid ?? subject.object.metadata.name;
    const identity = JSON.stringify([uid, note.type, note.reason, note.message]);
    const seen = this.#lastSeen.get(identity);
    if (seen !== undefined && now - seen < REPEAT_AFTER_MS) return;
    if (!this.#bucketOf(uid).tryTake() || this.#backlog.length >= BACKLOG_LIMIT) return;
    remember(this.#lastSeen, identity, now);
    const body = this.#body(subject, note);
    this.#backlog.push(() => this.#write(body));
    this.#writing ??= this.#drain();
  }

  /** Resolves when everything recorded so far has been written or dropped. */
  async flush(): Promise<void> {
    await this.#writing;
  }

  async #drain(): Promise<void> {
    for (let write = this.#backlog.shift(); write !== undefined; write = this.#backlog.shift()) await write();
    this.#writing = undefined;
  }

  async #write(body: EventBody): Promise<void> {
    try {
      await this.#options.client.create(EVENTS, body);
    } catch (error) {
      this.#log.debug('event not written', { reason: body.reason, err: error });
    }
  }

  #body({ type, object }: EventSubject, note: EventNote): EventBody {
    const { clock, controller, instance } = this.#options;
    const { name, namespace, uid, resourceVersion } = object.metadata;
    const eventTime = new Date(clock.now()).toISOString().replace('Z', '000Z');
    return {
      // The server appends five random characters; a name that ends in a dot is refused.
      metadata: {
        generateName: `${name.slice(0, 200).replace(/\.+$/, '')}-`,
        namespace: namespace ?? 'default',
      },
      eventTime,
      reportingController: controller,
      reportingInstance: instance,
      action: note.action,
      reason: note.reason,
      type: note.type,
      note: note.message.length <= NOTE_LIMIT ? note.message : `${note.message.slice(0, NOTE_LIMIT - 3)}...`,
      regarding: { apiVersion: apiVersionOf(type), kind: type.kind, name, namespace, uid, resourceVersion },
    };
  }

  #bucketOf(uid: string): TokenBucket {
    const known = this.#buckets.get(uid);
    if (known !== undefined) return known;
    const bucket = new TokenBucket(this.#options.clock, OBJECT_RATE);
    remember(this.#buckets, uid, bucket);
    return bucket;
  }
}

interface EventBody {
  readonly metadata: { readonly generateName: string; readonly namespace: string };
  readonly reason: string;
  readonly [field: string]: unknown;
}

/** Keeps the newest entries only. */
function remember<V>(memory: Map<string, V>, key: string, value: V): void {
  memory.delete(key);
  memory.set(key, value);
  if (memory.size <= MEMORY_LIMIT) return;
  for (const oldest of memory.keys()) {
    memory.delete(oldest);
    return;
  }
}
