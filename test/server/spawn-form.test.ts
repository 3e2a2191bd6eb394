/** A Nublado-style client: JupyterHub's form from our menu, and what it spawns from our answers. */

import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { imageSource } from '../support/builders.ts';
import { readCaseFile } from '../support/case-tally.ts';
import type { ServedGroups } from '../support/http-server.ts';
import { nodeOf, runService, type ServiceCase } from '../support/nublado-service.ts';
import { ReadingWorld, serveWorld } from '../support/reading-world.ts';
import { chosenReference, SpawnForm } from '../support/spawn-form.ts';

interface Row extends ServiceCase {
  readonly menu: readonly { readonly reference: string; readonly name: string }[];
  readonly dropdown: readonly { readonly reference: string }[];
  readonly advised?: Partial<Pick<Row, 'menu' | 'dropdown'>>;
}

const { spawnerImages } = readCaseFile('nublado-cases.json') as { readonly spawnerImages: readonly Row[] };
const CASES = spawnerImages.map((row) => [row.id, { ...row, ...row.advised }] as const);

async function serve(row: Row): Promise<ServedGroups> {
  const world = new ReadingWorld();
  const images = runService({ ...row, nodes: [] });
  const { registry, repository } = images.selection.spec.image;
  const nodes = { tolerations: [...row.tolerations] };
  world.setSources(imageSource({ spec: { image: `${registry}/${repository}`, prepull: { nodes } } }));
  world.setNodes(...row.nodes.map(nodeOf));
  world.listings.set('default/lab', { images, origin: 'Scan' });
  return serveWorld(world, { clock: { ...systemClock, now: () => Date.parse(row.now) } });
}

async function formOf(served: ServedGroups): Promise<SpawnForm> {
  return new SpawnForm(await (await served.fetch('/v1/sources/default/lab/menu')).json());
}

describe('the spawn form', () => {
  it.each(CASES)('shows the menu and the dropdown of %s', async (_id, row) => {
    await using served = await serve(row);
    const html = (await formOf(served)).render();
    const values = (pattern: RegExp) => [...html.matchAll(pattern)].map(([, value]) => value);
    expect(values(/name="image_list" value="([^"]+)"/g)).toEqual([
      ...row.menu.map(({ reference }) => reference),
      'use_image_from_dropdown',
    ]);
    expect(values(/<option value="([^"]+)"/g)).toEqual(row.dropdown.map(({ reference }) => reference));
    expect(html.match(/checked="checked"/g)).toHaveLength(1);
  });

  it.each(CASES)('spawns the image that it named in %s', async (_id, row) => {
    await using served = await serve(row);
    const asked = chosenReference((await formOf(served)).untouched());
    if (asked === '') return;
    const answer = await served.fetch(`/v1/resolve?reference=${encodeURIComponent(asked)}`);
    const image = (await answer.json()) as Readonly<Record<'tag' | 'digest', string>> & {
      readonly aliases: readonly string[];
    };
    const [named = '', digest = null] = asked.split('@');
    expect(image.digest).toBe(digest);
    // A known digest wins over the tag: the answer is its primary image, which knows the name that was asked for.
    expect([image.tag, ...image.aliases]).toContain(named.slice(named.lastIndexOf(':') + 1));
  });
});
