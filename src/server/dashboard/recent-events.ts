/** The last Events of Larder: read when somebody looks, at most every few seconds, never cached for long. */

import { EVENT_CONTROLLER } from '../../api/group-version.ts';
import type { Clock } from '../../clock.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Logger } from '../../kube/logger.ts';
import type { KubeObject, ResourceType } from '../../kube/resource.ts';
import { formatFieldSelector } from '../../kube/selectors.ts';
import type { EventView } from './model.ts';
import { timeOf } from './object-views.ts';

/** The parts of a core/v1 Event that are shown. */
interface EventObject extends KubeObject {
  readonly type?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly eventTime?: string | null;
  readonly lastTimestamp?: string | null;
  readonly involvedObject?: { readonly kind?: string; readonly namespace?: string; readonly name?: string };
}

const eventType: ResourceType<EventObject> = {
  group: '',
  version: 'v1',
  plural: 'events',
  kind: 'Event',
  namespaced: true,
};

/** Of the operator, on whichever replica. */
const FIELD_SELECTOR = formatFieldSelector({ reportingComponent: EVENT_CONTROLLER });
const FRESH_MS = 5_000;
const TIMEOUT_MS = 5_000;
const KEPT = 200;

/** `client` needs the right to list Events of all namespaces. */
export interface RecentEventsOptions {
  readonly client: Pick<KubeClient, 'list'>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** One for the process: callers that meet share a read. */
export class RecentEvents {
  readonly #options: RecentEventsOptions;
  #events: readonly EventView[] | undefined;
  #readAt = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | undefined;

  constructor(options: RecentEventsOptions) {
    this.#options = options;
  }

  /** Newest first; undefined if they cannot be read. */
  async list(): Promise<readonly EventView[] | undefined> {
    if (this.#options.clock.monotonic() - this.#readAt >= FRESH_MS) {
      this.#reading ??= this.#read().finally(() => {
        this.#reading = undefined;
      });
      await this.#reading;
    }
    return this.#events;
  }

  async #read(): Promise<void> {
    const { client, clock, log } = this.#options;
    try {
      const { items } = await client.list(eventType, {
        fieldSelector: FIELD_SELECTOR,
        timeoutMs: TIMEOUT_MS,
      });
      this.#events = items
        .map(eventView)
        .toSorted((left, right) => right.at - left.at)
        .slice(0, KEPT);
    } catch (error) {
      this.#events = undefined;
      log.debug('events not read', { err: error });
    }
    this.#readAt = clock.monotonic();
  }
}

function eventView({
  metadata,
  type,
  reason = '',
  message = '',
  involvedObject = {},
  ...times
}: EventObject): EventView {
  const { kind = '', namespace = '', name = '' } = involvedObject;
  const moments = [times.lastTimestamp, times.eventTime, metadata.creationTimestamp];
  const at = moments.map((time) => timeOf(time ?? undefined)).find((time) => time !== undefined);
  return { at: at ?? 0, isWarning: type === 'Warning', reason, message, kind, object: { namespace, name } };
}
