/** Whole numbers that are never given out twice, kept in one ConfigMap by compare-and-swap on its resourceVersion. */

import { isConflict } from './api-error.ts';
import type { CallOptions } from './call-options.ts';
import type { KubeClient } from './client.ts';
import type { KubeObject, ResourceType } from './resource.ts';

interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>> | undefined;
}

const CONFIG_MAPS: ResourceType<ConfigMap> = {
  group: '',
  version: 'v1',
  plural: 'configmaps',
  kind: 'ConfigMap',
  namespaced: true,
};

/** Writers that meet give way to each other; more rounds than there can be writers at one moment. */
const MAX_ROUNDS = 50;

/** Which ConfigMap; it is made when it is first needed. */
export interface CounterOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly name: string;
}

/**
 * One series of numbers a key of the ConfigMap. Any number of processes may count at once: a number is stored before
 * it is given out, and a write upon an old version is refused by the server. What was given out and then not used
 * leaves a gap.
 */
export class Counter {
  readonly #options: CounterOptions;

  constructor(options: CounterOptions) {
    this.#options = options;
  }

  /**
   * The number after the last one given out and after `floor`, which is the highest in use as far as the caller
   * knows: a counter that was lost goes on from there. @throws ApiError
   */
  next(series: string, floor: number, options: CallOptions = {}): Promise<number> {
    return this.#advance(series, (last) => Math.max(last, floor) + 1, options);
  }

  /** From now on `next` gives numbers above `value` only. @throws ApiError */
  async reserve(series: string, value: number, options: CallOptions = {}): Promise<void> {
    await this.#advance(series, (last) => Math.max(last, value), options);
  }

  async #advance(series: string, following: (last: number) => number, options: CallOptions): Promise<number> {
    for (let round = 1; ; round += 1) {
      try {
        return await this.#attempt(series, following, options);
      } catch (error) {
        if (!isConflict(error) || round >= MAX_ROUNDS) throw error;
      }
    }
  }

  /** @throws ApiError `Conflict` or `AlreadyExists` if somebody else counted meanwhile */
  async #attempt(series: string, following: (last: number) => number, options: CallOptions): Promise<number> {
    const { client, namespace, name } = this.#options;
    const stored = await client.get(CONFIG_MAPS, { namespace, name }, options);
    const last = readNumber(stored?.data?.[series]);
    const value = following(last);
    if (value === last) return value;
    const data = { ...stored?.data, [series]: String(value) };
    if (stored === undefined)
      await client.create(CONFIG_MAPS, { metadata: { namespace, name }, data }, options);
    else await client.update(CONFIG_MAPS, { ...stored, data }, options);
    return value;
  }
}

/** What a person wrote there by mistake counts as nothing: the caller's floor still holds. */
function readNumber(text: string | undefined): number {
  const value = /^[0-9]{1,15}$/.test(text ?? '') ? Number(text) : 0;
  return Number.isSafeInteger(value) ? value : 0;
}
