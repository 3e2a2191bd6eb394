/** `larder inspect`: what a registry says about one image. */

import { Command } from 'commander';

import { type PullInfo, validatePullSpec } from '../domain/pull-spec.ts';
import { formatReference, type Reference } from '../domain/reference.ts';
import type { Bundle } from '../registry/bundle-reader.ts';
import { RegistryClient } from '../registry/client.ts';
import type { ResolvedImage, ResolvedPlatform } from '../registry/image-resolver.ts';
import { newScanMeter } from '../registry/meter.ts';
import { describePull } from '../registry/pull-info.ts';
import { badInput, type CliIo } from './io.ts';
import { type OutputFormat, print, type Table, withOutput } from './output.ts';
import { openAccess, type RegistryFlags, registryFailure, withRegistryOptions } from './registry-options.ts';

interface Flags extends RegistryFlags {
  readonly output: OutputFormat;
}

/** What `larder inspect -o json` prints; sizes are compressed bytes. */
export interface InspectOutput extends Omit<ResolvedImage, 'platforms'> {
  readonly reference: string;
  readonly platforms: readonly Omit<ResolvedPlatform, 'labels'>[];
  /** Of the first platform. */
  readonly labels: Readonly<Record<string, string>>;
  readonly pullInfo: PullInfo;
  /** Only of operator bundles. */
  readonly operatorBundle?: Bundle;
  readonly requests: number;
}

const TIMEOUT_MS = 60_000;

export function inspectCommand(io: CliIo): Command {
  return withRegistryOptions(withOutput(new Command('inspect')))
    .description('digest, platforms, sizes, labels and pull specs of an image, as its registry tells them')
    .argument('<reference>', 'registry/repository with tag, digest or neither (latest)')
    .action(async (text: string, flags: Flags) => {
      const parsed = validatePullSpec(text);
      if (!parsed.ok)
        throw badInput(`reference ${JSON.stringify(text)}`, parsed.error.message, parsed.error.position);
      const output = await inspect(io, parsed.value, flags);
      print(io, flags.output, output, () => tables(output));
    });
}

async function inspect(io: CliIo, reference: Reference, flags: RegistryFlags): Promise<InspectOutput> {
  const client = new RegistryClient({ clock: io.clock });
  const meter = newScanMeter();
  const signal = AbortSignal.any([io.signal, AbortSignal.timeout(TIMEOUT_MS)]);
  try {
    const access = await openAccess(io, flags);
    const image = await client.resolve(reference, access, { signal, meter, detail: 'labels' });
    const labels = image.platforms[0]?.labels ?? {};
    const operatorBundle = await client.readBundle({ ...reference, digest: image.digest }, access, {
      signal,
      meter,
    });
    return {
      reference: formatReference(reference),
      ...image,
      platforms: image.platforms.map(withoutLabels),
      labels,
      pullInfo: describePull(reference, image),
      ...(operatorBundle && { operatorBundle }),
      requests: meter.requests,
    };
  } catch (error) {
    throw registryFailure(error);
  } finally {
    await client.close();
  }
}

function withoutLabels(platform: ResolvedPlatform): Omit<ResolvedPlatform, 'labels'> {
  const { labels, ...rest } = platform;
  return labels === undefined ? platform : rest;
}

function tables({
  reference,
  digest,
  mediaType,
  size,
  platforms,
  warnings,
}: InspectOutput): readonly Table[] {
  const image: Table = {
    columns: ['REFERENCE', 'DIGEST', 'MEDIA TYPE', 'SIZE'],
    rows: [[reference, digest, mediaType, size]],
  };
  const each: Table = {
    columns: ['PLATFORM', 'DIGEST', 'SIZE'],
    rows: platforms.map(({ os, architecture, variant, ...platform }) => [
      [os, architecture, variant].filter(Boolean).join('/'),
      platform.digest,
      platform.size,
    ]),
  };
  const warned: Table = { columns: ['WARNING'], rows: warnings.map((warning) => [warning]) };
  return [image, ...(platforms.length > 0 ? [each] : []), ...(warnings.length > 0 ? [warned] : [])];
}
