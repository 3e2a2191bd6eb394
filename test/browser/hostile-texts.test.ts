/** Labels, messages and names that want to be markup: the browser shows them and runs nothing. */

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ImageSource } from '../../src/api/image-source.ts';
import { systemClock } from '../../src/clock.ts';
import { Authorizer } from '../../src/server/authorize.ts';
import { dashboardRoutes } from '../../src/server/dashboard/routes.ts';
import { ClusterFake, stockedImage } from '../server/dashboard/cluster-fake.ts';
import { HOSTILE } from '../server/dashboard/models.ts';
import { findChromium, openBrowser, openPage } from '../support/browser.ts';
import { imageSource } from '../support/builders.ts';
import { FakeReviews, ServedGroups } from '../support/http-server.ts';
import { nodeFacts } from '../support/stock-builders.ts';

const AT = '2026-11-21T12:00:00Z';

function hostileSource(message: string): ImageSource {
  const source = imageSource();
  const image = {
    reference: HOSTILE,
    tag: HOSTILE,
    name: HOSTILE,
    prepulled: false,
    aliases: [HOSTILE],
    rules: [HOSTILE],
  };
  const condition = {
    type: 'Ready',
    status: 'False',
    reason: HOSTILE,
    message,
    lastTransitionTime: AT,
  } as const;
  const status = {
    conditions: [condition],
    recommended: image,
    images: [{ ...image, type: 'unknown' as const }],
  };
  return { ...source, status };
}

function hostileCluster(): ClusterFake {
  const cluster = new ClusterFake();
  const notPresent = [
    {
      node: 'node-1',
      state: 'Failed' as const,
      reason: HOSTILE,
      message: HOSTILE,
      attempts: 1,
      lastAttempt: AT,
    },
  ];
  cluster.put({
    sources: [hostileSource(HOSTILE)],
    nodes: [nodeFacts('node-1', { labels: { [HOSTILE]: HOSTILE, pool: HOSTILE } })],
    images: [stockedImage('w_2026_47', 'a', { notPresent })],
  });
  return cluster;
}

describe.skipIf(findChromium() === undefined)('hostile texts', () => {
  let cluster: ClusterFake;
  let server: ServedGroups;
  let browser: Browser;

  beforeAll(async () => {
    const authorizer = new Authorizer({
      reviews: new FakeReviews(),
      clock: systemClock,
      anonymousRead: true,
    });
    const object = { namespace: 'default', name: 'lab' };
    const event = { at: 0, isWarning: true, reason: HOSTILE, message: HOSTILE, kind: 'ImageSource', object };
    const events = { list: () => Promise.resolve([event]) };
    cluster = hostileCluster();
    const ports = { cluster, authorizer, clock: systemClock, events };
    server = await ServedGroups.start({ groups: [dashboardRoutes(ports)] });
    browser = await openBrowser();
  });

  afterAll(async () => {
    await browser.close();
    await server[Symbol.asyncDispose]();
  });

  it.each([
    '/',
    '/sources/default/lab',
    '/images/default/lab-w-2026-47',
    '/nodes',
    '/nodes/node-1',
    `/matrix?${new URLSearchParams({ image: HOSTILE }).toString()}`,
    `/matrix?${new URLSearchParams({ pool: HOSTILE }).toString()}`,
  ])('on %s are shown, and nothing runs', async (path) => {
    await using watched = await openPage(browser);
    const { page, complaints } = watched;
    await page.goto(server.url + path);
    expect(await page.locator('main img, main script').count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  it('that come by the live stream run no more than those', async () => {
    await using watched = await openPage(browser);
    const { page, complaints } = watched;
    await page.goto(`${server.url}/`);
    await page.getByRole('status').getByText('Live').waitFor();
    cluster.put({ sources: [hostileSource(`${HOSTILE} once more`)] });
    await page.getByText('once more').waitFor();
    expect(await page.locator('main img, main script').count()).toBe(0);
    expect(complaints).toEqual([]);
  });
});
