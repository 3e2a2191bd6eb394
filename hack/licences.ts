/** The licences of what a bundle holds: which packages are in it, under which licence, with the text. */

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface BundledPackage {
  readonly name: string;
  readonly version: string;
  /** SPDX expression. */
  readonly licence: string;
  /** Of the file LICENSE or LICENCE; empty if the package has none. */
  readonly text: string;
}

/** Folder of the innermost package that a path belongs to; undefined for files of our own. */
export function packageFolder(path: string): string | undefined {
  return /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1];
}

/**
 * The packages that gave at least one byte to a bundle, by name. `inputs` is bytes by path, as `bundle` returns it.
 * @throws Error if a package states no licence
 */
export async function bundledPackages(
  root: string,
  inputs: ReadonlyMap<string, number>,
): Promise<readonly BundledPackage[]> {
  const used = [...inputs].filter(([, bytes]) => bytes > 0).map(([path]) => packageFolder(path));
  const folders = [...new Set(used.filter((folder) => folder !== undefined))];
  const packages = await Promise.all(folders.map((folder) => readPackage(join(root, folder))));
  return packages.sort((a, b) => `${a.name}@${a.version}`.localeCompare(`${b.name}@${b.version}`, 'en'));
}

async function readPackage(folder: string): Promise<BundledPackage> {
  const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as {
    readonly name: string;
    readonly version: string;
    readonly license?: string;
  };
  const { name, version, license: licence } = manifest;
  if (licence === undefined) throw new Error(`${name}@${version} states no licence`);
  const file = (await readdir(folder)).find((entry) => /^licen[cs]e(?:\.(?:md|txt))?$/i.test(entry));
  const text = file === undefined ? '' : (await readFile(join(folder, file), 'utf8')).trim();
  return { name, version, licence, text };
}

/** The list for people: a table, then the texts. Same packages, same bytes. */
export function licenceList(packages: readonly BundledPackage[]): string {
  const lines = packages.map(({ name, version, licence }) => `${name} ${version}: ${licence}`);
  const texts = packages
    .filter(({ text }) => text !== '')
    .map(({ name, version, text }) => `${'='.repeat(80)}\n${name} ${version}\n\n${text}`);
  return `Third-party packages in larder.js\n\n${lines.join('\n')}\n\n${texts.join('\n\n')}\n`;
}
