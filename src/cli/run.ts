/** `larder run`: the operator in the foreground, until SIGTERM. */

import { Command, Option } from 'commander';
import { createOperator } from '../operator.ts';
import { FLAGS, type Flag, readOptions } from '../options.ts';
import type { CliIo } from './io.ts';

/** The command; every option of the table is a flag. The signal of `io` ends the operator in order. */
export function runCommand({ signal, environment }: CliIo): Command {
  const command = new Command('run').description('run the operator until SIGTERM');
  for (const flag of Object.values<Flag>(FLAGS)) command.addOption(toOption(flag));
  return command.action(async (_flags: unknown, invoked: Command) => {
    const options = readOptions(typedFlags(invoked), environment);
    if (!options.ok) invoked.error(options.error.map((line) => `error: ${line}`).join('\n'), { exitCode: 2 });
    else await runOperator(createOperator(options.value, environment), signal);
  });
}

async function runOperator(operator: ReturnType<typeof createOperator>, stop: AbortSignal): Promise<void> {
  stop.addEventListener(
    'abort',
    () => {
      operator.stop();
    },
    { once: true },
  );
  await operator.start();
  if (stop.aborted) operator.stop();
  await operator.finished;
}

function toOption({ name, env, default: fallback, help }: Flag): Option {
  const shown = fallback === '' ? '' : `, default ${fallback}`;
  return new Option(`--${name} <value>`, `${help} (${env}${shown})`);
}

/** Values as typed, by flag name; commander keys them in camel case. */
function typedFlags(command: Command): Readonly<Record<string, string | undefined>> {
  const typed: Record<string, string | undefined> = command.opts();
  const names = new Map(command.options.map((option) => [option.attributeName(), option.name()]));
  return Object.fromEntries(Object.entries(typed).map(([key, value]) => [names.get(key) ?? key, value]));
}
