/** Whether the client still waits. */

import type { ServerContext } from './route-group.ts';

const signals = new WeakMap<object, AbortSignal>();

/** Aborts when the connection closes before the answer was sent. Made on demand: the one of the Request costs far more. */
export function signalOf(context: ServerContext): AbortSignal {
  const { outgoing } = context.env;
  const known = signals.get(outgoing);
  if (known !== undefined) return known;
  const gone = new AbortController();
  outgoing.once('close', () => {
    if (!outgoing.writableFinished) gone.abort(new Error('the client has gone'));
  });
  signals.set(outgoing, gone.signal);
  return gone.signal;
}
