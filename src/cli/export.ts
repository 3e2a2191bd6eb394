/** `larder export`: what other tools must know of the stock, with the rights of the person who asks. */

import { Command, Option } from 'commander';
import { prepulledImageType } from '../controllers/kinds.ts';
import { type ClusterFlags, withCluster, withClusterOptions } from './cluster.ts';
import { eraserExclusion } from './eraser-exclusion.ts';
import type { CliIo } from './io.ts';
import { toYaml } from './output.ts';

const FORMATS = ['yaml', 'json'] as const;

interface Flags extends ClusterFlags {
  readonly eraserNamespace: string;
  readonly output: (typeof FORMATS)[number];
}

export function exportCommand(io: CliIo): Command {
  const eraser = new Command('eraser')
    .description('print the ConfigMap that keeps Eraser away from prepulled images, for kubectl apply -f -')
    .option('--eraser-namespace <name>', 'where Eraser runs', 'eraser-system')
    .addOption(new Option('-o, --output <format>', 'how it is printed').choices(FORMATS).default('yaml'))
    .action(async (flags: Flags) => {
      const { namespace, eraserNamespace } = flags;
      const { items } = await withCluster(io, flags, (client) =>
        client.list(prepulledImageType, { namespace, signal: io.signal }),
      );
      const object = eraserExclusion(items, eraserNamespace);
      io.writeOut(flags.output === 'json' ? `${JSON.stringify(object, null, 2)}\n` : toYaml(object));
    });
  return new Command('export')
    .description('print what other tools must know of the stock')
    .addCommand(withClusterOptions(eraser));
}
