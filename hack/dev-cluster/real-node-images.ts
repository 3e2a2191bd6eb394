/** Images that a real node can pull and unpack, made without a build tool. */

import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { ImageContent } from './image-writer.ts';

const BUSYBOX_PATHS = ['/bin/busybox', '/usr/bin/busybox'];
const MIB = 1024 * 1024;

export interface BusyboxOptions {
  readonly entrypoint?: readonly string[];
}

/** A static busybox with `sh`, `true` and `sleep`: the smallest image in which a command runs. */
export async function busyboxImage(options: BusyboxOptions = {}): Promise<ImageContent> {
  const busybox = await readFirst(BUSYBOX_PATHS);
  const commands = ['sh', 'true', 'sleep'].map((name) => ({ path: `bin/${name}`, linkTo: 'busybox' }));
  return {
    seed: 'busybox',
    layers: [[{ path: 'bin/busybox', content: busybox, mode: 0o755 }, ...commands]],
    config: { Entrypoint: options.entrypoint ?? ['/bin/sh'], Env: ['PATH=/bin'] },
  };
}

/** Layers of random bytes, which nothing can compress: `mebibytes` each. */
export function randomImage(seed: string, mebibytes: readonly number[]): ImageContent {
  const layers = mebibytes.map((size, index) => [
    { path: `data/${seed}-${index}`, content: randomBytes(size * MIB) },
  ]);
  return { seed, layers };
}

async function readFirst(paths: readonly string[]): Promise<Buffer> {
  for (const path of paths) {
    const content = await readFile(path).catch(() => undefined);
    if (content !== undefined) return content;
  }
  throw new Error(`no static busybox at ${paths.join(' or ')}`);
}
