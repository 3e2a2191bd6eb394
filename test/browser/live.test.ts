/** The stream of an open page: what the page does when it is refused, and when its object goes. */

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { Authorizer } from '../../src/server/authorize.ts';
import { dashboardRoutes } from '../../src/server/dashboard/routes.ts';
import { ClusterFake } from '../server/dashboard/cluster-fake.ts';
import { findChromium, openBrowser, openPage } from '../support/browser.ts';
import { imageSource } from '../support/builders.ts';
import { FakeReviews, ServedGroups } from '../support/http-server.ts';
import { nodeFacts } from '../support/stock-builders.ts';

const STREAM = /\/live\?/;
const STEP_MS = 250;

describe.skipIf(findChromium() === undefined)('an open page', () => {
  let cluster: ClusterFake;
  let server: ServedGroups;
  let browser: Browser;

  beforeAll(async () => {
    browser = await openBrowser();
    cluster = new ClusterFake();
    const reviews = new FakeReviews();
    const authorizer = new Authorizer({ reviews, clock: systemClock, anonymousRead: true });
    const events = { list: () => Promise.resolve([]) };
    const ports = { cluster, authorizer, clock: systemClock, events };
    server = await ServedGroups.start({ groups: [dashboardRoutes(ports)] });
  });

  afterAll(async () => {
    await browser.close();
    await server[Symbol.asyncDispose]();
  });

  beforeEach(() => {
    cluster.put({ sources: [imageSource()], nodes: [nodeFacts('node-1')], images: [] });
  });

  it('asks again when its stream was refused, and shows what has happened since', async () => {
    await using watched = await openPage(browser);
    const { page } = watched;
    let asked = 0;
    await page.route(STREAM, async (route) => {
      asked += 1;
      await (asked === 1 ? route.fulfill({ status: 503 }) : route.continue());
    });
    await page.goto(`${server.url}/nodes`);
    await page.getByRole('status').getByText('Not connected').waitFor();
    cluster.put({ nodes: [nodeFacts('node-1'), nodeFacts('node-2')] });
    await page.getByRole('status').getByText('Live').waitFor();
    await page.getByRole('link', { name: 'node-2' }).first().waitFor();
    expect(asked).toBe(2);
  });

  it('waits longer each time it is refused', async () => {
    await using watched = await openPage(browser);
    const { page } = watched;
    await page.clock.install();
    let asked = 0;
    await page.route(STREAM, async (route) => {
      asked += 1;
      await route.fulfill({ status: 503 });
    });
    await page.goto(`${server.url}/nodes`);
    await page.getByRole('status').getByText('Not connected').waitFor();
    for (const [index, pauseMs] of [2_000, 4_000, 8_000].entries()) {
      let waitedMs = 0;
      for (; asked === index + 1; waitedMs += STEP_MS) await page.clock.runFor(STEP_MS);
      expect(waitedMs).toBeGreaterThanOrEqual(pauseMs);
    }
  });

  it('asks no more once its object is gone', async () => {
    await using watched = await openPage(browser);
    const { page } = watched;
    let asked = 0;
    await page.route(STREAM, async (route) => {
      asked += 1;
      await route.continue();
    });
    await page.goto(`${server.url}/sources/default/lab`);
    await page.getByRole('status').getByText('Live').waitFor();
    await page.clock.install();
    cluster.put({ sources: [] });
    await page.getByRole('status').getByText('This page no longer exists').waitFor();
    await page.clock.runFor(120_000);
    expect(asked).toBe(1);
  });
});
