/** Keeps an open page current: sends the sections that have changed, as server-sent events. */

import { type SSEStreamingApi, streamSSE } from 'hono/streaming';
import { type Clock, sleep } from '../../clock.ts';
import { signalOf } from '../client-signal.ts';
import { ProblemError } from '../problem.ts';
import type { ServerContext } from '../route-group.ts';
import type { PageFinder, Visitor } from './finder.ts';
import { renderSection } from './page.ts';

/** How often it is looked whether something has changed. */
const LOOK_MS = 1_000;
/** Ages are told anew, and events read again. */
const REFRESH_MS = 30_000;
/** Connections that say nothing for long are cut by whoever stands between. */
const COMMENT_MS = 15_000;
/** Open pages on one replica; each costs a rendering a second while something changes. */
const MAX_STREAMS = 200;

export class LiveStreams {
  readonly #finder: PageFinder;
  readonly #clock: Clock;
  #open = 0;

  constructor(finder: PageFinder, clock: Clock) {
    this.#finder = finder;
    this.#clock = clock;
  }

  /** @throws ProblemError Unavailable beyond the limit, and whatever the page itself would throw */
  async serve(context: ServerContext): Promise<Response> {
    if (this.#open >= MAX_STREAMS)
      throw new ProblemError('Unavailable', 'too many open pages on this replica', {
        headers: { 'retry-after': '60' },
      });
    const { caller, closing } = context.get('exchange');
    const target = pageOf(context);
    const ended = new AbortController();
    const signal = AbortSignal.any([closing, signalOf(context), ended.signal]);
    const visitor: Visitor = { caller, signal };
    const { revision } = this.#finder;
    const rendered = await this.#render(target, visitor);
    // What the browser has just loaded need not be sent; after a pause, or from another replica, everything is.
    const isCurrent = context.req.query('revision') === revision;
    const shown = isCurrent ? rendered : new Map<string, string>();
    this.#open += 1;
    return streamSSE(context, async (stream) => {
      stream.onAbort(() => {
        ended.abort();
      });
      try {
        await this.#follow(stream, { target, visitor, shown }, revision);
      } catch (error) {
        if (error instanceof ProblemError) await stream.writeSSE({ event: 'gone', data: error.code });
        else if (!signal.aborted) throw error;
      } finally {
        this.#open -= 1;
      }
    });
  }

  async #follow(stream: SSEStreamingApi, followed: Followed, from: string): Promise<void> {
    let revision = from;
    let renderedAt = this.#clock.monotonic();
    let spokenAt = renderedAt;
    await stream.write(': hello\n\n');
    if (followed.shown.size === 0) await this.#sendChanges(stream, followed);
    for (;;) {
      await sleep(this.#clock, LOOK_MS, followed.visitor.signal);
      const now = this.#clock.monotonic();
      if (this.#finder.revision !== revision || now - renderedAt >= REFRESH_MS) {
        ({ revision } = this.#finder);
        renderedAt = now;
        spokenAt = now;
        await this.#sendChanges(stream, followed);
      } else if (now - spokenAt >= COMMENT_MS) {
        spokenAt = now;
        await stream.write(': still here\n\n');
      }
    }
  }

  async #sendChanges(stream: SSEStreamingApi, { target, visitor, shown }: Followed): Promise<void> {
    for (const [id, html] of await this.#render(target, visitor)) {
      if (shown.get(id) === html) continue;
      shown.set(id, html);
      await stream.writeSSE({ event: 'section', data: JSON.stringify({ id, html }) });
    }
  }

  async #render(target: URL, visitor: Visitor): Promise<Map<string, string>> {
    const { sections } = await this.#finder.find(target, visitor);
    const rendered = sections.map(
      async (part): Promise<[string, string]> => [part.id, String(await renderSection(part))],
    );
    return new Map(await Promise.all(rendered));
  }
}

interface Followed {
  readonly target: URL;
  readonly visitor: Visitor;
  /** By section: what the browser shows. */
  readonly shown: Map<string, string>;
}

/** @throws ProblemError BadRequest if the query names no path of ours */
function pageOf(context: ServerContext): URL {
  const path = context.req.query('path') ?? '/';
  const base = 'http://dashboard.invalid';
  const target = URL.canParse(path, base) ? new URL(path, base) : undefined;
  if (target?.origin !== base) throw new ProblemError('BadRequest', 'path must be a path of this server');
  return target;
}
