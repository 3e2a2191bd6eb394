/** A list read page by page from one snapshot of the server. */

import { isGone } from './api-error.ts';
import type { ListResult } from './call-options.ts';

/** A continue token lives about five minutes; a list that keeps expiring is a problem of the server. */
const MAX_RESTARTS = 3;

/** Receives the pages of one snapshot in order. */
export interface PageVisitor<T> {
  /** A snapshot begins; called again when the one before expired between its pages. */
  begin(): void;
  page(items: readonly T[]): void;
}

/**
 * Visits all pages of one snapshot and returns its resourceVersion. An expired continue token starts over.
 * @throws whatever `fetchPage` throws; ApiError 410 after the third restart.
 */
export async function visitPages<T>(
  fetchPage: (continueToken: string | undefined) => Promise<ListResult<T>>,
  visitor: PageVisitor<T>,
): Promise<string> {
  for (let restarts = 0; ; restarts += 1) {
    try {
      return await visitOnce(fetchPage, visitor);
    } catch (error) {
      if (!isGone(error) || restarts >= MAX_RESTARTS) throw error;
    }
  }
}

async function visitOnce<T>(
  fetchPage: (continueToken: string | undefined) => Promise<ListResult<T>>,
  visitor: PageVisitor<T>,
): Promise<string> {
  visitor.begin();
  let continueToken: string | undefined;
  for (;;) {
    const page = await fetchPage(continueToken);
    visitor.page(page.items);
    if (page.continueToken === undefined) return page.resourceVersion;
    continueToken = page.continueToken;
  }
}

/** All pages in one array. */
export async function collectPages<T>(
  fetchPage: (continueToken: string | undefined) => Promise<ListResult<T>>,
): Promise<ListResult<T>> {
  let items: T[] = [];
  const resourceVersion = await visitPages(fetchPage, {
    begin: () => {
      items = [];
    },
    page: (more) => {
      items.push(...more);
    },
  });
  return { items, resourceVersion };
}
