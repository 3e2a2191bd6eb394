/** The pure groups of the UFDL part of ufdl-pushsource-cases.json: eligibility, and the lookup of a generation. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findGeneration, gpuFit, type HardwareNeeds } from '../../src/domain/hardware.ts';

const FOLDER = process.env['LARDER_CASES'] ?? join(import.meta.dirname, 'data');

interface EligibilityCase {
  readonly id: string;
  readonly image: {
    readonly cuda: string | null;
    readonly minDriver: string | null;
    readonly minCompute: number | null;
    readonly cpu: boolean;
  };
  readonly node: {
    readonly cuda: string | null;
    readonly driver: string | null;
    readonly gpus: Readonly<Record<string, number | null>> | null;
  };
  readonly ours: { readonly eligible: boolean; readonly reason: string | null };
}

interface HardwareRow {
  readonly pk: number;
  readonly generation: string;
  readonly min_compute_capability: number;
  readonly max_compute_capability: number;
}

interface HardwareCase {
  readonly id: string;
  readonly request: { readonly method: string; readonly path: string };
  readonly observed: { readonly status: number; readonly body: HardwareRow | { readonly detail: string } };
}

const { ufdl } = JSON.parse(readFileSync(join(FOLDER, 'ufdl-pushsource-cases.json'), 'utf8')) as {
  readonly ufdl: {
    readonly catalogue: { readonly hardware: readonly HardwareRow[] };
    readonly groups: { readonly hardware: readonly HardwareCase[] };
    readonly eligibility: readonly EligibilityCase[];
  };
};

function needsOf({ cuda, minDriver, minCompute, cpu }: EligibilityCase['image']): HardwareNeeds {
  return {
    cpu,
    ...(cuda !== null && { cuda }),
    ...(minDriver !== null && { minDriver }),
    ...(minCompute !== null && { minCompute: String(minCompute) }),
  };
}

describe('eligibility', () => {
  test.each(ufdl.eligibility.map((row) => [row.id, row] as const))('%s', (_, { image, node, ours }) => {
    const computes = Object.values(node.gpus ?? {}).filter((compute) => compute !== null);
    const gpus = {
      ...(node.cuda !== null && { cuda: node.cuda }),
      ...(node.driver !== null && { driver: node.driver }),
      computes: computes.map(String),
    };
    const fit = gpuFit(gpus, needsOf(image));
    expect({ eligible: fit.eligible, reason: fit.eligible ? null : fit.reason }).toEqual(ours);
  });
});

describe('generation of a compute capability', () => {
  const rows = ufdl.catalogue.hardware.map((row) => ({
    generation: row.generation,
    minComputeCapability: row.min_compute_capability,
    maxComputeCapability: row.max_compute_capability,
    row,
  }));
  const lookup = /\/get-hardware-generation\/(?<compute>[^/]+)\/?$/;
  const cases = ufdl.groups.hardware.filter(({ request }) => lookup.test(request.path));

  test.each(cases.map((row) => [row.id, row] as const))('%s', (_, { request, observed }) => {
    const compute = lookup.exec(request.path)?.groups?.['compute'] ?? '';
    const found = findGeneration(rows, compute);
    const detail = `Bad value for get_hardware_generation parameter 'compute': ${compute}, options: ${found.ok ? '' : found.error}`;
    expect(found.ok ? { status: 200, body: found.value.row } : { status: 400, body: { detail } }).toEqual(
      observed,
    );
  });
});
