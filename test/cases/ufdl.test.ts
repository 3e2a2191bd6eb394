/**
 * The UFDL part of ufdl-pushsource-cases.json. The groups run over HTTP against the facade, in order within a group, each
 * group from the catalogue of 23 images; eligibility and the lookup of a generation are pure functions as well.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findGeneration, gpuFit, type HardwareNeeds } from '../../src/domain/hardware.ts';
import { RecordsApi } from '../support/records-api.ts';
import {
  check,
  type Expectation,
  expectationOf,
  premiseOf,
  type Received,
  type Step,
  send,
  writtenBodies,
} from '../support/ufdl-cases.ts';

const FOLDER = process.env['LARDER_CASES'] ?? join(import.meta.dirname, 'data');

interface EligibilityCase {
  readonly id: string;
  readonly image: {
    readonly cuda: string | null;
    readonly minDriver: string | null;
    readonly minCompute: number | null;
    readonly cpu: boolean;
  };
  readonly node: {
    readonly cuda: string | null;
    readonly driver: string | null;
    readonly gpus: Readonly<Record<string, number | null>> | null;
  };
  readonly ours: { readonly eligible: boolean; readonly reason: string | null };
}

interface HardwareRow {
  readonly pk: number;
  readonly generation: string;
  readonly min_compute_capability: number;
  readonly max_compute_capability: number;
}

type Rows = readonly (object & { readonly pk: number })[];

const text = readFileSync(join(FOLDER, 'ufdl-pushsource-cases.json'), 'utf8');
const bodies = writtenBodies(text);
const { ufdl } = JSON.parse(text) as {
  readonly ufdl: {
    readonly catalogue: Readonly<Record<string, Rows>> & {
      readonly hardware: readonly HardwareRow[];
      readonly dockerImages: Rows;
    };
    readonly groups: Readonly<Record<string, readonly Step[]>>;
    readonly eligibility: readonly EligibilityCase[];
  };
};

/** Path of each table of the catalogue. */
const TABLES: Readonly<Record<string, string>> = {
  cuda: 'cuda',
  hardware: 'hardware',
  frameworks: 'frameworks',
  domains: 'domains',
  jobContracts: 'job-contracts',
  licences: 'licences',
  dockerImages: 'docker',
};

async function startWithImages(): Promise<RecordsApi> {
  const facade = await RecordsApi.start();
  await facade.importImages(ufdl.catalogue.dockerImages);
  return facade;
}

function sender(facade: RecordsApi): (step: Step) => Promise<Received> {
  const { served } = facade;
  return (step) =>
    send(step, bodies.get(step.id), (role) =>
      role === 'anonymous'
        ? (path, init) => served.fetch(path, init)
        : (path, init) => served.fetchAs(role, path, init),
    );
}

describe('catalogue', () => {
  let facade: RecordsApi;
  beforeAll(async () => {
    facade = await startWithImages();
  });
  afterAll(() => facade[Symbol.asyncDispose]());

  test.each(Object.entries(ufdl.catalogue))('%s is served as it was there', async (table, rows) => {
    const path = TABLES[table] ?? '';
    const list = await facade.served.fetchAs('admin', `/v1/${path}/list`, { method: 'POST' });
    expect(await list.json()).toEqual(rows);
    const [first] = rows;
    const one = await facade.served.fetchAs('admin', `/v1/${path}/${first?.pk}/`);
    expect(await one.json()).toEqual(first);
  });
});

/** The catalogue is changed in its ConfigMap, whoever asks. */
const CATALOGUE_WRITE =
  /^\/v1\/(?<table>cuda|hardware|frameworks|domains|job-contracts|licences)\/(?:create|[0-9]+)\/?$/;
const LOOKUP = /\/get-hardware-generation\/(?<compute>[^/]+)\/?$/;

function isCatalogueWrite({ request }: Step): boolean {
  return request.role === 'admin' && request.method !== 'GET' && CATALOGUE_WRITE.test(request.path);
}

/** What a step must answer here, given the steps before it. */
class Group {
  /** Rows of hardware there: shipped, and created since. */
  readonly hardware: HardwareRow[] = [...ufdl.catalogue.hardware];
  /** Rows of the catalogue that the original took, changed or deleted, and we did not. */
  readonly #createdThere = new Set<string>();
  readonly #changedThere = new Set<string>();
  #lastPk = ufdl.catalogue.dockerImages.length;

  expectation(step: Step): Expectation {
    const { method, path } = step.request;
    if (isCatalogueWrite(step) && step.ours?.status === undefined) return { status: 405 };
    const bare = path.replace(/\/$/, '');
    if (method === 'GET' && this.#changedThere.has(bare))
      return { status: this.#createdThere.has(bare) ? 404 : 200 };
    const expected = expectationOf(step);
    if (bare === '/v1/docker/create' && expected.status === 201) return this.#created(expected);
    return bare.endsWith('/list') ? this.#withoutCreated(bare.slice(0, -'/list'.length), expected) : expected;
  }

  /** Numbers follow each other here as there; the address of the image is ours. */
  #created(expected: Expectation): Expectation {
    this.#lastPk += 1;
    const pk = this.#lastPk;
    return {
      status: expected.status,
      ...(expected.body !== undefined && { body: { ...expected.body, pk } }),
      bodySubset: { ...expected.bodySubset, pk },
      headers: { ...expected.headers, Location: `/v1/docker/${pk}` },
    };
  }

  #withoutCreated(table: string, { body, pks, ...expected }: Expectation): Expectation {
    const isOurs = (pk: number): boolean => !this.#createdThere.has(`${table}/${pk}`);
    const rows = Array.isArray(body)
      ? (body as readonly { readonly pk: number }[]).filter(({ pk }) => isOurs(pk))
      : body;
    return {
      ...expected,
      ...(body !== undefined && { body: rows }),
      ...(pks && { pks: pks.filter(isOurs) }),
    };
  }

  /** A row that the original took and we did not. */
  note(step: Step): void {
    const { path } = step.request;
    const table = CATALOGUE_WRITE.exec(path)?.groups?.['table'];
    if (!isCatalogueWrite(step) || step.observed.status >= 300 || table === undefined) return;
    if (step.observed.status !== 201) {
      this.#changedThere.add(path.replace(/\/$/, ''));
      return;
    }
    const row = step.observed.body as HardwareRow;
    this.#createdThere.add(`/v1/${table}/${row.pk}`);
    this.#changedThere.add(`/v1/${table}/${row.pk}`);
    if (table === 'hardware') this.hardware.push(row);
  }

  get isCatalogueChangedThere(): boolean {
    return this.#changedThere.size > 0;
  }
}

describe.each(Object.entries(ufdl.groups))('%s', (_, steps) => {
  const group = new Group();
  let facade: RecordsApi;
  let run: (step: Step) => Promise<Received>;
  beforeAll(async () => {
    facade = await startWithImages();
    run = sender(facade);
  });
  afterAll(() => facade[Symbol.asyncDispose]());

  test.each(steps.map((step) => [step.id, step] as const))('%s', async (_id, step) => {
    const compute = LOOKUP.exec(step.request.path)?.groups?.['compute'];
    if (compute !== undefined) lookUp(step, decodeURIComponent(compute), group.hardware);
    if (compute !== undefined && group.isCatalogueChangedThere) return;
    const premise = premiseOf(step);
    if (premise !== undefined) await establish(premise, step);
    check(await run(step), group.expectation(step), step);
    group.note(step);
  });

  /** Without the premise of the note the rule of the kind decides; with it, what the case says. */
  async function establish(
    { pk, cpu }: { readonly pk: number; readonly cpu: boolean },
    step: Step,
  ): Promise<void> {
    expect((await run(step)).status).toBe(400);
    const body = JSON.stringify({ cpu });
    const headers = { 'content-type': 'application/json' };
    const changed = await facade.served.fetchAs('admin', `/v1/docker/${pk}`, {
      method: 'PATCH',
      body,
      headers,
    });
    expect(changed.status).toBe(200);
  }
});

function lookUp({ observed }: Step, compute: string, hardware: readonly HardwareRow[]): void {
  const rows = hardware.map((row) => ({
    generation: row.generation,
    minComputeCapability: row.min_compute_capability,
    maxComputeCapability: row.max_compute_capability,
    row,
  }));
  const found = findGeneration(rows, compute);
  const detail = `Bad value for get_hardware_generation parameter 'compute': ${compute}, options: ${found.ok ? '' : found.error}`;
  expect(found.ok ? { status: 200, body: found.value.row } : { status: 400, body: { detail } }).toEqual(
    observed,
  );
}

describe('eligibility', () => {
  test.each(ufdl.eligibility.map((row) => [row.id, row] as const))('%s', (_, { image, node, ours }) => {
    const computes = Object.values(node.gpus ?? {}).filter((compute) => compute !== null);
    const gpus = {
      ...(node.cuda !== null && { cuda: node.cuda }),
      ...(node.driver !== null && { driver: node.driver }),
      computes: computes.map(String),
    };
    const fit = gpuFit(gpus, needsOf(image));
    expect({ eligible: fit.eligible, reason: fit.eligible ? null : fit.reason }).toEqual(ours);
  });
});

function needsOf({ cuda, minDriver, minCompute, cpu }: EligibilityCase['image']): HardwareNeeds {
  return {
    cpu,
    ...(cuda !== null && { cuda }),
    ...(minDriver !== null && { minDriver }),
    ...(minCompute !== null && { minCompute: String(minCompute) }),
  };
}
