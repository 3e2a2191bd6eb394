/** A cluster that stocks itself under a quota on pods, played in simulated time: who is due is looked at, pulls end. */

import { formatKey } from '../../../src/kube/resource.ts';
import { PODS } from '../fixtures.ts';
import { StockerWorld } from './stocker-world.ts';

export interface QuotaSettings {
  readonly nodes: number;
  /** Pods of ours that the quota lets through, by milliseconds since the beginning. */
  readonly room: (atMs: number) => number;
  /** For so long the quota counts a pod that has ended. */
  readonly lagMs: number;
  readonly pullMs: number;
  readonly slots?: number;
}

const REFUSAL = 'pods "larder-x-1" is forbidden: exceeded quota: small, requested: pods=1';
const STEP_MS = 500;

export class QuotaWorld implements AsyncDisposable {
  readonly world: StockerWorld;
  refused = 0;
  readonly #settings: QuotaSettings;
  /** When each node is looked at next, in milliseconds since the beginning. */
  readonly #due = new Map<string, number>();
  /** When the pull of each node ends, and when a quota takes note of that. */
  readonly #ends = new Map<string, number>();
  readonly #counted: number[] = [];

  private constructor(world: StockerWorld, settings: QuotaSettings) {
    this.world = world;
    this.#settings = settings;
    for (const node of this.nodes) this.#due.set(node, 0);
    world.server.fail({
      when: ({ verb }) => verb === 'create' && this.#refuses(),
      action: { kind: 'status', code: 403, reason: 'Forbidden', message: REFUSAL },
      times: Number.MAX_SAFE_INTEGER,
    });
  }

  static async start(settings: QuotaSettings): Promise<QuotaWorld> {
    const names = Array.from({ length: settings.nodes }, (_, n) => `n${String(n)}`);
    const world = await StockerWorld.start(names, { slots: settings.slots ?? Infinity });
    return new QuotaWorld(world, settings);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.world[Symbol.asyncDispose]();
  }

  get nodes(): readonly string[] {
    return Array.from({ length: this.#settings.nodes }, (_, n) => `n${String(n)}`);
  }

  get elapsedMs(): number {
    return this.world.clock.monotonic();
  }

  /** Whether the node has asked to be looked at again within that time. */
  isDue(node: string, withinMs: number): boolean {
    return (this.#due.get(node) ?? Infinity) <= this.elapsedMs + withinMs;
  }

  /** The node goes, whatever it does. */
  remove(node: string): void {
    this.world.removeNode(node);
    for (const { metadata } of this.world.pods(node))
      this.world.server.store.delete(PODS, formatKey(metadata));
    this.#ends.delete(node);
    this.#due.set(node, this.elapsedMs);
  }

  /** Lets time pass until it holds. @throws Error if it does not within `limitMs` */
  async until(holds: () => boolean, limitMs: number): Promise<void> {
    const last = this.elapsedMs + limitMs;
    for (;;) {
      await this.#settle();
      if (holds()) return;
      if (this.elapsedMs > last) throw new Error(`not within ${String(limitMs)} ms`);
      await this.world.clock.advance(this.#pauseMs());
    }
  }

  /** To the next moment at which something happens. */
  #pauseMs(): number {
    const next = Math.min(...this.#due.values(), ...this.#ends.values());
    return Math.max(STEP_MS, Math.min(next - this.elapsedMs, 60_000));
  }

  async #settle(): Promise<void> {
    const now = this.elapsedMs;
    const ended = [...this.#ends].filter(([, end]) => end <= now).map(([node]) => node);
    for (const node of ended) {
      this.#ends.delete(node);
      this.#counted.push(now + this.#settings.lagMs);
      this.world.finish(node);
    }
    for (const node of ended) await this.#look(node);
    for (const [node, due] of this.#due) if (due <= now) await this.#look(node);
  }

  async #look(node: string): Promise<void> {
    this.#due.delete(node);
    const before = this.world.pods(node).length;
    const { requeueAfterMs } = await this.world.reconcile(node);
    if (this.world.pods(node).length > before) {
      this.#ends.set(node, this.elapsedMs + this.#settings.pullMs);
      this.world.begin(node);
    }
    if (requeueAfterMs !== undefined) this.#due.set(node, this.elapsedMs + requeueAfterMs);
    for (const woken of this.world.woken.splice(0)) this.#due.set(woken, this.elapsedMs);
    await this.#lookAtWoken();
  }

  async #lookAtWoken(): Promise<void> {
    for (const [node, due] of this.#due) {
      if (due > this.elapsedMs) continue;
      await this.#look(node);
      return;
    }
  }

  #refuses(): boolean {
    const lagging = this.#counted.filter((until) => until > this.elapsedMs).length;
    const isFull = this.#ends.size + lagging >= this.#settings.room(this.elapsedMs);
    if (isFull) this.refused += 1;
    return isFull;
  }
}
