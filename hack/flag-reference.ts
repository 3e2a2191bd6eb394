/** Markdown of every flag of `larder run`, from the table that the operator itself reads. */

import { FLAGS, type Flag } from '../src/options.ts';

/** docs/flags.md */
export function flagReference(): string {
  const rows = Object.values<Flag>(FLAGS).map(
    ({ name, env, default: byDefault, help }) =>
      `| \`--${name}\` | \`${env}\` | ${byDefault === '' ? '' : `\`${byDefault}\``} | ${help} |`,
  );
  return [
    '<!-- Generated from src/options.ts by `make generate`. Do not edit. -->',
    '',
    '# Flags of the operator',
    '',
    'Of `larder run`. A flag wins over its environment variable; what is set to something it cannot be ends the process with exit code 2.',
    '',
    '| flag | environment variable | default | what it does |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}
