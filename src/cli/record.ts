/** `larder record`: images of a UFDL server, and push items of pushsource, as DockerImageRecords. */

import { Command } from 'commander';
import type { CliIo } from './io.ts';
import { convertPushItemsCommand } from './record-convert.ts';
import { exportRecordsCommand } from './record-export.ts';
import { importRecordsCommand } from './record-import.ts';

/** The command with its verbs. */
export function recordCommand(io: CliIo): Command {
  return new Command('record')
    .description('take over the images of a UFDL server or of pushsource as DockerImageRecords')
    .addCommand(importRecordsCommand(io))
    .addCommand(exportRecordsCommand(io))
    .addCommand(convertPushItemsCommand(io));
}
