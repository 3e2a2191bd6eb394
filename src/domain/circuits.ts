/**
 * What fails everywhere is not tried everywhere: an image that three nodes could not pull, or a registry that three
 * nodes could not reach, is left alone for a while - unless it works anywhere. One node then tries for all.
 */

import type { Moment } from './moment.ts';
import { backoffMs } from './stock-plan.ts';

/** `image:<want id>` or `host:<registry>`. */
export type CircuitKey = string;

export function imageCircuit(wantId: string): CircuitKey {
  return `image:${wantId}`;
}

const HOST = 'host:';

export function hostCircuit(host: string): CircuitKey {
  return `${HOST}${host}`;
}

/** Distinct nodes that must have failed before a common cause is believed. */
const NODES_TO_OPEN = 3;
/** By so much longer an open circuit is held if the registry asks for it: by less is not worth a write of every status. */
const LONGER_MS = 30_000;

interface Circuit {
  readonly nodes: Set<string>;
  /** Rounds that have failed since the last success. */
  attempts: number;
  /** Undefined while closed. */
  openUntil: Moment | undefined;
  /** The one node that may try while the circuit is half open. */
  canary: string | undefined;
  message: string;
}

/** An open circuit, for conditions and status. */
export interface OpenCircuit {
  readonly attempts: number;
  readonly nextAttempt: Moment;
  readonly message: string;
}

/** What an earlier process has left. */
interface LeftOpen extends Pick<OpenCircuit, 'attempts' | 'message'> {
  /** 0: one node may try at once. */
  readonly waitMs: number;
}

/** Told after what `findOpen` says of a circuit has changed. */
export type CircuitListener = (key: CircuitKey, isOpen: boolean) => void;

interface Failed extends Moment {
  readonly message: string;
  /** What the other side asked for. */
  readonly retryAfterMs?: number;
}

export class Circuits {
  readonly #circuits = new Map<CircuitKey, Circuit>();
  readonly #random: () => number;
  readonly #listeners: CircuitListener[] = [];

  constructor(random: () => number) {
    this.#random = random;
  }

  subscribe(listener: CircuitListener): void {
    this.#listeners.push(listener);
  }

  /** A node could not. Returns true if this opened the circuit. */
  fail(key: CircuitKey, node: string, failure: Failed): boolean {
    const circuit = this.#circuits.get(key) ?? newCircuit();
    this.#circuits.set(key, circuit);
    circuit.nodes.add(node);
    circuit.message = failure.message;
    const { retryAfterMs = 0 } = failure;
    const leftMs = (circuit.openUntil?.monotonic ?? -Infinity) - failure.monotonic;
    if (leftMs > 0) {
      if (retryAfterMs >= leftMs + LONGER_MS) this.#openFor(retryAfterMs, key, circuit, failure);
      return false;
    }
    if (circuit.nodes.size < NODES_TO_OPEN && circuit.canary !== node) return false;
    circuit.attempts += 1;
    circuit.canary = undefined;
    this.#openFor(Math.max(backoffMs(circuit.attempts, this.#random()), retryAfterMs), key, circuit, failure);
    return true;
  }

  /** An earlier process has left the circuit open; of several that remember it the strictest counts. */
  restore(key: CircuitKey, { attempts, message, waitMs }: LeftOpen, at: Moment): void {
    const known = this.#circuits.get(key)?.openUntil;
    if (known !== undefined && known.monotonic >= at.monotonic + waitMs) return;
    this.#circuits.set(key, { ...newCircuit(), attempts, message, openUntil: after(at, waitMs) });
  }

  /** It works somewhere: whatever failed elsewhere is those nodes' own trouble. Returns true if this closed it. */
  succeed(key: CircuitKey): boolean {
    const wasOpen = this.#circuits.get(key)?.openUntil !== undefined;
    this.#circuits.delete(key);
    if (wasOpen) this.#notify(key, false);
    return wasOpen;
  }

  /** Forgets the past: the image, its access or its nodes were changed. */
  reset(key: CircuitKey): void {
    this.#circuits.delete(key);
  }

  /** Forgets registries from which nothing is wanted any more. */
  keepHosts(hosts: ReadonlySet<string>): void {
    for (const key of this.#circuits.keys())
      if (key.startsWith(HOST) && !hosts.has(key.slice(HOST.length))) this.#circuits.delete(key);
  }

  /** Whether the node must wait: the circuit is open, or another node tries for all. */
  blocks(key: CircuitKey, node: string, monotonic: number): boolean {
    const circuit = this.#circuits.get(key);
    if (circuit?.openUntil === undefined) return false;
    return (
      monotonic < circuit.openUntil.monotonic || (circuit.canary !== undefined && circuit.canary !== node)
    );
  }

  /** The node tries now; while the circuit is half open, it does so for all. */
  attempt(key: CircuitKey, node: string): void {
    const circuit = this.#circuits.get(key);
    if (circuit?.openUntil !== undefined) circuit.canary = node;
  }

  /** The node does not try, or has gone without a result: another one may. */
  abandon(node: string): void {
    for (const circuit of this.#circuits.values()) if (circuit.canary === node) circuit.canary = undefined;
  }

  /** The state of an open circuit; undefined while closed. */
  findOpen(key: CircuitKey): OpenCircuit | undefined {
    const circuit = this.#circuits.get(key);
    if (circuit?.openUntil === undefined) return undefined;
    return { attempts: circuit.attempts, nextAttempt: circuit.openUntil, message: circuit.message };
  }

  #openFor(ms: number, key: CircuitKey, circuit: Circuit, from: Moment): void {
    circuit.openUntil = after(from, ms);
    this.#notify(key, true);
  }

  #notify(key: CircuitKey, isOpen: boolean): void {
    for (const listener of this.#listeners) listener(key, isOpen);
  }
}

function after({ now, monotonic }: Moment, ms: number): Moment {
  return { now: now + ms, monotonic: monotonic + ms };
}

function newCircuit(): Circuit {
  return { nodes: new Set(), attempts: 0, openUntil: undefined, canary: undefined, message: '' };
}
