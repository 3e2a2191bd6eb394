import { describe, expect, it } from 'vitest';
import type { ImageSource } from '../../../src/api/image-source.ts';
import type { HookSecret } from '../../../src/server/webhooks/authenticity.ts';
import { HookDirectory } from '../../../src/server/webhooks/hook-directory.ts';
import { imageSource } from '../../support/builders.ts';
import { FakeClock } from '../../support/fake-clock.ts';

interface World {
  readonly clock: FakeClock;
  readonly directory: HookDirectory;
  readonly secrets: Map<string, HookSecret>;
  readonly sources: ImageSource[];
  reads: number;
}

function source(
  name: string,
  spec: { readonly enabled?: boolean; readonly suspend?: boolean } = {},
): ImageSource {
  const { enabled = true, suspend = false } = spec;
  return imageSource({ metadata: { name }, spec: { suspend, webhook: { enabled } } });
}

function world(...sources: ImageSource[]): World {
  const clock = new FakeClock();
  const secrets = new Map(sources.map(({ metadata: { name } }) => [name, { token: `token-of-${name}` }]));
  const made: World = {
    clock,
    secrets,
    sources,
    reads: 0,
    directory: new HookDirectory({
      clock,
      sources: () => made.sources,
      readSecret: ({ metadata }) => {
        made.reads += 1;
        return Promise.resolve(secrets.get(metadata.name));
      },
    }),
  };
  return made;
}

async function names({ directory }: World, token: string): Promise<readonly string[]> {
  return (await directory.find(token)).map((hook) => hook.source.metadata.name);
}

describe('the directory of hooks', () => {
  it('finds a source by its token, and nothing by another', async () => {
    const made = world(source('lab'), source('other'));
    expect(await names(made, 'token-of-lab')).toEqual(['lab']);
    expect(await names(made, 'token-of-nobody')).toEqual([]);
    expect(await names(made, '')).toEqual([]);
    expect(made.reads).toBe(2);
  });

  it('finds all sources that share a Secret', async () => {
    const made = world(source('lab'), source('other'));
    made.secrets.set('other', { token: 'token-of-lab' });
    expect(await names(made, 'token-of-lab')).toEqual(['lab', 'other']);
  });

  it('knows no source that is disabled, suspended, or without a Secret', async () => {
    const made = world(source('off', { enabled: false }), source('idle', { suspend: true }), source('bare'));
    made.secrets.delete('bare');
    for (const name of ['off', 'idle', 'bare']) expect(await names(made, `token-of-${name}`)).toEqual([]);
  });

  it('forgets a source at once when it is deleted or disabled', async () => {
    const made = world(source('lab'));
    expect(await names(made, 'token-of-lab')).toEqual(['lab']);
    made.sources.length = 0;
    expect(await names(made, 'token-of-lab')).toEqual([]);
  });

  it('finds a source by the path in its status, which proves nothing', async () => {
    const made = world(source('lab'));
    const status = { webhookPath: '/hooks/0123' };
    made.sources.splice(0, 1, { ...source('lab'), status });
    const found = await made.directory.find('0123');
    expect(found.map(({ path }) => path)).toEqual(['Public']);
    expect((await made.directory.find('token-of-lab')).map(({ path }) => path)).toEqual(['Secret']);
  });

  it('takes a changed token after a minute, and a new one within seconds', async () => {
    const made = world(source('lab'));
    await made.directory.find('token-of-lab');
    made.secrets.set('lab', { token: 'changed' });
    await made.clock.advance(5_000);
    expect(await names(made, 'changed')).toEqual(['lab']);
    await made.clock.advance(60_000);
    expect(await names(made, 'token-of-lab')).toEqual([]);
  });

  it('reads little however many unknown tokens are tried', async () => {
    const made = world(source('lab'));
    for (let n = 0; n < 1_000; n += 1) {
      await made.directory.find(`guess-${n}`);
      await made.clock.advance(10);
    }
    expect(made.reads).toBeLessThanOrEqual(4);
  });

  it('reads no more for unknown tokens where there are many sources', async () => {
    const made = world(...Array.from({ length: 400 }, (_, index) => source(`s${index}`)));
    for (let second = 0; second < 55; second += 1) {
      await made.directory.find(`guess-${second}`);
      await made.clock.advance(1_000);
    }
    expect(made.reads).toBeLessThanOrEqual(400 * 3);
  });

  it('asks once for many that come together', async () => {
    const made = world(source('lab'));
    await Promise.all(Array.from({ length: 50 }, () => made.directory.find('token-of-lab')));
    expect(made.reads).toBe(1);
  });
});
