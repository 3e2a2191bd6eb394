/** Pages of the documentation: links, anchors and code blocks. */

import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const ROOT = resolve(import.meta.dirname, '../..');

const TOP_PAGES = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md'];

/** Every page, as a path below the root. */
export function allPages(): readonly string[] {
  const below = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' });
  return [...TOP_PAGES, ...below.filter((file) => file.endsWith('.md')).map((file) => `docs/${file}`)].sort();
}

export function readPage(page: string): string {
  return readFileSync(join(ROOT, page), 'utf8');
}

/** Targets of links that lead to no other site, without those in code. */
export function localLinks(text: string): readonly string[] {
  const prose = text.replace(/^```.*?^```$/gms, '').replace(/`[^`\n]*`/g, '');
  const targets = [...prose.matchAll(/\]\((?<target>[^()\s]+)\)/g)].map(
    ({ groups }) => groups?.['target'] ?? '',
  );
  return targets.filter((target) => !/^[a-z]+:/.test(target));
}

/** What a heading is called in a link, as GitHub makes it. */
export function anchorsOf(text: string): ReadonlySet<string> {
  const headings = text.replace(/^```.*?^```$/gms, '').matchAll(/^#{1,6} (?<title>.+)$/gm);
  const anchors = [...headings].map(({ groups }) => {
    const title = (groups?.['title'] ?? '').replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    return title.replace(/[^\p{L}\p{N}\s_-]/gu, '').replace(/\s/g, '-');
  });
  return new Set(anchors);
}

/** Contents of the code blocks in a language. */
export function codeBlocks(text: string, language: string): readonly string[] {
  const pattern = new RegExp(`^\`\`\`${language}\\n(?<code>.*?)^\`\`\`$`, 'gms');
  return [...text.matchAll(pattern)].map(({ groups }) => groups?.['code'] ?? '');
}

/** A command in a console block, and what the page says that it prints. */
export interface ShownCommand {
  readonly command: string;
  readonly output: string;
}

/** Commands follow `$ `; a trailing backslash continues one; comments are left out. */
export function shownCommands(block: string): readonly ShownCommand[] {
  const commands: { command: string; output: string }[] = [];
  for (const line of block.replaceAll('\\\n', ' ').split('\n')) {
    const last = commands.at(-1);
    if (line.startsWith('$ '))
      commands.push({ command: line.slice(2).replace(/\s{2,}#.*$/, ''), output: '' });
    else if (last !== undefined) last.output += `${line}\n`;
  }
  return commands.map(({ command, output }) => ({ command, output: output.trim() }));
}
