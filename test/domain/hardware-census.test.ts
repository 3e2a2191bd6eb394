import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type HardwareNeeds, hardwareFit } from '../../src/domain/hardware.ts';
import { countEligible, hardwareKey, takeCensus } from '../../src/domain/hardware-census.ts';
import type { NodeFacts } from '../../src/domain/node.ts';
import { nodeFacts } from '../support/stock-builders.ts';

const PLATFORM = { os: 'linux', architecture: 'amd64' };
const number = fc.constantFrom('', '5', '6', '10', '11', '450', 'x');
const node: fc.Arbitrary<Partial<NodeFacts>> = fc.record({
  architecture: fc.constantFrom('amd64', 'arm64'),
  labels: fc.dictionary(
    fc.constantFrom(
      'nvidia.com/cuda.runtime.major',
      'nvidia.com/cuda.runtime.minor',
      'nvidia.com/cuda.driver.major',
      'nvidia.com/gpu.compute.major',
      'pool',
    ),
    number,
  ),
});
const needs: fc.Arbitrary<HardwareNeeds> = fc.record({
  cpu: fc.boolean(),
  cuda: fc.constantFrom('10.0', '11.1'),
  minDriver: fc.constantFrom('450.36.06'),
  minCompute: fc.constantFrom('6.0'),
});

describe('a census of nodes', () => {
  it('finds the same as looking at every node', () => {
    fc.assert(
      fc.property(fc.array(node, { maxLength: 30 }), needs, (parts, wanted) => {
        const nodes = parts.map((part, index) => nodeFacts(`n-${index}`, part));
        const found = countEligible(takeCensus(nodes), wanted, [PLATFORM]);
        const fits = nodes.map((each) => hardwareFit(each, wanted, [PLATFORM]));
        const reasons = fits.flatMap((fit) => (fit.eligible ? [] : [fit.reason]));
        expect(found.total).toBe(nodes.length);
        expect(found.eligible).toBe(nodes.length - reasons.length);
        expect(found.names).toEqual(
          nodes
            .filter((_, index) => fits[index]?.eligible)
            .map(({ name }) => name)
            .sort()
            .slice(0, 16),
        );
        expect(new Map(found.reasons.map(({ reason, count }) => [reason, count]))).toEqual(
          new Map(
            [...new Set(reasons)].map((reason) => [reason, reasons.filter((each) => each === reason).length]),
          ),
        );
      }),
    );
  });

  it('puts thousands of equal nodes into one class, whatever else they are labelled with', () => {
    const nodes = Array.from({ length: 5000 }, (_, index) =>
      nodeFacts(`n-${String(index).padStart(4, '0')}`, {
        labels: { 'kubernetes.io/hostname': `n-${index}` },
      }),
    );
    const census = takeCensus(nodes);
    expect(census).toHaveLength(1);
    const { names } = countEligible(census, { cpu: true }, undefined);
    expect([names.length, names[0], names.at(-1)]).toEqual([16, 'n-0000', 'n-0015']);
  });

  it('tells an empty label from a missing one no better than the hardware rules do', () => {
    const labels = { 'nvidia.com/gpu.compute.major': '' };
    expect(hardwareKey(nodeFacts('a', { labels }))).not.toBe(hardwareKey(nodeFacts('a')));
    const both = [nodeFacts('a', { labels }), nodeFacts('b')];
    expect(countEligible(takeCensus(both), { cpu: false }, undefined).eligible).toBe(0);
  });

  it('has no eligible node for an image whose platforms were all filtered out', () => {
    const found = countEligible(takeCensus([nodeFacts('a')]), { cpu: true }, []);
    expect(found).toEqual({
      total: 1,
      eligible: 0,
      names: [],
      reasons: [{ reason: 'ArchitectureMismatch', count: 1 }],
    });
  });
});
