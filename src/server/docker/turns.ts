/** Writers take turns: what one looks up and then writes, no other changes in between. */

/** One for all writers of one thing in this process. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs `write` after all that were asked for earlier, however those ended. */
  take<T>(write: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(write, write);
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}
