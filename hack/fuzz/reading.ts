/**
 * Fuzzes the reading routes with schemathesis against the document they serve: nothing may answer 5xx, and every
 * answer must be as the document says.
 *
 *   node hack/fuzz/reading.ts [seconds, default 60] [seed]
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { imageSource, prepulledImage } from '../../test/support/builders.ts';
import { caller, FakeReviews } from '../../test/support/http-server.ts';
import { nodeOf, runService, type ServiceCase } from '../../test/support/nublado-service.ts';
import { ReadingWorld, serveWorld } from '../../test/support/reading-world.ts';
import { CHECKS, fuzz, installSchemathesis, reportBroken } from './schemathesis.ts';

const TOKEN = 'token-of-admin';
const CASES = join(import.meta.dirname, '../../test/cases/data/nublado-cases.json');
const REPORTS = join(import.meta.dirname, '../../reports/fuzz-reading');

/** Whoever has the token may read everything. */
class AllAllowed extends FakeReviews {
  override reviewAccess(): Promise<boolean> {
    return Promise.resolve(true);
  }
}

function fullWorld(): ReadingWorld {
  const { spawnerImages } = JSON.parse(readFileSync(CASES, 'utf8')) as {
    readonly spawnerImages: readonly ServiceCase[];
  };
  const [row] = spawnerImages;
  if (row === undefined) throw new Error('there are no cases');
  const world = new ReadingWorld();
  world.setSources(imageSource({ spec: { image: 'lighthouse.ceres/library/sketchbook', prepull: {} } }));
  world.setImages(prepulledImage());
  world.setNodes(...row.nodes.map(nodeOf));
  world.listings.set('default/lab', { images: runService({ ...row, nodes: [] }), origin: 'Scan' });
  return world;
}

const [seconds = '60', seed = '1'] = process.argv.slice(2);
const program = await installSchemathesis();
const reviews = new AllAllowed();
reviews.tokens.set(TOKEN, caller('admin'));
await using served = await serveWorld(fullWorld(), { anonymousRead: false, reviews });
const { url } = served;
process.exitCode = await fuzz(program, {
  folder: REPORTS,
  document: `${url}/openapi.json`,
  url,
  token: TOKEN,
  checks: CHECKS,
  seconds: Number(seconds),
  seed,
});
reportBroken(served.log);
