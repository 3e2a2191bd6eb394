/** `larder crds`: prints the CustomResourceDefinitions of this version, ready for `kubectl apply -f -`. */
import { Command, Option } from 'commander';
import { buildCustomResourceDefinition, DEFINITIONS } from '../api/crd.ts';
import type { KindDefinition } from '../api/crd-definition.ts';
import { PLURALS, VERSION } from '../api/group-version.ts';
import type { CliIo } from './io.ts';
import { formatTable, OUTPUT_FORMATS, type OutputFormat, toYaml } from './output.ts';

export function crdsCommand(io: CliIo): Command {
  const output = new Option('-o, --output <format>', 'how they are printed');
  return new Command('crds')
    .description('print the CustomResourceDefinitions, for kubectl apply -f -')
    .addOption(output.choices(OUTPUT_FORMATS).default('yaml'))
    .action((options: { readonly output: OutputFormat }) => {
      io.writeOut(PRINTERS[options.output]());
    });
}

const PRINTERS: Readonly<Record<OutputFormat, () => string>> = {
  yaml: crdsYaml,
  json: () => `${JSON.stringify(crdList(), null, 2)}\n`,
  table: () =>
    formatTable({ columns: ['KIND', 'PLURAL', 'SHORT NAME', 'VERSION'], rows: DEFINITIONS.map(row) }),
};

/** One YAML stream of all of them. */
function crdsYaml(): string {
  return DEFINITIONS.map((definition) => `---\n${crdYaml(definition)}`).join('');
}

/** JSON has no streams: kubectl takes a List. */
function crdList(): object {
  return { apiVersion: 'v1', kind: 'List', items: DEFINITIONS.map(buildCustomResourceDefinition) };
}

function row({ kind, shortName }: KindDefinition): readonly string[] {
  return [kind, PLURALS[kind], shortName, VERSION];
}

/** How a CRD file looks, in crds/ and on the terminal. */
export function crdYaml(definition: KindDefinition): string {
  return toYaml(buildCustomResourceDefinition(definition));
}
