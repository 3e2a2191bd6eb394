/** Whatever people do to records in whatever order, with conflicts and restarts in between: the promises hold. */

import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { DockerImageRecord } from '../../../src/api/docker-image-record.ts';
import { prepulledImage } from '../../support/builders.ts';
import { PREPULLED_IMAGES } from '../fixtures.ts';
import { RECORDS, RecordWorld } from './record-world.ts';

const NAMES = ['a', 'b', 'c'] as const;
type Name = (typeof NAMES)[number];

/** What a person writes into the label of a record. */
const FORGED = 2;

type Step =
  | { readonly kind: 'put'; readonly name: Name; readonly version: string; readonly orphan: boolean }
  | {
      readonly kind: 'erase' | 'refer' | 'release' | 'reconcile' | 'conflict' | 'relabel';
      readonly name: Name;
    }
  | { readonly kind: 'restart' };

const name = fc.constantFrom(...NAMES);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('put' as const),
      name,
      version: fc.constantFrom('1', '2'),
      orphan: fc.boolean(),
    }),
  },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('reconcile' as const), name }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'erase' as const,
        'refer' as const,
        'release' as const,
        'conflict' as const,
        'relabel' as const,
      ),
      name,
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'restart' as const }) },
);

/** The world with what a test must remember of it: every key that any record ever had. */
class Play {
  readonly world: RecordWorld;
  readonly #keys = new Map<number, string>();
  readonly #forged = new Set<string>();
  #births = 0;

  constructor(world: RecordWorld) {
    this.world = world;
  }

  async play(each: Step): Promise<void> {
    switch (each.kind) {
      case 'put':
        this.#put(each);
        break;
      case 'restart':
        await this.world.restart();
        break;
      case 'conflict':
        this.world.server.refuseStatus();
        await this.#pass(each.name);
        this.world.server.clearFaults();
        break;
      case 'reconcile':
        await this.#pass(each.name);
        break;
      case 'erase':
      case 'refer':
      case 'release':
      case 'relabel':
        this.#touch(each.kind, each.name);
    }
    this.#check();
  }

  /** Everything is looked at until nothing changes any more. */
  async settle(): Promise<void> {
    for (let round = 0; round < 4; round += 1) for (const each of NAMES) await this.#pass(each);
    this.#check();
  }

  #put({ name: recordName, version, orphan }: Step & { readonly kind: 'put' }): void {
    const isNew = this.world.find(recordName) === undefined;
    if (isNew) this.#births += 1;
    const creationTimestamp = `2026-01-01T00:00:${String(this.#births).padStart(2, '0')}Z`;
    const born = isNew ? { uid: `uid-${this.#births}`, creationTimestamp } : {};
    const spec = {
      name: 'same',
      version,
      deletionPolicy: orphan ? ('Orphan' as const) : ('Protect' as const),
    };
    this.world.put(recordName, spec, born);
  }

  #touch(kind: 'erase' | 'refer' | 'release' | 'relabel', recordName: Name): void {
    const { server } = this.world;
    const record = this.world.find(recordName);
    if (kind === 'refer') {
      const metadata = { name: `of-${recordName}`, creationTimestamp: '2026-01-01T00:00:00Z' };
      server.store.put(
        PREPULLED_IMAGES,
        prepulledImage({ metadata, spec: { recordRef: { name: recordName } } }),
      );
    } else if (kind === 'release') {
      if (this.#isReferred(recordName)) server.store.delete(PREPULLED_IMAGES, `default/of-${recordName}`);
    } else if (record !== undefined && kind === 'erase') {
      const mayGo = record.metadata.finalizers === undefined || record.metadata.finalizers.length === 0;
      this.world.erase(recordName);
      expect(this.world.find(recordName) === undefined).toBe(mayGo);
    } else if (record !== undefined) {
      const { metadata, ...rest } = record;
      const labels = { ...metadata.labels, 'larder.dev/pk': String(FORGED) };
      this.#forged.add(metadata.uid ?? '');
      server.store.put(RECORDS, { ...rest, metadata: { ...metadata, labels } });
    }
  }

  #isReferred(recordName: string): boolean {
    return this.world.server.store.find(PREPULLED_IMAGES, `default/of-${recordName}`) !== undefined;
  }

  /** A pass may meet a conflict; what it must never do is let a held record go. */
  async #pass(recordName: Name): Promise<void> {
    const before = this.world.find(recordName);
    const isHeld = before?.spec.deletionPolicy === 'Protect' && this.#isReferred(recordName);
    await this.world.reconcile(recordName).catch((error: unknown) => {
      expect(error).toMatchObject({ reason: 'Conflict' });
    });
    if (isHeld) expect(this.world.find(recordName)).toBeDefined();
  }

  #check(): void {
    const living = NAMES.flatMap((each) => this.world.find(each)?.status?.pk ?? []);
    expect(new Set(living).size).toBe(living.length);
    for (const each of NAMES) {
      const record = this.world.find(each);
      const pk = record?.status?.pk;
      if (record === undefined || pk === undefined) continue;
      const uid = record.metadata.uid ?? '';
      // A number that somebody writes into the label of a new record is taken for a restored one.
      if (!(pk === FORGED && this.#forged.has(uid))) expect(this.#keys.get(pk) ?? uid).toBe(uid);
      this.#keys.set(pk, uid);
    }
  }
}

function accepted({ status }: DockerImageRecord): string | undefined {
  const found = status?.conditions?.find(({ type }) => type === 'Accepted');
  return found?.status === 'True' ? 'True' : found?.reason;
}

/** Exactly one of equal names is served, with its key in status and label; but for keys that somebody forged. */
function checkServed(equal: readonly DockerImageRecord[]): void {
  const living = equal.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  if (living.length === 0 || living.length < equal.length) return;
  const served = living.filter((record) => accepted(record) === 'True');
  const forged = living.filter((record) => accepted(record) === 'DuplicatePK');
  expect(served).toHaveLength(forged.length === 0 ? 1 : 0);
  for (const { metadata, status } of served) {
    expect(status?.pk).toBeGreaterThan(0);
    expect(metadata.labels?.['larder.dev/pk']).toBe(String(status?.pk));
  }
}

/** Asked to go, and nothing in the way. */
function mayGo({ server }: RecordWorld, { metadata, spec }: DockerImageRecord): boolean {
  const isReferred = server.store.find(PREPULLED_IMAGES, `default/of-${metadata.name}`) !== undefined;
  return metadata.deletionTimestamp !== undefined && (spec.deletionPolicy === 'Orphan' || !isReferred);
}

it('no key is given twice, no held record goes, and of equal names one is served', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
      await using world = await RecordWorld.start();
      world.server.store.delete(RECORDS, 'default/yolo');
      const play = new Play(world);
      for (const each of steps) await play.play(each);
      await play.settle();
      const records = NAMES.flatMap((each) => world.find(each) ?? []);
      for (const version of ['1', '2']) checkServed(records.filter(({ spec }) => spec.version === version));
      expect(records.filter((record) => mayGo(world, record))).toEqual([]);
    }),
    { numRuns: 40 },
  );
}, 120_000);
