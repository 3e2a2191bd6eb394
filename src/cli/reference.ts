/** `larder reference parse`: an image reference taken apart. */

import { Command } from 'commander';

import { formatCanonical, formatFamiliar, validateReference } from '../domain/reference.ts';
import { argumentsOrLines, badInput, type CliIo } from './io.ts';
import { type OutputFormat, print, withOutput } from './output.ts';

export function referenceCommand(io: CliIo): Command {
  const parse = withOutput(new Command('parse'))
    .description('registry, repository, tag and digest of each reference')
    .argument('[reference...]', 'references; without any, the lines of standard input')
    .action(async (given: string[], { output }: { output: OutputFormat }) => {
      const parsed = (await argumentsOrLines(io, given, 'references')).map(describeReference);
      print(io, output, parsed, () => ({
        columns: ['REGISTRY', 'REPOSITORY', 'TAG', 'DIGEST', 'CANONICAL'],
        rows: parsed.map(({ registry, repository, tag, digest, canonical }) => [
          registry,
          repository,
          tag,
          digest,
          canonical,
        ]),
      }));
    });
  return new Command('reference').description('take image references apart').addCommand(parse);
}

/** `registry` is null if none was written; `canonical` is what a runtime makes of it. */
interface ParsedReference {
  readonly input: string;
  readonly registry: string | null;
  readonly repository: string;
  readonly tag: string | null;
  readonly digest: string | null;
  readonly canonical: string;
  readonly familiar: string;
}

function describeReference(input: string): ParsedReference {
  const result = validateReference(input);
  if (!result.ok)
    throw badInput(`reference ${JSON.stringify(input)}`, result.error.message, result.error.position);
  const { registry, repository, tag = null, digest = null } = result.value;
  return {
    input,
    registry: registry === '' ? null : registry,
    repository,
    tag,
    digest,
    canonical: formatCanonical(result.value),
    familiar: formatFamiliar(result.value),
  };
}
