/** Phase: the rows of the catalogue that the record names. Unknown names are a condition; the record stays as it is. */

import type { Catalogue, CudaRow, HardwareRow } from '../../api/catalogue.ts';
import type { DockerImageRecord, DockerImageRecordSpec } from '../../api/docker-image-record.ts';
import { compareDotted, parseDotted } from '../../domain/dotted-version.ts';
import type { HardwareNeeds } from '../../domain/hardware.ts';
import type { Draft } from '../../kube/conclusion.ts';
import { findCondition } from '../../kube/condition.ts';
import type { PhaseContext } from '../../kube/reconciler.ts';
import { done, type Result } from '../../kube/result.ts';
import type { CatalogueStore } from './catalogue-store.ts';
import { marker, type Status, type Words } from './status.ts';

export interface CatalogueOptions {
  readonly catalogue: Pick<CatalogueStore, 'current' | 'problem'>;
}

/** What is stocked already stays as it is, whatever the catalogue says now: only `prepull` acts on Resolved. */
export function cataloguePhase({ catalogue }: CatalogueOptions) {
  return (record: DockerImageRecord, draft: Draft<Status>, context: PhaseContext): Result => {
    const mark = marker(record, draft, context);
    const { current, problem } = catalogue;
    if (current === undefined) {
      // Since the start nobody could read it: what was found before that still holds for the same spec.
      const status = wasResolved(record) ? 'True' : 'False';
      mark('Resolved', status, { reason: 'CatalogueUnavailable', message: problem ?? 'not read yet' });
      return done;
    }
    draft.resolved = rowsOf(record.spec, current);
    const unknown = unknownNames(record.spec, current);
    const [first] = unknown;
    const remark = problem === undefined ? '' : `${problem}; the last good one holds`;
    if (first !== undefined) {
      const names = unknown.map(({ message }) => message).join(', ');
      const message = `The catalogue has no ${names}${remark === '' ? '' : `. ${remark}`}`;
      mark('Resolved', 'False', { reason: first.reason, message });
    } else if (remark !== '') mark('Resolved', 'True', { reason: 'CatalogueUnavailable', message: remark });
    else mark('Resolved', 'True', { reason: 'CatalogueComplete', message: 'All names are in the catalogue' });
    return done;
  };
}

function wasResolved({ metadata, status }: DockerImageRecord): boolean {
  const before = findCondition(status, 'Resolved');
  return before?.status === 'True' && before.observedGeneration === metadata.generation;
}

/** What a node must have; undefined as long as rows that limit it are unknown. */
export function needsOf(
  spec: DockerImageRecordSpec,
  resolved: Status['resolved'],
): HardwareNeeds | undefined {
  if (spec.cpu) return { cpu: true };
  const { cuda, hardware } = resolved ?? {};
  const isUnknown =
    (spec.cuda !== undefined && cuda === undefined) ||
    (spec.minHardwareGeneration !== undefined && hardware === undefined);
  if (isUnknown) return undefined;
  return {
    cpu: false,
    ...(spec.cuda && { cuda: spec.cuda.version }),
    ...(cuda && { minDriver: cuda.minDriverVersion }),
    ...(hardware && { minCompute: hardware.minComputeCapability }),
  };
}

/**
 * The rows behind the names; what has no row is left out. They stand in the status because an operator that starts with an
 * unreadable catalogue goes on with them.
 */
function rowsOf(spec: DockerImageRecordSpec, catalogue: Catalogue): Status['resolved'] {
  const cuda = findCuda(spec, catalogue);
  const hardware = findHardware(spec, catalogue);
  const domain = catalogue.domains.find(({ name }) => name === spec.domain);
  const licence = catalogue.licences.find(({ name }) => name === spec.licence);
  return {
    ...(cuda && { cuda: { fullVersion: cuda.fullVersion, minDriverVersion: cuda.minDriverVersion } }),
    ...(hardware && { hardware: limitsOf(hardware) }),
    ...(domain && { domainDescription: domain.description }),
    ...(licence && { licenceURL: licence.url }),
  };
}

function findCuda({ cuda }: DockerImageRecordSpec, catalogue: Catalogue): CudaRow | undefined {
  const wanted = cuda && parseDotted(cuda.version);
  return wanted && catalogue.cuda.find(({ version }) => isSameVersion(version, wanted));
}

/** As numbers: 11.1 is 11.01, and not 11.10. */
function isSameVersion(version: string, wanted: readonly number[]): boolean {
  const numbers = parseDotted(version);
  return numbers !== undefined && compareDotted(numbers, wanted) === 0;
}

function findHardware(spec: DockerImageRecordSpec, catalogue: Catalogue): HardwareRow | undefined {
  return catalogue.hardware.find(({ generation }) => generation === spec.minHardwareGeneration);
}

function limitsOf({
  minComputeCapability,
  maxComputeCapability,
}: HardwareRow): NonNullable<NonNullable<Status['resolved']>['hardware']> {
  return {
    minComputeCapability: asVersion(minComputeCapability),
    maxComputeCapability: asVersion(maxComputeCapability),
  };
}

/** Compute capabilities have two numbers: 6 is 6.0. */
function asVersion(value: number): string {
  return Number.isInteger(value) ? value.toFixed(1) : String(value);
}

/** What the catalogue lacks, in the order of the reasons. */
function unknownNames(spec: DockerImageRecordSpec, catalogue: Catalogue): readonly Words[] {
  return LOOKUPS.flatMap(({ reason, what, missing }) => {
    const names = missing(spec, catalogue);
    return names.length === 0 ? [] : [{ reason, message: `${what} ${names.join(', ')}` }];
  });
}

interface Lookup {
  readonly reason: Words['reason'];
  readonly what: string;
  /** Names of the spec that the catalogue does not have. */
  readonly missing: (spec: DockerImageRecordSpec, catalogue: Catalogue) => readonly string[];
}

/** One row a name of the spec, in the order in which the first unknown one gives the reason. */
const LOOKUPS: readonly Lookup[] = [
  {
    reason: 'UnknownCUDAVersion',
    what: 'CUDA version',
    missing: (spec, catalogue) =>
      spec.cuda === undefined || findCuda(spec, catalogue) !== undefined ? [] : [spec.cuda.version],
  },
  {
    reason: 'UnknownHardwareGeneration',
    what: 'hardware generation',
    missing: ({ minHardwareGeneration: name }, { hardware }) =>
      name === undefined || hardware.some(({ generation }) => generation === name) ? [] : [name],
  },
  {
    reason: 'UnknownFramework',
    what: 'framework',
    missing: ({ framework }, { frameworks }) =>
      framework === undefined || frameworks.some((row) => isSameFramework(row, framework))
        ? []
        : [`${framework.name} ${framework.version}`],
  },
  {
    reason: 'UnknownDomain',
    what: 'domain',
    missing: ({ domain }, { domains }) => absentFrom(domains, domain),
  },
  {
    reason: 'UnknownTask',
    what: 'task',
    missing: (spec, catalogue) => (spec.tasks ?? []).flatMap((task) => absentFrom(catalogue.tasks, task)),
  },
  {
    reason: 'UnknownLicence',
    what: 'licence',
    missing: ({ licence }, { licences }) => absentFrom(licences, licence),
  },
];

interface Framework {
  readonly name: string;
  readonly version: string;
}

function isSameFramework(left: Framework, right: Framework): boolean {
  return left.name === right.name && left.version === right.version;
}

function absentFrom(
  rows: readonly { readonly name: string }[],
  wanted: string | undefined,
): readonly string[] {
  return wanted === undefined || rows.some(({ name }) => name === wanted) ? [] : [wanted];
}
