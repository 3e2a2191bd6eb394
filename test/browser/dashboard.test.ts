/** The dashboard in a browser, over a real cluster with a real operator. */

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findBarriers, findChromium, openBrowser, openPage, takeScreenshot } from '../support/browser.ts';
import { type DemoStage, startDemo } from './demo-stage.ts';

const PAGES = [
  ['sources', '/'],
  ['source', '/sources/science/lab'],
  ['broken source', '/sources/science/broken'],
  ['image', '/images/science/never-there'],
  ['nodes', '/nodes'],
  ['node', '/nodes/gpu-1'],
  ['matrix', '/matrix'],
  ['missing only', '/matrix?missing=1'],
  ['nowhere', '/nodes/nowhere'],
] as const;
const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, deviceScaleFactor: 2 };

describe.skipIf(findChromium() === undefined)('the dashboard', () => {
  let stage: DemoStage;
  let browser: Browser;

  beforeAll(async () => {
    stage = await startDemo();
    browser = await openBrowser();
  });

  afterAll(async () => {
    await browser.close();
    await stage.cluster.stop({ keepLogs: true });
  });

  describe.each(PAGES)('%s', (name, path) => {
    it.each(['light', 'dark'] as const)(
      'has no barriers in %s, and loads without complaint',
      async (colorScheme) => {
        await using watched = await openPage(browser, { colorScheme });
        const { page, complaints } = watched;
        const response = await page.goto(stage.url + path);
        expect(response?.status()).toBe(name === 'nowhere' ? 404 : 200);
        expect(await findBarriers(page)).toEqual([]);
        // The browser itself reports the 404.
        expect(complaints.filter((text) => !text.includes('404'))).toEqual([]);
        await takeScreenshot(page, `${name}-${colorScheme}`);
      },
    );

    it('fits a phone', async () => {
      await using watched = await openPage(browser, PHONE);
      const { page } = watched;
      await page.goto(stage.url + path);
      const [wanted, given] = await page.evaluate<[number, number]>(
        '[document.documentElement.scrollWidth, document.documentElement.clientWidth]',
      );
      expect(wanted).toBeLessThanOrEqual(given);
      expect(await findBarriers(page)).toEqual([]);
      await takeScreenshot(page, `${name}-phone`);
    });
  });

  describe('the front page', () => {
    it('tells what is pulled now, what failed, and what has happened', async () => {
      await using watched = await openPage(browser);
      const { page } = watched;
      await page.goto(`${stage.url}/`);
      const row = (section: string, name: RegExp): ReturnType<typeof page.locator> =>
        page.locator(`#${section}`).getByRole('row', { name }).first();
      expect(await row('sources', /science\/broken/).textContent()).toContain('Failing RegistryUnreachable');
      expect(await row('others', /never-there/).textContent()).toContain('0/3');
      await row('pulling', /lab\/hangs\/image:v1 gpu-3/).waitFor();
      await row('events', /ImageSource broken/).waitFor();
    });
  });

  describe('without scripts', () => {
    it('all pages are there, and the filter works', async () => {
      await using watched = await openPage(browser, { javaScriptEnabled: false });
      const { page } = watched;
      await page.goto(`${stage.url}/`);
      await page.getByRole('link', { name: 'science/lab' }).click();
      expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('science/lab');
      await page.getByRole('link', { name: 'These images × nodes' }).click();
      await page.getByLabel('Node', { exact: true }).fill('gpu');
      await page.getByRole('button', { name: 'Show' }).click();
      expect(new URL(page.url()).searchParams.get('node')).toBe('gpu');
      expect(new URL(page.url()).searchParams.get('source')).toBe('science/lab');
      expect(await page.getByRole('row', { name: /^gpu-/ }).count()).toBe(3);
      expect(await page.getByRole('row', { name: /^cpu-/ }).count()).toBe(0);
    });
  });

  describe('with the keyboard', () => {
    it('the first stop leads to the content, and every table can be reached and scrolled', async () => {
      await using watched = await openPage(browser);
      const { page } = watched;
      await page.goto(`${stage.url}/matrix`);
      await page.keyboard.press('Tab');
      expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to content');
      await page.keyboard.press('Enter');
      await page.keyboard.press('Tab');
      expect(await page.evaluate('document.activeElement.name')).toBe('source');
      await page.getByRole('group', { name: 'Images and nodes' }).focus();
      expect(await page.evaluate('document.activeElement.getAttribute("role")')).toBe('group');
    });

    it('a missing cell says what it is and leads to the reason', async () => {
      await using watched = await openPage(browser);
      const { page } = watched;
      await page.goto(`${stage.url}/matrix?missing=1`);
      await page
        .getByRole('link', { name: /v1 on gpu-1$/ })
        .first()
        .focus();
      await page.keyboard.press('Enter');
      await page.waitForURL(/\/nodes\/gpu-1#missing$/);
      const row = page.getByRole('row', { name: /lab\/missing\/image:v1/ });
      expect(await row.textContent()).toMatch(/Failed|Pulling|Waiting/);
    });
  });

  describe('while it is open', () => {
    it('a page shows what happens without being loaded again, and keeps focus and place', async () => {
      await using watched = await openPage(browser);
      const { page, complaints } = watched;
      await page.goto(`${stage.url}/sources/science/lab`);
      await page.getByRole('status').getByText('Live').waitFor();
      await page.evaluate('window.isSamePage = true');
      const link = page.getByRole('link', { name: 'w_2026_47' }).first();
      await link.focus();
      const href = await link.getAttribute('href');
      await stage.pushWeekly('w_2026_48');
      const row = page.getByRole('row', { name: /^w_2026_48/ });
      // All but the one that is offline, the one that is cordoned, and the one whose pull hangs.
      await row.locator('.figures', { hasText: /^[7-9]\/9$/ }).waitFor({ timeout: 60_000 });
      expect(await page.evaluate('window.isSamePage')).toBe(true);
      expect(await page.evaluate('document.activeElement.getAttribute("href")')).toBe(href);
      expect(await findBarriers(page)).toEqual([]);
      expect(complaints).toEqual([]);
    });

    it('says when it is no longer connected', async () => {
      await using watched = await openPage(browser);
      const { page } = watched;
      await page.goto(`${stage.url}/nodes`);
      await page.getByRole('status').getByText('Live').waitFor();
      await stage.cluster.daemon('operator').stop();
      await page.getByRole('status').getByText('Not connected').waitFor({ timeout: 30_000 });
    });
  });
});
