import { beforeEach, describe, expect, it } from 'vitest';
import { Turns } from '../../../src/controllers/node-stocker/turns.ts';
import { Circuits, hostCircuit, imageCircuit } from '../../../src/domain/circuits.ts';
import { PullBudget } from '../../../src/domain/pull-budget.ts';
import { CLUSTER_CLAIM, namespaceClaim } from '../../../src/domain/pull-claim.ts';
import { want } from '../../support/stock-builders.ts';

const WANT = want('a');
const IMAGE = imageCircuit(WANT.id);
/** When every circuit that was opened at 0 lets somebody try again. */
const LATER = 3_600_000;

let circuits: Circuits;
let budget: PullBudget;
let woken: string[];
let turns: Turns;

beforeEach(() => {
  circuits = new Circuits(() => 0);
  budget = new PullBudget(() => 1);
  woken = [];
  turns = new Turns({ budget, circuits, wake: (node) => woken.push(node) });
});

function take(name: string): boolean {
  return turns.take({ name, isNewcomer: false }, [WANT]);
}

/** Three nodes have failed: whoever tries next, tries for all. */
function openCircuits(): void {
  const failure = { now: 0, monotonic: 0, message: 'no' };
  for (const key of [IMAGE, hostCircuit(WANT.host)])
    for (const node of ['x', 'y', 'z']) circuits.fail(key, node, failure);
}

describe('a turn', () => {
  it('is taken by one node; the others wait for it in line', () => {
    expect(['n1', 'n2', 'n3'].map((node) => take(node))).toEqual([true, false, false]);
    expect(woken).toEqual([]);
    turns.giveUp('n1');
    expect(woken).toEqual(['n2']);
  });

  it('is that of all, where a circuit is half open, until it ends or is given up', () => {
    openCircuits();
    take('n1');
    const blocksN2 = (): readonly boolean[] =>
      [IMAGE, hostCircuit(WANT.host)].map((key) => circuits.blocks(key, 'n2', LATER));
    expect(blocksN2()).toEqual([true, true]);
    turns.end('n1');
    expect(blocksN2()).toEqual([false, false]);
    take('n1');
    turns.giveUp('n1');
    expect(blocksN2()).toEqual([false, false]);
  });

  it('is no try for others while the node only waits for it', () => {
    openCircuits();
    turns.keep({ name: 'busy', isNewcomer: false }, [WANT]);
    expect(take('n1')).toBe(false);
    expect(circuits.blocks(IMAGE, 'n2', LATER)).toBe(false);
  });

  it('may be followed by the next one of the same node: nobody is woken in between', () => {
    take('n1');
    turns.end('n1');
    expect(woken).toEqual([]);
    expect(take('n1')).toBe(true);
  });

  it('goes on with the quota of the namespace alone, for a node that pulls slowly or tries again', () => {
    openCircuits();
    take('n1');
    take('n2');
    turns.holdQuota('n1', [WANT, { ...WANT, id: 'ns/other' }]);
    expect(woken).toEqual([]);
    expect([budget.taken(CLUSTER_CLAIM), budget.taken(namespaceClaim(WANT.namespace))]).toEqual([0, 1]);
    expect(circuits.blocks(IMAGE, 'n2', LATER)).toBe(false);
    turns.holdQuota('n1', [{ ...WANT, namespace: 'elsewhere' }]);
    expect(woken).toEqual(['n2']);
  });

  it('passes by a node that cannot be looked at, which keeps what it holds', () => {
    take('n1');
    take('n2');
    take('n3');
    turns.stepAside('n2');
    turns.stepAside('n1');
    expect(budget.taken(CLUSTER_CLAIM)).toBe(1);
    turns.giveUp('n1');
    expect(woken).toEqual(['n3']);
  });

  it('counts a pull that is under way, even above the limits', () => {
    take('n1');
    turns.keep({ name: 'n2', isNewcomer: false }, [WANT]);
    expect(budget.taken(CLUSTER_CLAIM)).toBe(2);
  });
});
