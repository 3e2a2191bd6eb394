/** The frame of every page: head, skip link, navigation, live status. */

import { html } from 'hono/html';
import type { Html } from './markup.ts';

/** A part of a page that is replaced as a whole when it changes. */
export interface Section {
  /** Unique on its page; also the fragment that leads to it. */
  readonly id: string;
  readonly title: string;
  readonly content: Html;
}

/** One page, ready to be framed. */
export interface Page {
  /** Plain text; the name of the program is added. */
  readonly title: string;
  /** What stands before the sections and never changes by itself. */
  readonly intro?: Html;
  readonly sections: readonly Section[];
  /** Which entry of the navigation leads here. */
  readonly nav?: string;
}

export function section(id: string, title: string, content: Html): Section {
  return { id, title, content };
}

/** The section as it stands in the page, and as it is sent when it has changed. */
export function renderSection({ id, title, content }: Section): Html {
  const head = html`<h2 id="${id}-title">${title}</h2>`;
  return html`<section id="${id}" data-live aria-labelledby="${id}-title">${head}${content}</section>`;
}

const NAVIGATION = [
  ['/', 'Sources'],
  ['/matrix', 'Images × nodes'],
  ['/nodes', 'Nodes'],
] as const;

/** Allows what the pages load: own files, own event stream, own forms. */
export const PAGE_SECURITY_POLICY = [
  "default-src 'none'",
  "style-src 'self'",
  "script-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** What every document carries besides its page. */
export interface Frame {
  /** Changes when the assets do, so that browsers may keep them. */
  readonly version: string;
  /** What the page was made of; the live stream begins with what has changed since. Empty for an error. */
  readonly revision: string;
}

/** The whole document. */
export function framePage({ title, intro, sections, nav }: Page, { version, revision }: Frame): Html {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · Larder</title>
<link rel="icon" href="/assets/icon.svg?${version}" type="image/svg+xml">
<link rel="stylesheet" href="/assets/style.css?${version}">
<script src="/assets/live.js?${version}" defer></script>
</head>
<body>
<a class="skip" href="#main">Skip to content</a>
<header>
<a class="brand" href="/">Larder</a>
<nav aria-label="Main"><ul>${NAVIGATION.map(([href, text]) => navItem(href, text, nav))}</ul></nav>
<p id="live-status" role="status" hidden></p>
</header>
<main id="main" tabindex="-1" data-revision="${revision}">
<h1>${title}</h1>
${intro ?? ''}
${sections.map(renderSection)}
</main>
</body>
</html>
`;
}

function navItem(href: string, text: string, current: string | undefined): Html {
  return href === current
    ? html`<li><a href="${href}" aria-current="page">${text}</a></li>`
    : html`<li><a href="${href}">${text}</a></li>`;
}

/** The page of an error: what happened, and the request's id for whoever reads the log. */
export function errorPage(title: string, detail: string, requestId: string): Page {
  return {
    title,
    intro: html`<p>${detail}</p><p class="why">Request ${requestId}</p><p><a href="/">All sources</a></p>`,
    sections: [],
  };
}
