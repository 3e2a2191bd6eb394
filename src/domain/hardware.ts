/** Which nodes can run an image that needs certain hardware: GPU, CUDA, driver, compute capability, platform. */

import { compareDotted, parseDotted } from './dotted-version.ts';
import type { NodeFacts } from './node.ts';
import { formatPlatform, type Platform, platformMatches } from './platform.ts';
import { err, ok, type Result } from './result.ts';

/** In the order in which they are found; a node has the first that applies. */
export const HARDWARE_REASONS = [
  'ArchitectureMismatch',
  'NoUsableGPU',
  'CUDATooOld',
  'DriverTooOld',
  'ComputeTooLow',
] as const;
export type HardwareReason = (typeof HARDWARE_REASONS)[number];

/** What an image needs; versions are dotted numbers. */
export interface HardwareNeeds {
  /** It uses no GPU at all; then nothing else is asked. */
  readonly cpu: boolean;
  /** Lowest CUDA version that the driver must support. */
  readonly cuda?: string;
  readonly minDriver?: string;
  /** Lowest compute capability. There is no upper bound: a newer GPU always runs older code. */
  readonly minCompute?: string;
}

/** The GPUs of a node; what it does not tell is absent. */
export interface GpuFacts {
  /** Highest CUDA version that the driver supports. */
  readonly cuda?: string;
  readonly driver?: string;
  /** Compute capability of each GPU. */
  readonly computes: readonly string[];
}

export type HardwareFit =
  | { readonly eligible: true }
  | { readonly eligible: false; readonly reason: HardwareReason; readonly message: string };

const FITS: HardwareFit = { eligible: true };

/** Whether the GPUs of a node are enough; any one of them may be the one. */
export function gpuFit(gpus: GpuFacts, needs: HardwareNeeds): HardwareFit {
  if (needs.cpu) return FITS;
  const usable = usableGpu(gpus);
  if (usable === undefined) {
    return unfit(
      'NoUsableGPU',
      'Node does not tell of a GPU with driver, CUDA version and compute capability',
    );
  }
  const { cuda, driver, compute } = usable;
  if (isBelow(cuda, needs.cuda)) return unfit('CUDATooOld', tooLow('CUDA version', gpus.cuda, needs.cuda));
  if (isBelow(driver, needs.minDriver)) {
    return unfit('DriverTooOld', tooLow('driver version', gpus.driver, needs.minDriver));
  }
  if (isBelow(compute, needs.minCompute)) {
    return unfit('ComputeTooLow', tooLow('compute capability', compute.join('.'), needs.minCompute));
  }
  return FITS;
}

/** The same for a node, which must also have one of the image's platforms; no platforms known: every node has. */
export function hardwareFit(
  node: Pick<NodeFacts, 'labels' | 'os' | 'architecture'>,
  needs: HardwareNeeds,
  platforms: readonly Platform[],
): HardwareFit {
  const host: Platform = { os: node.os, architecture: node.architecture };
  if (platforms.length > 0 && !platforms.some((platform) => platformMatches(host, platform))) {
    const offered = platforms.map(formatPlatform).join(', ');
    return unfit('ArchitectureMismatch', `Node is ${formatPlatform(host)}, the image is for ${offered}`);
  }
  return gpuFit(gpusOf(node.labels), needs);
}

/** Labels of the NVIDIA device plugin and GPU feature discovery, which describe one GPU product a node. */
export const GPU_LABELS = {
  cuda: ['nvidia.com/cuda.runtime.major', 'nvidia.com/cuda.runtime.minor'],
  driver: ['nvidia.com/cuda.driver.major', 'nvidia.com/cuda.driver.minor', 'nvidia.com/cuda.driver.rev'],
  compute: ['nvidia.com/gpu.compute.major', 'nvidia.com/gpu.compute.minor'],
} as const;

/** What the labels of a node tell of its GPUs. */
export function gpusOf(labels: Readonly<Record<string, string>>): GpuFacts {
  const cuda = joinLabels(labels, GPU_LABELS.cuda);
  const driver = joinLabels(labels, GPU_LABELS.driver);
  const compute = joinLabels(labels, GPU_LABELS.compute);
  return {
    ...(cuda !== undefined && { cuda }),
    ...(driver !== undefined && { driver }),
    computes: compute === undefined ? [] : [compute],
  };
}

/** Revisions may be empty (driver 440.33); without a major number there is no version. */
function joinLabels(labels: Readonly<Record<string, string>>, names: readonly string[]): string | undefined {
  const [major = '', ...minors] = names.map((name) => labels[name] ?? '');
  if (major === '') return undefined;
  const end = minors.indexOf('');
  return [major, ...(end < 0 ? minors : minors.slice(0, end))].join('.');
}

interface UsableGpu {
  readonly cuda: readonly number[];
  readonly driver: readonly number[];
  /** Of the best GPU. */
  readonly compute: readonly number[];
}

function usableGpu({ cuda, driver, computes }: GpuFacts): UsableGpu | undefined {
  const [best] = computes
    .map(parseDotted)
    .filter((compute) => compute !== undefined)
    .sort((left, right) => compareDotted(right, left));
  const cudaNumbers = parseDotted(cuda ?? '');
  const driverNumbers = parseDotted(driver ?? '');
  if (best === undefined || cudaNumbers === undefined || driverNumbers === undefined) return undefined;
  return { cuda: cudaNumbers, driver: driverNumbers, compute: best };
}

function isBelow(found: readonly number[], needed: string | undefined): boolean {
  const numbers = needed === undefined ? undefined : parseDotted(needed);
  return numbers !== undefined && compareDotted(found, numbers) < 0;
}

function tooLow(what: string, found = '', needed = ''): string {
  return `Node's ${what} ${found} is below ${needed}, which the image needs`;
}

function unfit(reason: HardwareReason, message: string): HardwareFit {
  return { eligible: false, reason, message };
}

/** A generation of GPUs: compute capability from `min`, below `max`. */
export interface GenerationRange {
  readonly generation: string;
  readonly minComputeCapability: number;
  readonly maxComputeCapability: number;
}

/** A decimal number as UFDL reads one. */
const DECIMAL = /^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$/;

/**
 * The generation of a compute capability; of overlapping ones the first. The error names the whole range, lowest
 * to highest, such as `[2.0, 10.0)`.
 */
export function findGeneration<T extends GenerationRange>(
  generations: readonly T[],
  compute: string,
): Result<T> {
  const value = DECIMAL.test(compute) ? Number(compute) : Number.NaN;
  const found = generations.find(
    ({ minComputeCapability: min, maxComputeCapability: max }) => value >= min && value < max,
  );
  return found === undefined ? err(wholeRange(generations)) : ok(found);
}

function wholeRange(generations: readonly GenerationRange[]): string {
  if (generations.length === 0) return '[)';
  const min = Math.min(...generations.map(({ minComputeCapability }) => minComputeCapability));
  const max = Math.max(...generations.map(({ maxComputeCapability }) => maxComputeCapability));
  return `[${asFloat(min)}, ${asFloat(max)})`;
}

/** Whole numbers keep their ".0", as the original prints them. */
function asFloat(value: number): string {
  return Number.isInteger(value) ? value.toFixed(1) : String(value);
}
