import { expect, it } from 'vitest';
import { aborted } from '../../src/kube/aborted.ts';

it('the end of a signal is waited for, also if it has come already', async () => {
  const stop = new AbortController();
  let hasEnded = false;
  const end = aborted(stop.signal).then(() => {
    hasEnded = true;
  });
  await Promise.resolve();
  expect(hasEnded).toBe(false);
  stop.abort(new Error('why does not matter'));
  await end;
  await aborted(stop.signal);
});
