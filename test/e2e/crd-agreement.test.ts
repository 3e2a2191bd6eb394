/** zod and the API server give the same answer to random objects; a disagreement is a rule that one of them lacks. */
import fc from 'fast-check';
import { RE2JS } from 're2js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Cluster } from '../../hack/dev-cluster/cluster.ts';
import { DEFINITIONS } from '../../src/api/crd.ts';
import { API_VERSION, type Kind, PLURALS } from '../../src/api/group-version.ts';
import { withoutNulls } from '../../src/api/parse.ts';
import { FULL_OBJECTS } from '../support/full-objects.ts';
import { type Json, valueAt, withValue } from '../support/json-paths.ts';
import { mutated } from '../support/mutations.ts';
import { type Answer, RawApi, refusalOf } from '../support/raw-api.ts';

/** Objects per kind and part; LARDER_SEED repeats a run. */
const RUNS = Number(process.env['LARDER_RUNS'] ?? 300);
const seed = process.env['LARDER_SEED'];
const parameters = { numRuns: RUNS, ...(seed !== undefined && { seed: Number(seed) }) };

let cluster: Cluster;
let api: RawApi;

beforeAll(async () => {
  cluster = await Cluster.start();
  await cluster.kubectl(['apply', '--server-side', '-k', 'crds']);
  const names = DEFINITIONS.map(({ kind }) => `crd/${PLURALS[kind]}.larder.dev`);
  await cluster.kubectl(['wait', '--for=condition=Established', '--timeout=60s', ...names]);
  api = new RawApi(cluster.kubeconfigFile);
});

afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await cluster.stop();
});

function urlOf(kind: Kind): string {
  return `/apis/${API_VERSION}/namespaces/default/${PLURALS[kind]}`;
}

/** The patterns of an accepted object: the one thing that only an engine can judge. */
function patternsOf(object: Json): readonly Json[] {
  const tags = (name: string): readonly Json[] =>
    (valueAt(object, ['spec', 'tags', name]) ?? []) as readonly Json[];
  const rules = (valueAt(object, ['spec', 'select']) ?? []) as readonly Json[];
  const patterns = rules.map((rule) => valueAt(rule, ['pattern']) ?? '');
  return [...tags('include'), ...tags('exclude'), ...patterns];
}

function isPattern(pattern: Json): boolean {
  try {
    RE2JS.compile(pattern as string);
    return true;
  } catch {
    return false;
  }
}

describe.each(DEFINITIONS)('$kind', ({ kind, schema }) => {
  const full = FULL_OBJECTS[kind];
  let accepted = 0;

  function zodAccepts(object: Json): boolean {
    const parsed = schema.safeParse(withoutNulls(object));
    if (!parsed.success) return false;
    return kind !== 'ImageSource' || patternsOf(parsed.data as Json).every(isPattern);
  }

  async function agree(object: Json, answer: Promise<Answer>): Promise<void> {
    const { status, body } = await answer;
    const zod = schema.safeParse(withoutNulls(object));
    if (status < 300) accepted += 1;
    expect(
      status < 300,
      `server: ${refusalOf({ status, body })}\nzod: ${zod.error?.message ?? 'accepted'}`,
    ).toBe(zodAccepts(object));
  }

  test(`agree about ${RUNS} specs`, async () => {
    accepted = 0;
    const property = fc.asyncProperty(mutated(withValue(full, ['status'], undefined), 'spec'), (object) =>
      agree(object, api.send('POST', `${urlOf(kind)}?dryRun=All`, object)),
    );
    await fc.assert(property, parameters);
    expect(accepted / RUNS).toBeGreaterThan(0.05);
  });

  test(`agree about ${RUNS} statuses`, async () => {
    await api.send('POST', urlOf(kind), full);
    const stored = (await api.send('GET', `${urlOf(kind)}/full`)).body as Json;
    accepted = 0;
    const property = fc.asyncProperty(mutated(full, 'status'), (object) => {
      const changed = withValue(stored, ['status'], valueAt(object, ['status']) ?? {});
      return agree(object, api.send('PUT', `${urlOf(kind)}/full/status?dryRun=All`, changed));
    });
    await fc.assert(property, parameters);
    expect(accepted / RUNS).toBeGreaterThan(0.05);
  });
});
