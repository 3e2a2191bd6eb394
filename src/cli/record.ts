/** `larder record`: images of a UFDL server as DockerImageRecords, and back. */

import { Command } from 'commander';
import type { CliIo } from './io.ts';
import { exportRecordsCommand } from './record-export.ts';
import { importRecordsCommand } from './record-import.ts';

/** The command with its verbs. */
export function recordCommand(io: CliIo): Command {
  return new Command('record')
    .description('take over the images of a UFDL server as DockerImageRecords, and write them out again')
    .addCommand(importRecordsCommand(io))
    .addCommand(exportRecordsCommand(io));
}
