/**
 * Who may pull now: a node's turn is the slots that it holds and, where a circuit is half open, the right to try for all.
 * Whatever it gives back wakes the nodes that come next.
 */

import { type Circuits, hostCircuit, imageCircuit } from '../../domain/circuits.ts';
import type { PullBudget } from '../../domain/pull-budget.ts';
import {
  CLUSTER_CLAIM,
  type Claim,
  hostClaim,
  imageClaim,
  NEWCOMER_CLAIM,
  namespaceClaim,
} from '../../domain/pull-claim.ts';
import type { Want } from '../../domain/want.ts';

export interface TurnOptions {
  readonly budget: PullBudget;
  readonly circuits: Circuits;
  /** Asks for another look at a node whose turn has come. */
  readonly wake: (node: string) => void;
}

/** A node that pulls or wants to. */
export interface Puller {
  readonly name: string;
  /** It joined the cluster a moment ago. */
  readonly isNewcomer: boolean;
}

export class Turns {
  readonly #budget: PullBudget;
  readonly #circuits: Circuits;
  readonly #wake: (node: string) => void;

  constructor({ budget, circuits, wake }: TurnOptions) {
    this.#budget = budget;
    this.#circuits = circuits;
    this.#wake = wake;
  }

  /** True: the node pulls this now; where a circuit is half open, it alone. False: it waits in line. */
  take({ name: node, isNewcomer }: Puller, wants: readonly Want[]): boolean {
    const isTaken = this.#budget.tryTake(node, this.#claims(wants, isNewcomer));
    for (const { id, host } of isTaken ? wants : []) {
      this.#circuits.attempt(imageCircuit(id), node);
      this.#circuits.attempt(hostCircuit(host), node);
    }
    this.wakeNext();
    return isTaken;
  }

  /** The node pulls already, maybe for an earlier process: that counts even above the limits. */
  keep({ name, isNewcomer }: Puller, wants: readonly Want[]): void {
    this.#budget.take(name, this.#claims(wants, isNewcomer));
  }

  /** Its pull is over. Nobody is woken yet: it may have the next turn itself. */
  end(node: string): void {
    this.#budget.giveBack(node);
    this.#circuits.abandon(node);
  }

  /** It does not pull, or nothing is to be expected of it: others wait neither for its slots nor for its word. */
  giveUp(node: string): void {
    this.#circuits.abandon(node);
    this.#budget.leave(node);
    this.wakeNext();
  }

  /**
   * It pulls on, so slowly that others take its slots; or a quota has refused its pod, and it will try again for all of its
   * namespace. Only with the quota it goes on counting.
   */
  holdQuota(node: string, wants: readonly Want[]): void {
    this.#circuits.abandon(node);
    this.#budget.take(node, [...new Set(wants.map(({ namespace }) => namespaceClaim(namespace)))]);
    this.wakeNext();
  }

  /** It cannot be looked at now: what it holds it keeps, but who is behind it in line need not wait for it. */
  stepAside(node: string): void {
    this.#budget.stopWaiting(node);
    this.wakeNext();
  }

  /** Also when nothing was given back: a node may have been woken for room that it does not need. */
  wakeNext(): void {
    this.#budget.entitled().forEach(this.#wake);
  }

  /** One slot of the cluster, one of each host, and one of each image that has a limit. */
  #claims(wants: readonly Want[], isNewcomer: boolean): readonly Claim[] {
    const limited = wants
      .flatMap(({ host, id }) => [hostClaim(host), imageClaim(id)])
      .filter((claim) => this.#budget.isLimited(claim));
    const namespaces = wants.map(({ namespace }) => namespaceClaim(namespace));
    return [...new Set([CLUSTER_CLAIM, ...(isNewcomer ? [NEWCOMER_CLAIM] : []), ...namespaces, ...limited])];
  }
}
