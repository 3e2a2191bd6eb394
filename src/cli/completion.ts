/** `larder completion`: what a shell needs to complete verbs and options; made from the verbs themselves. */

import { Argument, Command } from 'commander';
import type { CliIo } from './io.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

/** One position on the line: the verbs so far, and what may follow. */
interface Place {
  /** Such as `tag parse`; empty at the start. */
  readonly path: string;
  readonly words: readonly Word[];
}

interface Word {
  readonly text: string;
  readonly help: string;
}

export function completionCommand(io: CliIo): Command {
  return new Command('completion')
    .description('prints the completion script of a shell: source <(larder completion bash)')
    .addArgument(new Argument('<shell>', 'whose syntax').choices(SHELLS))
    .action((shell: Shell, _flags: unknown, invoked: Command) => {
      const places = placesOf(invoked.parent ?? invoked, []);
      io.writeOut(SCRIPTS[shell](places));
    });
}

function placesOf(command: Command, path: readonly string[]): readonly Place[] {
  const verbs = command.commands.map((verb) => ({ text: verb.name(), help: verb.description() }));
  const options = command.options.flatMap(({ long, description }) =>
    typeof long !== 'string' ? [] : [{ text: long, help: description }],
  );
  const place = { path: path.join(' '), words: [...verbs, ...options, HELP] };
  return [place, ...command.commands.flatMap((verb) => placesOf(verb, [...path, verb.name()]))];
}

const HELP: Word = { text: '--help', help: 'display help for command' };

/** Names of verbs are plain words; help goes into single quotes. */
const SCRIPTS: Readonly<Record<Shell, (places: readonly Place[]) => string>> = {
  bash: (places) => `# larder, for bash
_larder() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path="" word words=""
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) ;; *) case " ${pathsOf(places)} " in *" \${path:+\${path}_}$word "*) path="\${path:+\${path}_}$word" ;; esac ;; esac
  done
  case "$path" in
${places.map(({ path, words }) => `    "${underscored(path)}") words="${words.map(({ text }) => text).join(' ')}" ;;`).join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  [ "\${#COMPREPLY[@]}" -gt 0 ] || compopt -o default
}
complete -F _larder larder kubectl-larder
`,
  zsh: (places) => `#compdef larder kubectl-larder
# larder, for zsh
_larder() {
  local word path=""
  for word in "\${(@)words[2,CURRENT-1]}"; do
    [[ " ${pathsOf(places)} " == *" \${path:+\${path}_}$word "* ]] && path="\${path:+\${path}_}$word"
  done
  local -a candidates
  case "$path" in
${places.map(({ path, words }) => `    "${underscored(path)}") candidates=(${words.map(({ text, help }) => `'${text}:${quoted(help).replaceAll(':', '\\:')}'`).join(' ')}) ;;`).join('\n')}
  esac
  _describe larder candidates || _files
}
if [ "\${funcstack[1]}" = _larder ]; then _larder "$@"; else compdef _larder larder kubectl-larder; fi
`,
  fish: (places) => `# larder, for fish
${places.flatMap(fishLines).join('\n')}
`,
};

function fishLines({ path, words }: Place): readonly string[] {
  const verbs = path.split(' ').filter((verb) => verb !== '');
  const condition =
    verbs.length === 0
      ? '__fish_use_subcommand'
      : verbs.map((verb) => `__fish_seen_subcommand_from ${verb}`).join('; and ');
  return words.map(({ text, help }) => {
    const candidate = text.startsWith('--') ? `-l ${text.slice(2)}` : `-f -a ${text}`;
    return `complete -c larder -n '${condition}' ${candidate} -d '${quoted(help)}'`;
  });
}

function pathsOf(places: readonly Place[]): string {
  return places.map(({ path }) => underscored(path)).join(' ');
}

function underscored(path: string): string {
  return path.replaceAll(' ', '_');
}

/** For single quotes, on one line. */
function quoted(text: string): string {
  return text.replaceAll(/['"\\`$]/g, '').replaceAll('\n', ' ');
}
