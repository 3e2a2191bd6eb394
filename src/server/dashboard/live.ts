/** Keeps an open page current: sends the sections that have changed, as server-sent events. */

import { type SSEStreamingApi, streamSSE } from 'hono/streaming';
import { type Clock, sleep } from '../../clock.ts';
import { clientOf } from '../client-limiter.ts';
import { signalOf } from '../client-signal.ts';
import { ProblemError } from '../problem.ts';
import type { Exchange, ServerContext } from '../route-group.ts';
import type { PageFinder } from './finder.ts';
import { renderSection } from './page.ts';

/** How often it is looked whether something has changed. */
const LOOK_MS = 1_000;
/** Ages are told anew, and events read again. */
const REFRESH_MS = 30_000;
/** Connections that say nothing for long are cut by whoever stands between. */
const COMMENT_MS = 15_000;
/** Open pages on one replica; each costs a rendering a second while something changes. */
const MAX_STREAMS = 200;
/** Of one person, or one address where nobody says who they are; half of all, so that one alone never takes all. */
const MAX_STREAMS_EACH = 100;

/** One for the process: its limits are over all open pages. */
export class LiveStreams {
  readonly #finder: PageFinder;
  readonly #clock: Clock;
  /** Open pages, or such as are being opened, by who opened them. */
  readonly #open = new Map<string, number>();

  constructor(finder: PageFinder, clock: Clock) {
    this.#finder = finder;
    this.#clock = clock;
  }

  /** @throws ProblemError Unavailable beyond the limit, and whatever the page itself would throw */
  async serve(context: ServerContext): Promise<Response> {
    const leave = this.#enter(context);
    try {
      return await this.#start(context, leave);
    } catch (error) {
      leave();
      throw error;
    }
  }

  /** Counted before anything is waited for: many at once must not slip through. Returns what counts it out again. */
  #enter(context: ServerContext): () => void {
    const { caller, address } = context.get('exchange');
    const owner = caller.anonymous ? clientOf(address) : caller.username;
    const own = this.#open.get(owner) ?? 0;
    const all = [...this.#open.values()].reduce((sum, count) => sum + count, 0);
    if (own >= MAX_STREAMS_EACH || all >= MAX_STREAMS)
      throw new ProblemError('Unavailable', 'too many open pages on this replica', {
        headers: { 'retry-after': '60' },
      });
    this.#open.set(owner, own + 1);
    return () => {
      const left = (this.#open.get(owner) ?? 1) - 1;
      if (left === 0) this.#open.delete(owner);
      else this.#open.set(owner, left);
    };
  }

  async #start(context: ServerContext, leave: () => void): Promise<Response> {
    const { closing, renewCaller } = context.get('exchange');
    const target = pageOf(context);
    const ended = new AbortController();
    const signal = AbortSignal.any([closing, signalOf(context), ended.signal]);
    const { revision } = this.#finder;
    const rendered = await this.#render(target, { renewCaller, signal });
    // What the browser has just loaded need not be sent; after a pause, or from another replica, everything is.
    const isCurrent = context.req.query('revision') === revision;
    const shown = isCurrent ? rendered : new Map<string, string>();
    return streamSSE(context, async (stream) => {
      stream.onAbort(() => {
        ended.abort();
      });
      try {
        await this.#follow(stream, { target, reader: { renewCaller, signal }, shown }, revision);
      } catch (error) {
        if (error instanceof ProblemError) await stream.writeSSE({ event: 'gone', data: error.code });
        else if (!signal.aborted) throw error;
      } finally {
        leave();
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
      await sleep(this.#clock, LOOK_MS, followed.reader.signal);
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

  /** While the API server does not tell who may see what, nothing is sent, and it is asked again at the next change. */
  async #sendChanges(stream: SSEStreamingApi, { target, reader, shown }: Followed): Promise<void> {
    const rendered = await this.#render(target, reader).catch((error: unknown) => {
      if (error instanceof ProblemError && error.code === 'Unavailable') return new Map<string, string>();
      throw error;
    });
    for (const [id, html] of rendered) {
      if (shown.get(id) === html) continue;
      shown.set(id, html);
      await stream.writeSSE({ event: 'section', data: JSON.stringify({ id, html }) });
    }
  }

  /** As who the reader is now: a page that stays open for days outlives tokens and rights. */
  async #render(target: URL, { renewCaller, signal }: Reader): Promise<Map<string, string>> {
    const caller = await renewCaller(signal);
    const { sections } = await this.#finder.find(target, { caller, signal });
    const rendered = sections.map(
      async (part): Promise<[string, string]> => [part.id, String(await renderSection(part))],
    );
    return new Map(await Promise.all(rendered));
  }
}

/** Whoever has the page open, and until when. */
interface Reader extends Pick<Exchange, 'renewCaller'> {
  readonly signal: AbortSignal;
}

interface Followed {
  readonly target: URL;
  readonly reader: Reader;
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
