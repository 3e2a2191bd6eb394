/** `larder scan`: one real scan of an ImageSource's registry, without a cluster. */

import { Command } from 'commander';

import type { ImageSource } from '../api/image-source.ts';
import { type ScanResult, scan } from '../controllers/image-source/scan.ts';
import { toSelectionSpec } from '../controllers/image-source/selection-spec.ts';
import { parseDuration } from '../domain/duration.ts';
import { RegistryClient } from '../registry/client.ts';
import { readImageSource } from './image-source-file.ts';
import { type CliIo, readInput } from './io.ts';
import { type OutputFormat, print, type Table, withOutput } from './output.ts';
import { openAccess, type RegistryFlags, registryFailure, withRegistryOptions } from './registry-options.ts';
import { compile, describeSelection, type SelectOutput, toTables } from './select.ts';

interface Flags extends RegistryFlags {
  readonly file: string;
  readonly output: OutputFormat;
}

/** What `larder scan -o json` prints: as `larder select`, and what it cost. */
export interface ScanOutput extends SelectOutput {
  readonly scan: {
    readonly tags: number;
    readonly pages: number;
    readonly requests: number;
    readonly headRequests: number;
    readonly durationMs: number;
  };
  readonly warnings: readonly string[];
}

export function scanCommand(io: CliIo): Command {
  return withRegistryOptions(withOutput(new Command('scan')))
    .description(
      'scans the registry of an ImageSource once and prints what it would select; needs no cluster',
    )
    .requiredOption('-f, --file <path>', 'YAML or JSON of the ImageSource, "-" for standard input')
    .action(async (flags: Flags) => {
      const source = readImageSource(await readInput(io, flags.file), flags.file);
      const output = await scanOnce(io, source, flags);
      print(io, flags.output, output, () => tables(output));
    });
}

async function scanOnce(io: CliIo, source: ImageSource, flags: RegistryFlags): Promise<ScanOutput> {
  const { spec } = source;
  const selection = compile(toSelectionSpec(spec));
  const registry = new RegistryClient({ clock: io.clock });
  try {
    const result = await scan({
      registry,
      access: await openAccess(io, flags, spec.access),
      selection,
      maxTags: spec.guard.maxTags,
      known: new Map(),
      clock: io.clock,
      signal: AbortSignal.any([io.signal, AbortSignal.timeout(parseDuration(spec.timeout))]),
    });
    const warnings = [...accessWarnings(source), ...result.warnings];
    return { ...describeSelection(selection, result.plan, result.images), scan: costs(result), warnings };
  } catch (error) {
    throw registryFailure(error);
  } finally {
    await registry.close();
  }
}

function costs({ list, meter, durationMs }: ScanResult): ScanOutput['scan'] {
  const { requests, headRequests } = meter;
  return { tags: list.tags.length, pages: list.pages, requests, headRequests, durationMs };
}

/** What the spec names but only a cluster holds. */
function accessWarnings({ spec: { access } }: ImageSource): readonly string[] {
  const { pullSecretRefs, serviceAccountName, caBundleRef, clientCertSecretRef, proxySecretRef } = access;
  const named = { pullSecretRefs, serviceAccountName, caBundleRef, clientCertSecretRef, proxySecretRef };
  const unread = Object.entries(named).filter(
    ([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0),
  );
  return unread.map(
    ([field]) => `access.${field} is not read without a cluster: use --docker-config and --ca-file`,
  );
}

function tables(output: ScanOutput): readonly Table[] {
  const { tags, pages, requests, headRequests, durationMs } = output.scan;
  const scanned: Table = {
    columns: ['TAGS', 'PAGES', 'REQUESTS', 'HEADS', 'MS'],
    rows: [[tags, pages, requests, headRequests, durationMs]],
  };
  const warned: Table = { columns: ['WARNING'], rows: output.warnings.map((warning) => [warning]) };
  return [...toTables(output), scanned, ...(output.warnings.length > 0 ? [warned] : [])];
}
