/** The documentation: links lead somewhere, examples are valid, commands exist, and those that need no cluster do as shown. */

import { execFile } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, normalize } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Document, parseAllDocuments } from 'yaml';
import { DEFINITIONS, rootSchema } from '../src/api/crd.ts';
import { PLURALS } from '../src/api/group-version.ts';
import { withoutNulls } from '../src/api/parse.ts';
import { CONDITIONS } from '../src/api/reasons.ts';
import { FLAGS } from '../src/options.ts';
import {
  allPages,
  anchorsOf,
  codeBlocks,
  localLinks,
  ROOT,
  readPage,
  shownCommands,
} from './support/markdown.ts';

const run = promisify(execFile);
const pages = allPages();
const makefile = readFileSync(join(ROOT, 'Makefile'), 'utf8');

/** Verbs of `larder` that need neither cluster nor registry: what a page shows of them is compared. */
const OFFLINE =
  /^(?:echo .* > [\w.]+|(?:npx )?larder (?:select|tag|reference|range|duration|record convert) .*)$/;
/** What needs a cluster or a registry is not run here; its first words must be these. */
const ELSEWHERE = /^(?:kubectl|curl|crane|docker|cosign|promtool|jq|(?:npx )?larder) /;

let folder: string;
let path: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'larder-docs-'));
  cpSync(join(ROOT, 'config'), join(folder, 'config'), { recursive: true });
  const larder = `#!/bin/sh\nexec '${process.execPath}' '${join(ROOT, 'src/main.ts')}' "$@"\n`;
  writeFileSync(join(folder, 'larder'), larder);
  chmodSync(join(folder, 'larder'), 0o755);
  path = `${folder}:${process.env['PATH'] ?? ''}`;
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

async function shell(command: string): Promise<string> {
  const env = { ...process.env, PATH: path, NO_COLOR: '1' };
  const { stdout } = await run('sh', ['-c', command.replace(/^npx /, '')], { cwd: folder, env });
  return stdout;
}

/** Why the link is broken; undefined if it is not. */
function faultOf(page: string, link: string): string | undefined {
  const [file = '', anchor] = link.split('#');
  const target = file === '' ? page : normalize(join(dirname(page), file));
  if (!existsSync(join(ROOT, target))) return `${link}: no ${target}`;
  if (anchor === undefined || !target.endsWith('.md')) return undefined;
  return anchorsOf(readPage(target)).has(anchor) ? undefined : `${link}: no heading #${anchor} in ${target}`;
}

/** Why the command cannot be right; undefined if it may be. */
function commandFault(command: string): string | undefined {
  const target = /^(?:[A-Z_]+=\S+ )*make (?<target>[a-z-]+)/.exec(command)?.groups?.['target'];
  if (target !== undefined) {
    return new RegExp(`^${target}:`, 'm').test(makefile) ? undefined : `no make target ${target}`;
  }
  if (!OFFLINE.test(command) && !ELSEWHERE.test(command)) return `nobody runs: ${command}`;
  const own = [...command.matchAll(/ (?:-k|-f) ((?:config|crds|hack|docs)\S*)/g)].map(
    ([, file = '']) => file,
  );
  const lost = own.filter((file) => !existsSync(join(ROOT, file)));
  return lost.length > 0 ? `no ${lost.join(', ')}` : undefined;
}

describe.each(pages)('%s', (page) => {
  const text = readPage(page);
  const commands = codeBlocks(text, 'console').flatMap(shownCommands);

  it('links only to what is there', () => {
    expect(
      localLinks(text)
        .map((link) => faultOf(page, link))
        .filter(Boolean),
    ).toEqual([]);
  });

  it('shows only objects that the API server would take', () => {
    const problems = codeBlocks(text, 'yaml').flatMap((block) =>
      parseAllDocuments(block).flatMap((document) => problemsOf(document)),
    );
    expect(problems).toEqual([]);
  });

  it('names only commands that there are', () => {
    expect(commands.map(({ command }) => commandFault(command)).filter(Boolean)).toEqual([]);
  });

  const offline = commands.filter(({ command }) => OFFLINE.test(command));
  if (offline.length === 0) return;
  it('shows what its commands print', async () => {
    for (const { command, output } of offline) {
      const printed = await shell(command);
      expect(trimmed(printed), command).toBe(trimmed(output));
    }
  });
});

/** What is wrong with a document of an example; only objects of ours are judged. */
function problemsOf(document: Pick<Document, 'errors' | 'toJS'>): readonly string[] {
  if (document.errors.length > 0) return document.errors.map(({ message }) => message);
  const object = document.toJS() as { readonly apiVersion?: string; readonly kind?: string } | null;
  if (object?.apiVersion?.startsWith('larder.dev/') !== true) return [];
  const definition = DEFINITIONS.find(({ kind }) => kind === object.kind);
  if (definition === undefined) return [`no kind ${String(object.kind)}`];
  return definition.schema.safeParse(withoutNulls(object)).error?.issues.map(({ message }) => message) ?? [];
}

/** Without blanks at the ends of lines: tables have them, pages do not. */
function trimmed(text: string): string {
  return text.replace(/ +$/gm, '').trim();
}

it('the page for contributors names only files that there are', () => {
  const named = [
    ...readPage('CONTRIBUTING.md').matchAll(/`(?<path>(?:src|test|config|docs|hack)\/[\w./-]*)`/g),
  ];
  expect(named.length).toBeGreaterThan(15);
  const lost = named
    .map(({ groups }) => groups?.['path'] ?? '')
    .filter((file) => !existsSync(join(ROOT, file)));
  expect(lost).toEqual([]);
});

/** Of other programs: kubectl, kubelets, kube-fledged. */
const FOREIGN_FLAGS = /^--(?:image-pull-deadline-duration|image-cache-refresh-frequency|help|all)$/;

it.each(['getting-started', 'operations', 'security', 'api'])(
  'docs/%s.md names only flags of larder run',
  (page) => {
    const named = [...readPage(`docs/${page}.md`).matchAll(/`(?<flag>--[a-z-]+)[^`]*`/g)].map(
      ({ groups }) => groups?.['flag'] ?? '',
    );
    const known = new Set(Object.values(FLAGS).map(({ name }) => `--${name}`));
    expect(named.filter((flag) => !known.has(flag) && !FOREIGN_FLAGS.test(flag))).toEqual([]);
  },
);

it('the index leads to every page', () => {
  const index = readPage('docs/README.md');
  const shelves = ['spec', 'grammars', 'design', 'runbooks'].map((shelf) => `docs/${shelf}/`);
  const shelved = pages.filter((page) => page.startsWith('docs/') && page !== 'docs/README.md');
  const unlisted = shelved
    .filter((page) => !shelves.some((shelf) => page.startsWith(shelf)))
    .filter((page) => !localLinks(index).includes(page.replace('docs/', '')));
  expect(unlisted).toEqual([]);
});

describe.each(DEFINITIONS)('the page of $kind', (definition) => {
  const page = readPage(`docs/spec/${PLURALS[definition.kind]}.md`);
  const { properties = {} } = rootSchema(definition);

  it('speaks of every condition of the kind', () => {
    expect(CONDITIONS[definition.kind].filter((type) => !page.includes(`\`${type}\``))).toEqual([]);
  });

  it.each(['spec', 'status'])('speaks of every field of its %s', (part) => {
    const fields = Object.keys(properties[part]?.properties ?? {});
    const missing = fields.filter((field) => !new RegExp(`\`(?:[\\w.[\\]]*\\.)?${field}\\b`).test(page));
    expect(missing).toEqual([]);
  });
});
