/** 200 nodes × 50 images in a browser: how long it takes, and how much it is. */

import { performance } from 'node:perf_hooks';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { Authorizer } from '../../src/server/authorize.ts';
import { dashboardRoutes } from '../../src/server/dashboard/routes.ts';
import { ClusterFake, stockedImage } from '../server/dashboard/cluster-fake.ts';
import { findBarriers, findChromium, openBrowser, openPage, takeScreenshot } from '../support/browser.ts';
import { FakeReviews, ServedGroups } from '../support/http-server.ts';
import { nodeFacts } from '../support/stock-builders.ts';

const NODES = 200;
const IMAGES = 50;

/** Every tenth pair is missing; lists as long as the status allows. */
function largeCluster(): ClusterFake {
  const cluster = new ClusterFake();
  const nodes = Array.from({ length: NODES }, (_, index) =>
    nodeFacts(`node-${index + 1}`, { labels: { pool: `pool-${Math.floor(index / 25)}` } }),
  );
  const images = Array.from({ length: IMAGES }, (_, image) => {
    const lacking = nodes.filter((_node, index) => (index * 7 + image) % 10 === 0);
    const states = ['Failed', 'Waiting', 'Pulling'] as const;
    return stockedImage(`w_2026_${String(image + 1).padStart(2, '0')}`, (image % 16).toString(16), {
      presentOn: nodes.filter((node) => !lacking.includes(node)).map(({ name }) => name),
      notPresent: lacking.map(({ name }, index) => ({
        node: name,
        state: states[index % states.length] ?? 'Waiting',
        reason: 'Queued',
        message: 'The turn of this image on the node has not come',
      })),
    });
  });
  cluster.put({ nodes, images });
  return cluster;
}

describe.skipIf(findChromium() === undefined)(`${NODES} nodes × ${IMAGES} images`, () => {
  let server: ServedGroups;
  let browser: Browser;

  beforeAll(async () => {
    const authorizer = new Authorizer({
      reviews: new FakeReviews(),
      clock: systemClock,
      anonymousRead: true,
    });
    const events = { list: () => Promise.resolve([]) };
    const ports = { cluster: largeCluster(), authorizer, clock: systemClock, events };
    server = await ServedGroups.start({ groups: [dashboardRoutes(ports)] });
    browser = await openBrowser();
  });

  afterAll(async () => {
    await browser.close();
    await server[Symbol.asyncDispose]();
  });

  it.each([
    ['grouped', '/matrix', 9],
    ['every node', '/matrix?all=1', 209],
  ])('%s is served and shown quickly', async (name, path, rows) => {
    const times: number[] = [];
    let text = '';
    for (let round = 0; round < 20; round += 1) {
      const started = performance.now();
      text = await (await server.fetch(path)).text();
      times.push(performance.now() - started);
    }
    const median = times.toSorted((left, right) => left - right)[10] ?? 0;
    const gzipped = await server.fetch(path, { headers: { 'accept-encoding': 'gzip' } });
    const sent = Number(gzipped.headers.get('content-length'));
    await using watched = await openPage(browser);
    const { page } = watched;
    await page.goto(server.url + path);
    expect(await page.locator('table.matrix tr').count()).toBe(rows);
    const shown = await page.evaluate<number>('performance.getEntriesByType("navigation")[0].domComplete');
    await takeScreenshot(page, `large matrix ${name}`);
    process.stdout.write(
      `matrix ${NODES}×${IMAGES}, ${name}: served in ${median.toFixed(0)} ms, ${(text.length / 1024).toFixed(0)} KB, ` +
        `${(sent / 1024).toFixed(0)} KB gzip, shown after ${shown.toFixed(0)} ms\n`,
    );
    expect(median).toBeLessThan(500);
    expect(sent).toBeLessThan(100_000);
  });

  it('stays readable: no barriers, heads in sight, within the width', async () => {
    await using watched = await openPage(browser);
    const { page } = watched;
    await page.goto(`${server.url}/matrix`);
    expect(await findBarriers(page)).toEqual([]);
    const head = await page.getByRole('columnheader', { name: 'w_2026_50' }).boundingBox();
    expect(head?.height).toBeGreaterThan(50);
    // All 50 columns without scrolling.
    const overflow = await page.evaluate<number>(
      'document.querySelector(".scroll").scrollWidth - document.querySelector(".scroll").clientWidth',
    );
    expect(overflow).toBeLessThanOrEqual(0);
  });
});
