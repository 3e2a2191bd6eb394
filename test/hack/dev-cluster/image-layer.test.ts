/** Layers are archives that tar itself reads back. */

import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { buildLayer } from '../../../hack/dev-cluster/image-layer.ts';

it('is a tar archive with files, modes and links', () => {
  const layer = buildLayer([
    { path: 'bin/tool', content: Buffer.from('x'.repeat(513)), mode: 0o755 },
    { path: 'bin/alias', linkTo: 'tool' },
    { path: 'empty' },
  ]);
  const list = execFileSync('tar', ['-tvf', '-'], { input: layer, encoding: 'utf8' }).trim().split('\n');
  expect(
    list.map((line) => line.split(/\s+/)).map(([mode, , size, , , ...name]) => [mode, size, name.join(' ')]),
  ).toEqual([
    ['-rwxr-xr-x', '513', 'bin/tool'],
    ['lrw-r--r--', '0', 'bin/alias -> tool'],
    ['-rw-r--r--', '0', 'empty'],
  ]);
});

it('has no content but two empty blocks without files', () => {
  expect(buildLayer([])).toEqual(Buffer.alloc(1_024));
});

it('has the same bytes for the same files', () => {
  const files = [{ path: 'a', content: Buffer.from('1') }];
  expect(buildLayer(files)).toEqual(buildLayer(files));
});
