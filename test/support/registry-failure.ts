/** Waiting for a registry call to fail, with the clock stepped through its retries and pauses. */

import { isRegistryError, type RegistryError } from '../../src/registry/errors.ts';
import type { FakeClock } from './fake-clock.ts';

/** The RegistryError of a promise. @throws Error if it succeeds or fails otherwise */
export async function failureOf(promise: Promise<unknown>, clock: FakeClock): Promise<RegistryError> {
  const error: unknown = await steppedThrough(
    promise.then(
      () => undefined,
      (thrown: unknown) => thrown,
    ),
    clock,
  );
  if (!isRegistryError(error)) throw new Error(`expected a RegistryError, got ${String(error)}`);
  return error;
}

/** The result of a promise that waits for time to pass. */
export async function steppedThrough<T>(promise: Promise<T>, clock: FakeClock): Promise<T> {
  let done = false;
  const mark = (): void => {
    done = true;
  };
  promise.then(mark, mark);
  await clock.advanceUntil(() => done);
  return promise;
}
