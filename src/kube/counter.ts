/** Whole numbers that are never given out twice, kept in one ConfigMap by compare-and-swap on its resourceVersion. */

import { isConflict } from './api-error.ts';
import type { KubeClient } from './client.ts';
import { configMapType } from './core-types.ts';

/** Writers that meet give way to each other; more rounds than there can be writers at one moment. */
const MAX_ROUNDS = 50;

/** Which ConfigMap; it is made when it is first needed. */
export interface CounterOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly name: string;
}

/** What one caller wants of a series. */
interface Wish {
  readonly series: string;
  readonly following: (last: number) => number;
  readonly resolve: (value: number) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * One series of numbers a key of the ConfigMap. Any number of processes may count at once: a number is stored before
 * it is given out, and a write upon an old version is refused by the server. What was given out and then not used
 * leaves a gap. Callers of one process that meet share a write.
 */
export class Counter {
  readonly #options: CounterOptions;
  readonly #wishes: Wish[] = [];
  #isWriting = false;

  constructor(options: CounterOptions) {
    this.#options = options;
  }

  /**
   * The number after the last one given out and after `floor`, which is the highest in use as far as the caller
   * knows: a counter that was lost goes on from there. @throws ApiError
   */
  next(series: string, floor: number): Promise<number> {
    return this.#wish(series, (last) => Math.max(last, floor) + 1);
  }

  /** From now on `next` gives numbers above `value` only. @throws ApiError */
  async reserve(series: string, value: number): Promise<void> {
    await this.#wish(series, (last) => Math.max(last, value));
  }

  #wish(series: string, following: Wish['following']): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#wishes.push({ series, following, resolve, reject });
      if (!this.#isWriting) void this.#drain();
    });
  }

  async #drain(): Promise<void> {
    this.#isWriting = true;
    while (this.#wishes.length > 0) {
      const wishes = this.#wishes.splice(0);
      try {
        const values = await this.#grant(wishes);
        for (const [index, { resolve }] of wishes.entries()) resolve(values[index] ?? 0);
      } catch (error) {
        for (const { reject } of wishes) reject(error);
      }
    }
    this.#isWriting = false;
  }

  async #grant(wishes: readonly Wish[]): Promise<readonly number[]> {
    for (let round = 1; ; round += 1) {
      try {
        return await this.#attempt(wishes);
      } catch (error) {
        if (!isConflict(error) || round >= MAX_ROUNDS) throw error;
      }
    }
  }

  /** @throws ApiError `Conflict` or `AlreadyExists` if somebody else counted meanwhile */
  async #attempt(wishes: readonly Wish[]): Promise<readonly number[]> {
    const { client, namespace, name } = this.#options;
    const stored = await client.get(configMapType, { namespace, name });
    const data: Record<string, string> = { ...stored?.data };
    const values = wishes.map(({ series, following }) => {
      const last = readNumber(data[series]);
      const value = following(last);
      if (value !== last) data[series] = String(value);
      return value;
    });
    if (stored === undefined) await client.create(configMapType, { metadata: { namespace, name }, data });
    else if (!isSame(stored.data ?? {}, data)) await client.update(configMapType, { ...stored, data });
    return values;
  }
}

function isSame(left: Readonly<Record<string, string>>, right: Readonly<Record<string, string>>): boolean {
  return Object.entries(right).every(([key, value]) => left[key] === value);
}

/** What a person wrote there by mistake counts as nothing: the caller's floor still holds. */
function readNumber(text: string | undefined): number {
  const value = /^[0-9]{1,16}$/.test(text ?? '') ? Number(text) : 0;
  return Number.isSafeInteger(value) ? value : 0;
}
