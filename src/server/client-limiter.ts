/** How much one client may ask for: a bucket of tokens each, for a bounded number of clients. */

import type { Clock } from '../clock.ts';

/** The same for every client address. */
export interface ClientRate {
  /** Requests a second; 0: no limit. */
  readonly rate: number;
  /** Requests at once above that. */
  readonly burst: number;
}

interface Bucket {
  tokens: number;
  /** Monotonic milliseconds. */
  filledAt: number;
}

const MAX_CLIENTS = 10_000;

/** One for the process. Of too many clients, the one unheard of for longest is forgotten. */
export class ClientLimiter {
  readonly #clock: Clock;
  readonly #limit: ClientRate;
  readonly #buckets = new Map<string, Bucket>();

  constructor(clock: Clock, limit: ClientRate) {
    this.#clock = clock;
    this.#limit = limit;
  }

  /** 0 if the client may go on, else how long it should wait, in milliseconds. */
  take(client: string, cost = 1): number {
    const { rate } = this.#limit;
    if (rate === 0) return 0;
    const bucket = this.#filled(client);
    if (bucket.tokens < 1) return ((1 - bucket.tokens) / rate) * 1000;
    bucket.tokens -= cost;
    return 0;
  }

  #filled(client: string): Bucket {
    const now = this.#clock.monotonic();
    const { rate, burst } = this.#limit;
    const known = this.#buckets.get(client);
    const tokens =
      known === undefined ? burst : Math.min(burst, known.tokens + ((now - known.filledAt) / 1000) * rate);
    const bucket = { tokens, filledAt: now };
    // Put last: the first of the map is the one unheard of for longest.
    this.#buckets.delete(client);
    this.#buckets.set(client, bucket);
    if (this.#buckets.size > MAX_CLIENTS) this.#dropOldest();
    return bucket;
  }

  #dropOldest(): void {
    const [oldest] = this.#buckets.keys();
    if (oldest !== undefined) this.#buckets.delete(oldest);
  }
}

/** One client is one IPv4 address, or the /64 that a host has of IPv6. */
export function clientOf(address: string): string {
  const mapped = /^::ffff:(?<ipv4>[0-9.]+)$/i.exec(address)?.groups?.['ipv4'];
  if (mapped !== undefined) return mapped;
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.split('::');
  const front = head.split(':').filter(Boolean);
  const back = tail === undefined ? [] : tail.split(':').filter(Boolean);
  const zeros = tail === undefined ? 0 : 8 - front.length - back.length;
  return `${[...front, ...Array<string>(Math.max(0, zeros)).fill('0'), ...back].slice(0, 4).join(':')}::/64`;
}
