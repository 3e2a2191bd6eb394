/** A list read page by page from one snapshot of the server. */

import { isGone } from './api-error.ts';
import type { ListResult } from './call-options.ts';

/** A continue token lives about five minutes; a list that keeps expiring is a problem of the server. */
const MAX_RESTARTS = 3;

/**
 * Fetches all pages; an expired continue token starts the list over, so that the result is one snapshot.
 * `project` runs on each item as its page arrives, before the raw page is dropped.
 * @throws whatever `fetchPage` throws; ApiError 410 after the third restart.
 */
export async function collectPages<R, T = R>(
  fetchPage: (continueToken: string | undefined) => Promise<ListResult<R>>,
  project: (item: R) => T = (item) => item as unknown as T,
): Promise<ListResult<T>> {
  for (let restarts = 0; ; restarts += 1) {
    try {
      return await collectOnce(fetchPage, project);
    } catch (error) {
      if (!isGone(error) || restarts >= MAX_RESTARTS) throw error;
    }
  }
}

async function collectOnce<R, T>(
  fetchPage: (continueToken: string | undefined) => Promise<ListResult<R>>,
  project: (item: R) => T,
): Promise<ListResult<T>> {
  const items: T[] = [];
  let continueToken: string | undefined;
  for (;;) {
    const page = await fetchPage(continueToken);
    for (const item of page.items) items.push(project(item));
    if (page.continueToken === undefined) return { items, resourceVersion: page.resourceVersion };
    continueToken = page.continueToken;
  }
}
