/** How long pulls took: the kubelet says it only in Events, so those of a finished pull pod are listed, once. */

import { type Clock, sleep } from '../../clock.ts';
import { validateDuration } from '../../domain/duration.ts';
import type { PullObserver } from '../../domain/pull-observation.ts';
import { validateReference } from '../../domain/reference.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Logger } from '../../kube/logger.ts';
import type { KubeObject, ResourceType } from '../../kube/resource.ts';
import type { PullPod } from './pull-pod.ts';

/** The part of a core/v1 Event that is read. */
interface KubeletEvent extends KubeObject {
  readonly message?: string;
}

const eventType: ResourceType<KubeletEvent> = {
  group: '',
  version: 'v1',
  plural: 'events',
  kind: 'Event',
  namespaced: true,
};

/** The API server keeps no index of Events: a list reads all of the namespace. So there are few, and some go unread. */
const PAUSE_MS = 250;
const MAX_WAITING = 100;
const MAX_REMEMBERED = 1_000;
/** Containers of a pod, one event each. */
const MAX_EVENTS = 50;

export interface PulledEventsOptions {
  readonly client: Pick<KubeClient, 'listPage'>;
  readonly observer: PullObserver;
  readonly clock: Clock;
  readonly log: Logger;
}

/** One pull as the kubelet tells it. */
export interface PulledEvent {
  readonly image: string;
  readonly seconds: number;
  readonly waitedSeconds: number;
  readonly bytes: number;
}

const PULLED =
  /^Successfully pulled image "(?<image>[^"]+)" in (?<own>\S+) \((?<all>\S+) including waiting\)(?:\. Image size: (?<bytes>[0-9]+) bytes)?/;

/** Undefined for everything else, such as an image that was already there. */
export function parsePulledEvent(message: string): PulledEvent | undefined {
  const { image = '', own = '', all = '', bytes = '0' } = PULLED.exec(message)?.groups ?? {};
  const [pull, total] = [validateDuration(own), validateDuration(all)];
  if (!pull.ok || !total.ok) return undefined;
  const waitedSeconds = Math.max(0, total.value - pull.value) / 1_000;
  return { image, seconds: pull.value / 1_000, waitedSeconds, bytes: Number(bytes) };
}

export class PulledEvents {
  readonly #options: PulledEventsOptions;
  readonly #since: number;
  readonly #waiting: PullPod[] = [];
  /** Uids of pods that were listed or are about to be. */
  readonly #seen = new Set<string>();
  #running: Promise<void> | undefined;

  constructor(options: PulledEventsOptions) {
    this.#options = options;
    this.#since = options.clock.now();
  }

  /** The pod has finished, at this time of the wall clock. Those before our own start were counted by another. */
  finished(pod: PullPod, at: number): void {
    const { uid = '' } = pod.metadata;
    if (at < this.#since || this.#seen.has(uid) || this.#waiting.length >= MAX_WAITING) return;
    this.#seen.add(uid);
    for (const oldest of this.#seen) {
      if (this.#seen.size <= MAX_REMEMBERED) break;
      this.#seen.delete(oldest);
    }
    this.#waiting.push(pod);
    this.#running ??= this.#drain();
  }

  /** Resolves when nothing waits to be listed. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #drain(): Promise<void> {
    const { clock, log } = this.#options;
    for (let pod = this.#waiting.shift(); pod !== undefined; pod = this.#waiting.shift()) {
      try {
        await this.#list(pod);
      } catch (error) {
        // Nothing hangs on it: durations are for people, and the right to list Events may be missing.
        log.debug('events of a pull pod not listed', { pod: pod.metadata.name, cause: String(error) });
      }
      if (this.#waiting.length > 0) await sleep(clock, PAUSE_MS);
    }
    this.#running = undefined;
  }

  async #list({ metadata }: PullPod): Promise<void> {
    const { client, observer } = this.#options;
    const { namespace = '', name, uid = '' } = metadata;
    const fieldSelector = `involvedObject.name=${name},involvedObject.uid=${uid},reason=Pulled`;
    const { items } = await client.listPage(eventType, { namespace, fieldSelector, limit: MAX_EVENTS });
    for (const { message = '' } of items) {
      const pulled = parsePulledEvent(message);
      const reference = validateReference(pulled?.image ?? '');
      if (pulled === undefined || !reference.ok) continue;
      const { seconds, waitedSeconds, bytes } = pulled;
      observer.pulled({ namespace, host: reference.value.registry, seconds, waitedSeconds, bytes });
    }
  }
}
