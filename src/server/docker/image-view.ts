/** A DockerImageRecord as the original shows it. */

import * as z from 'zod';
import type { Catalogue, CudaRow, HardwareRow } from '../../api/catalogue.ts';
import type { DockerImageRecord } from '../../api/docker-image-record.ts';
import { pkOf } from '../../api/record-counter.ts';
import { validateReference } from '../../domain/reference.ts';

const pk = z.int().min(1);
/** Null where the catalogue has no such row any more. */
const rowPk = pk.nullable().describe('Number of the row in the catalogue; null if it is not there.');

/** A CUDA version within an image. */
export const cudaViewSchema = z.object({
  pk: rowPk,
  version: z.string(),
  full_version: z.string(),
  min_driver_version: z.string(),
});

/** A generation of GPUs within an image. */
export const hardwareViewSchema = z.object({
  pk: rowPk,
  generation: z.string(),
  min_compute_capability: z.number(),
  max_compute_capability: z.number(),
});

const frameworkViewSchema = z.object({ pk: rowPk, name: z.string(), version: z.string() });

/** A whole image. */
export const imageViewSchema = z.object({
  pk,
  name: z.string(),
  version: z.string(),
  url: z.string().describe('Image reference, without scheme.'),
  registry_url: z.string(),
  registry_username: z.string().nullable().describe('Null for callers who may not get the Secret.'),
  registry_password: z.string().nullable().describe('Null for callers who may not get the Secret.'),
  cuda_version: cudaViewSchema,
  framework: frameworkViewSchema.nullable(),
  domain: z.string().nullable().describe('Long name of the domain.'),
  tasks: z.array(z.string()),
  min_hardware_generation: hardwareViewSchema.nullable(),
  cpu: z.boolean().describe('The image uses no GPU at all.'),
  licence: z.string().nullable(),
});

/** See `cudaViewSchema`. */
export type CudaView = z.output<typeof cudaViewSchema>;
/** See `hardwareViewSchema`. */
export type HardwareView = z.output<typeof hardwareViewSchema>;
/** A framework within an image. */
export type FrameworkView = z.output<typeof frameworkViewSchema>;
/** See `imageViewSchema`. */
export type ImageView = z.output<typeof imageViewSchema>;

/** What clients log in to a registry with; null is not set, or not for the caller to see. */
export interface RegistryLogin {
  readonly username: string | null;
  readonly password: string | null;
}

/** Nothing is set, or nothing is for the caller to see. */
export const NO_LOGIN: RegistryLogin = { username: null, password: null };

/** What the original writes for images without CUDA. */
export const NO_CUDA = '0.0';

/** The record for a caller who may see `login`; undefined if it has no pk yet. */
export function viewImage(
  record: DockerImageRecord,
  catalogue: Catalogue,
  login: RegistryLogin,
): ImageView | undefined {
  const { spec } = record;
  const number = pkOf(record);
  if (number === undefined) return undefined;
  return {
    pk: number,
    name: spec.name,
    version: spec.version,
    url: spec.image,
    registry_url: registryUrlOf(spec),
    registry_username: login.username,
    registry_password: login.password,
    cuda_version: viewCuda(spec.cuda?.version ?? NO_CUDA, catalogue.cuda),
    framework: viewFramework(spec.framework, catalogue.frameworks),
    domain: describeDomain(spec.domain, catalogue.domains),
    tasks: [...(spec.tasks ?? [])],
    min_hardware_generation: viewGeneration(spec.minHardwareGeneration, catalogue.hardware),
    cpu: spec.cpu,
    licence: spec.licence ?? null,
  };
}

/** What clients log in to: what the record says, else the registry of its image. */
export function registryUrlOf({ registry, image }: DockerImageRecord['spec']): string {
  const parsed = validateReference(image);
  return registry?.url ?? (parsed.ok ? parsed.value.registry : '');
}

/** A row of the catalogue as the original names its columns. */
export function viewCudaRow({ pk: number, version, fullVersion, minDriverVersion }: CudaRow): CudaView {
  return { pk: number, version, full_version: fullVersion, min_driver_version: minDriverVersion };
}

function viewCuda(version: string, rows: Catalogue['cuda']): CudaView {
  const row = rows.find((each) => each.version === version);
  if (row !== undefined) return viewCudaRow(row);
  return { pk: null, version, full_version: version, min_driver_version: NO_CUDA };
}

/** A row of the catalogue as the original names its columns. */
export function viewHardwareRow(row: HardwareRow): HardwareView {
  return {
    pk: row.pk,
    generation: row.generation,
    min_compute_capability: row.minComputeCapability,
    max_compute_capability: row.maxComputeCapability,
  };
}

function viewGeneration(generation: string | undefined, rows: Catalogue['hardware']): HardwareView | null {
  if (generation === undefined) return null;
  const row = rows.find((each) => each.generation === generation);
  if (row !== undefined) return viewHardwareRow(row);
  return { pk: null, generation, min_compute_capability: 0, max_compute_capability: 0 };
}

function viewFramework(
  framework: DockerImageRecord['spec']['framework'],
  rows: Catalogue['frameworks'],
): FrameworkView | null {
  if (framework === undefined) return null;
  const { name, version } = framework;
  const row = rows.find((each) => each.name === name && each.version === version);
  return { pk: row?.pk ?? null, name, version };
}

function describeDomain(code: string | undefined, rows: Catalogue['domains']): string | null {
  if (code === undefined) return null;
  return rows.find(({ name }) => name === code)?.description ?? code;
}
