import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  findGeneration,
  GPU_LABELS,
  gpuFit,
  gpusOf,
  HARDWARE_REASONS,
  type HardwareNeeds,
  hardwareFit,
} from '../../src/domain/hardware.ts';
import { limitTerms, MAX_EXPRESSIONS } from '../../src/domain/hardware-terms.ts';
import { matchesSelector } from '../../src/domain/node.ts';

/** CUDA 11.2, driver 460.27.03, Pascal. */
const labels = {
  'nvidia.com/cuda.runtime.major': '11',
  'nvidia.com/cuda.runtime.minor': '2',
  'nvidia.com/cuda.driver.major': '460',
  'nvidia.com/cuda.driver.minor': '27',
  'nvidia.com/cuda.driver.rev': '03',
  'nvidia.com/gpu.compute.major': '6',
  'nvidia.com/gpu.compute.minor': '1',
};
const gpus = gpusOf(labels);

function reasonOf(needs: Omit<HardwareNeeds, 'cpu'>): string | undefined {
  const fit = gpuFit(gpus, { cpu: false, ...needs });
  return fit.eligible ? undefined : fit.reason;
}

test('labels of the device plugin tell versions', () => {
  expect(gpus).toEqual({ cuda: '11.2', driver: '460.27.03', computes: ['6.1'] });
  expect(gpusOf({ ...labels, 'nvidia.com/cuda.driver.rev': '' }).driver).toBe('460.27');
  expect(gpusOf({ ...labels, 'nvidia.com/cuda.driver.minor': '' }).driver).toBe('460');
  expect(Object.keys(gpusOf({}))).toEqual(['computes']);
});

describe('the first thing that is too old is the reason', () => {
  test.each([
    [{ cuda: '11.2', minDriver: '460.27.03', minCompute: '6.0' }, undefined],
    [{ cuda: '9.0', minDriver: '384.81' }, undefined],
    [{ cuda: '11.10' }, 'CUDATooOld'],
    [{ cuda: '11.6', minDriver: '510.47.03', minCompute: '9.0' }, 'CUDATooOld'],
    [{ cuda: '11.1', minDriver: '1000.10' }, 'DriverTooOld'],
    [{ minDriver: '460.27.04' }, 'DriverTooOld'],
    [{ minCompute: '7.5' }, 'ComputeTooLow'],
    [{}, undefined],
  ])('%j: %s', (needs, reason) => {
    expect(reasonOf(needs)).toBe(reason);
  });

  test('the message has both versions', () => {
    expect(gpuFit(gpus, { cpu: false, cuda: '11.6' })).toMatchObject({
      message: "Node's CUDA version 11.2 is below 11.6, which the image needs",
    });
    expect(gpuFit(gpus, { cpu: false, minCompute: '7.5' })).toMatchObject({
      message: "Node's compute capability 6.1 is below 7.5, which the image needs",
    });
  });
});

test.each(Object.values(GPU_LABELS).map(([major]) => major))(
  'without label %s there is no usable GPU',
  (label) => {
    const rest = Object.fromEntries(Object.entries(labels).filter(([name]) => name !== label));
    expect(gpuFit(gpusOf(rest), { cpu: false })).toMatchObject({ eligible: false, reason: 'NoUsableGPU' });
  },
);

test('of several GPUs the best one counts', () => {
  const mixed = { ...gpus, computes: ['3.5', '10', 'unknown', '8.6'] };
  expect(gpuFit(mixed, { cpu: false, minCompute: '9.0' }).eligible).toBe(true);
});

test('an image that uses no GPU runs anywhere, whatever CUDA it names', () => {
  expect(gpuFit({ computes: [] }, { cpu: true, cuda: '12.1', minCompute: '9.0' }).eligible).toBe(true);
});

describe('platforms', () => {
  const node = { labels, os: 'linux', architecture: 'arm64' };
  const amd64 = { os: 'linux', architecture: 'amd64' };

  test('a node of another architecture is refused before its GPU is looked at', () => {
    expect(hardwareFit(node, { cpu: false, cuda: '99.0' }, [amd64])).toEqual({
      eligible: false,
      reason: 'ArchitectureMismatch',
      message: 'Node is linux/arm64, the image is for linux/amd64',
    });
  });

  test('one fitting platform is enough, and unknown platforms fit', () => {
    const arm64 = { os: 'linux', architecture: 'aarch64' };
    expect(hardwareFit(node, { cpu: false }, [amd64, arm64]).eligible).toBe(true);
    expect(hardwareFit(node, { cpu: true }, []).eligible).toBe(true);
  });
});

describe('generations', () => {
  const rows = [
    { generation: 'Volta', minComputeCapability: 7, maxComputeCapability: 7.5 },
    { generation: 'Turing', minComputeCapability: 7.5, maxComputeCapability: 8 },
    { generation: 'Ampere', minComputeCapability: 8, maxComputeCapability: 9 },
    { generation: 'Ada', minComputeCapability: 8.9, maxComputeCapability: 9 },
  ];

  test.each([
    ['7', 'Volta'],
    ['7.49', 'Volta'],
    ['7.5', 'Turing'],
    ['8.9', 'Ampere'],
    ['.8e1', 'Ampere'],
    ['+75e-1', 'Turing'],
    ['0.00075e+04', 'Turing'],
    ['.0082e3', 'Ampere'],
    ['7e00', 'Volta'],
  ])('%s is %s; of overlapping ones the first', (compute, generation) => {
    const found = findGeneration(rows, compute);
    expect(found.ok && found.value.generation).toBe(generation);
  });

  test.each([
    '6.9',
    '9',
    'abc',
    '',
    '-7',
    '7,5',
    'NaN',
    'Infinity',
    '0x8',
    '7.5.0',
    'x7',
    '17',
    '8e12',
    '8e',
  ])('%j is outside of the whole range', (compute) => {
    expect(findGeneration(rows, compute)).toEqual({ ok: false, error: '[7.0, 9.0)' });
  });

  test('an empty catalogue has an empty range', () => {
    expect(findGeneration([], '7')).toEqual({ ok: false, error: '[)' });
  });
});

describe('node selector terms', () => {
  const needs = fc.record(
    {
      cuda: fc.tuple(fc.nat(12), fc.nat(3)).map(dots),
      minDriver: fc.array(fc.nat(4), { minLength: 1, maxLength: 4 }).map(dots),
      minCompute: fc.tuple(fc.nat(9), fc.nat(3)).map(dots),
    },
    { requiredKeys: [] },
  );
  const number = fc.nat(12).map(String);
  const nodeLabels = fc.record(
    {
      'nvidia.com/cuda.runtime.major': number,
      'nvidia.com/cuda.runtime.minor': number,
      'nvidia.com/cuda.driver.major': fc.nat(4).map(String),
      'nvidia.com/cuda.driver.minor': fc.nat(4).map((minor) => `0${minor}`),
      'nvidia.com/cuda.driver.rev': fc.nat(4).map(String),
      'nvidia.com/gpu.compute.major': number,
      'nvidia.com/gpu.compute.minor': number,
    },
    {
      requiredKeys: [
        'nvidia.com/cuda.runtime.minor',
        'nvidia.com/cuda.driver.minor',
        'nvidia.com/cuda.driver.rev',
        'nvidia.com/gpu.compute.minor',
      ],
    },
  );

  function dots(numbers: readonly number[]): string {
    return numbers.join('.');
  }

  test('match exactly the nodes that fit', () => {
    let fitting = 0;
    fc.assert(
      fc.property(needs, nodeLabels, (wanted, given) => {
        const limits = { cpu: false, ...wanted };
        const terms = limitTerms(limits, undefined);
        expect(terms.ok).toBe(true);
        if (!terms.ok || terms.value === undefined) return;
        const node = { name: 'n', labels: given };
        const { eligible } = gpuFit(gpusOf(given), limits);
        if (eligible) fitting += 1;
        expect(matchesSelector(node, { nodeSelectorTerms: terms.value })).toBe(eligible);
        for (const { matchExpressions = [] } of terms.value)
          expect(matchExpressions.length).toBeLessThanOrEqual(MAX_EXPRESSIONS);
      }),
      { numRuns: 2000 },
    );
    expect(fitting).toBeGreaterThan(50);
  });

  test('are few: 12 for a full set of limits', () => {
    const terms = limitTerms(
      { cpu: false, cuda: '11.1', minDriver: '455.23.05', minCompute: '7.5' },
      undefined,
    );
    expect(terms.ok && terms.value).toHaveLength(12);
  });

  test('are joined with those of the record, each with each', () => {
    const zones = [
      { matchExpressions: [{ key: 'zone', operator: 'In', values: ['a'] }] },
      { matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n1'] }] },
    ] as const;
    const terms = limitTerms({ cpu: false, minCompute: '6.0' }, zones);
    const there = { name: 'n1', labels: { ...labels, zone: 'b' } };
    expect(terms.ok && terms.value && matchesSelector(there, { nodeSelectorTerms: terms.value })).toBe(true);
    const elsewhere = { name: 'n2', labels: { ...labels, zone: 'b' } };
    expect(terms.ok && terms.value && matchesSelector(elsewhere, { nodeSelectorTerms: terms.value })).toBe(
      false,
    );
  });

  test('an empty term of the record matches nothing, as before', () => {
    const terms = limitTerms({ cpu: false }, [{}]);
    expect(
      terms.ok && terms.value && matchesSelector({ name: 'n', labels }, { nodeSelectorTerms: terms.value }),
    ).toBe(false);
  });

  test('an image without GPU keeps the terms of the record', () => {
    expect(limitTerms({ cpu: true, cuda: '11.1' }, undefined)).toEqual({ ok: true, value: undefined });
    const given = [{ matchExpressions: [{ key: 'a', operator: 'Exists' as const }] }];
    expect(limitTerms({ cpu: true }, given)).toEqual({ ok: true, value: given });
  });

  test('more than the schema takes is an error, not a shorter list', () => {
    const many = Array.from({ length: 5 }, () => ({
      matchExpressions: [{ key: 'a', operator: 'Exists' as const }],
    }));
    const limits = { cpu: false, cuda: '11.1', minDriver: '455.23.05', minCompute: '7.5' };
    expect(limitTerms(limits, many)).toEqual({
      ok: false,
      error: '60 node selector terms are more than 32',
    });
    const long = [
      { matchExpressions: Array.from({ length: 10 }, () => many[0]?.matchExpressions ?? []).flat() },
    ];
    expect(limitTerms(limits, long)).toEqual({
      ok: false,
      error: 'a term with 21 expressions is more than 16',
    });
  });
});

test('reasons are unique', () => {
  expect(new Set(HARDWARE_REASONS).size).toBe(HARDWARE_REASONS.length);
});
