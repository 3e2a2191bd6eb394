/**
 * Random repositories on a real registry, read by Larder, skopeo and crane: same tags, digests and platforms.
 *
 * LARDER_DIFFERENTIAL sets how many (default 8; the acceptance run takes 1,000). Skipped where a program is missing.
 */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatPlatform, normalisePlatform, type Platform } from '../../src/domain/platform.ts';
import { sha256 } from '../support/fake-registry.ts';
import { pushShape, type RepositoryShape, repositoryShape } from '../support/registry-content.ts';
import { Distribution, findExecutable, Pusher } from '../support/registry-real.ts';
import { openSession } from '../support/registry-session.ts';

const DISTRIBUTION = findExecutable('registry', 'LARDER_DISTRIBUTION');
const SKOPEO = findExecutable('skopeo', 'SKOPEO');
const CRANE = findExecutable('crane', 'CRANE');
const RUNS = Number(process.env['LARDER_DIFFERENTIAL'] ?? 8);
const TIMEOUT_MS = 60_000 + RUNS * 3_000;
const execute = promisify(execFile);

const missing = Object.entries({ registry: DISTRIBUTION, skopeo: SKOPEO, crane: CRANE }).flatMap(
  ([name, path]) => (path === undefined ? [name] : []),
);
if (missing.length > 0) process.stdout.write(`skipped: differential run without ${missing.join(', ')}\n`);

/** What a program says of one tag. */
interface Seen {
  readonly digest: string;
  readonly platforms: readonly string[];
}

describe.skipIf(missing.length > 0)('Larder, skopeo and crane', () => {
  let distribution: Distribution;
  let host: string;

  beforeAll(async () => {
    distribution = new Distribution(DISTRIBUTION ?? '');
    host = await distribution.start();
  }, 30_000);

  afterAll(async () => {
    await distribution[Symbol.asyncDispose]();
    // A thousand repositories are many files to remove.
  }, 120_000);

  it(
    'agree',
    async () => {
      let count = 0;
      const check = async (shape: RepositoryShape): Promise<void> => {
        const repository = `random/app-${count++}`;
        const pushed = await push(host, repository, shape);
        const [tag = ''] = Object.keys(shape);
        const reference = `${host}/${repository}`;
        const [larder, skopeo, crane] = await Promise.all([
          readByLarder(host, repository, tag),
          readByCommands(
            [SKOPEO ?? '', 'list-tags', '--tls-verify=false', `docker://${reference}`],
            [SKOPEO ?? '', 'inspect', '--raw', '--tls-verify=false', `docker://${reference}:${tag}`],
          ),
          readByCommands(
            [CRANE ?? '', 'ls', '--insecure', reference],
            [CRANE ?? '', 'manifest', '--insecure', `${reference}:${tag}`],
          ),
        ]);
        expect(larder.tags).toEqual(Object.keys(shape).sort());
        expect(larder.tags).toEqual(skopeo.tags);
        expect(larder.tags).toEqual(crane.tags);
        expect(larder.seen.digest).toBe(pushed.get(tag));
        for (const other of [skopeo.seen, crane.seen]) {
          expect(larder.seen.digest).toBe(other.digest);
          if (other.platforms.length > 0) expect(larder.seen.platforms).toEqual(other.platforms);
        }
      };
      await fc.assert(fc.asyncProperty(repositoryShape, check), { numRuns: RUNS, endOnFailure: true });
      process.stdout.write(`differential: ${count} repositories agree\n`);
    },
    TIMEOUT_MS,
  );
});

async function push(
  host: string,
  repository: string,
  shape: RepositoryShape,
): Promise<ReadonlyMap<string, string>> {
  const pusher = new Pusher(host, repository);
  const digests = new Map<string, string>();
  for (const [tag, image] of Object.entries(shape)) digests.set(tag, await pushShape(pusher, tag, image));
  return digests;
}

async function readByLarder(
  registry: string,
  repository: string,
  tag: string,
): Promise<{ tags: readonly string[]; seen: Seen }> {
  await using session = openSession({}, { budget: { perSecond: 1e6, burst: 1e6 } });
  const reference = { registry, repository, tag };
  const { tags } = await session.client.collectTags(reference, session.access, session);
  const image = await session.client.resolve(reference, session.access, session);
  return {
    tags: [...tags].sort(),
    seen: { digest: image.digest, platforms: image.platforms.map(formatPlatform) },
  };
}

async function readByCommands(
  list: readonly [string, ...string[]],
  manifest: readonly [string, ...string[]],
): Promise<{ tags: readonly string[]; seen: Seen }> {
  const [listed, raw] = await Promise.all([run(list), run(manifest)]);
  const isJSON = listed.trimStart().startsWith('{');
  const tags = isJSON ? (JSON.parse(listed) as { Tags: string[] }).Tags : listed.trim().split('\n');
  return { tags: [...tags].sort(), seen: describeManifest(raw) };
}

async function run([program, ...args]: readonly [string, ...string[]]): Promise<string> {
  return (await execute(program, args)).stdout;
}

/** The digest of the raw manifest; crane ends its output with a line break of its own. */
function describeManifest(output: string): Seen {
  const raw = output.replace(/\n$/, '');
  const { manifests = [] } = JSON.parse(raw) as { manifests?: { platform: Platform }[] };
  const runnable = manifests.filter(({ platform }) => platform.os !== 'unknown');
  return {
    digest: sha256(raw),
    platforms: runnable.map(({ platform }) => formatPlatform(normalisePlatform(platform))),
  };
}
