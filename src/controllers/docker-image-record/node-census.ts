/** The hardware of all nodes, counted again only when it has changed, and who must hear of that. */

import type { Clock } from '../../clock.ts';
import { type HardwareClass, hardwareKey, takeCensus } from '../../domain/hardware-census.ts';
import { aborted } from '../../kube/aborted.ts';
import type { RunSignals } from '../../kube/controller.ts';
import type { Informer } from '../../kube/informer.ts';
import type { Workload } from '../../kube/lifecycle.ts';
import type { NodeObject } from '../node.ts';
import { SettleTimer } from '../settle-timer.ts';

export interface NodeCensusOptions {
  readonly nodes: Pick<Informer<NodeObject>, 'lister' | 'subscribe'>;
  readonly clock: Clock;
  /** The hardware of the cluster has changed; called once for a burst of changes. */
  readonly onChange: () => void;
}

/** Counts from the moment it is made; tells of changes while it runs, that is while this replica leads. */
export class NodeCensus implements Workload {
  readonly name = 'node-census';
  readonly #options: NodeCensusOptions;
  #classes: readonly HardwareClass[] | undefined;
  #settle: SettleTimer | undefined;

  constructor(options: NodeCensusOptions) {
    this.#options = options;
    const take = (): void => {
      this.#classes = undefined;
      this.#settle?.touch();
    };
    options.nodes.subscribe({
      onAdd: take,
      onDelete: take,
      onUpdate: (old, node) => {
        if (hardwareKey(old.facts) !== hardwareKey(node.facts)) take();
      },
    });
  }

  /** The classes as of now. */
  current(): readonly HardwareClass[] {
    this.#classes ??= takeCensus(this.#options.nodes.lister.list().map(({ facts }) => facts));
    return this.#classes;
  }

  async run({ stop }: RunSignals): Promise<void> {
    const { clock, onChange } = this.#options;
    const settle = new SettleTimer(clock, { isPending: () => false, onSettled: onChange });
    this.#settle = settle;
    await aborted(stop);
    this.#settle = undefined;
    settle.cancel();
  }
}
