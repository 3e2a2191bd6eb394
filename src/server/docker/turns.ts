/** Writers take turns: what one looks up and then writes, no other changes in between. */

import { ProblemError } from '../problem.ts';

/** While the API server is silent, everybody waits for the one whose turn it is. */
const MAX_WAITING = 256;
const RETRY_AFTER_SECONDS = '10';

/** One for all writers of one thing in this process. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /**
   * Runs `write` after all that were asked for earlier, however those ended.
   * @throws ProblemError Unavailable if too many are waiting
   */
  async take<T>(write: () => Promise<T>): Promise<T> {
    if (this.#waiting >= MAX_WAITING) {
      throw new ProblemError('Unavailable', `${MAX_WAITING} changes are waiting for their turn; try again`, {
        headers: { 'retry-after': RETRY_AFTER_SECONDS },
      });
    }
    this.#waiting += 1;
    const turn = this.#last.then(write, write);
    this.#last = turn.catch(() => undefined);
    try {
      return await turn;
    } finally {
      this.#waiting -= 1;
    }
  }
}
