import { beforeEach, describe, expect, it } from 'vitest';
import { SilentRegistries, SilentRegistryError, wayTo } from '../../src/controllers/silent-registries.ts';
import { RegistryError, type RegistryErrorCode } from '../../src/registry/errors.ts';
import { prepulledImage } from '../support/builders.ts';
import { FakeClock } from '../support/fake-clock.ts';

const HOUR = 3_600_000;

let clock: FakeClock;
let registries: SilentRegistries;
let asked = 0;

beforeEach(() => {
  clock = new FakeClock();
  registries = new SilentRegistries(clock);
  asked = 0;
});

function fail(code: RegistryErrorCode): () => Promise<never> {
  return () => {
    asked += 1;
    return Promise.reject(new RegistryError(`no luck with ${code}`, { code, registry: 'r.io' }));
  };
}

function answer(): Promise<string> {
  asked += 1;
  return Promise.resolve('answer');
}

function ask(question: () => Promise<string>, insists = false): Promise<string> {
  return registries.ask('r.io', { insists, hasFailed: false, intervalMs: HOUR }, question);
}

/** Asks something that is answered, or not, when the test says so. */
function pending(insists = false): {
  readonly result: Promise<string>;
  readonly settle: (code?: RegistryErrorCode) => void;
} {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  return {
    result: ask(() => promise, insists),
    settle: (code) => {
      if (code === undefined) resolve('answer');
      else reject(new RegistryError('no luck', { code, registry: 'r.io' }));
    },
  };
}

describe('a registry that does not answer', () => {
  it('is not asked by the others for a while', async () => {
    const code = 'TIMEOUT';
    await expect(ask(fail(code))).rejects.toMatchObject({ code });
    const refused = ask(answer);
    await expect(refused).rejects.toBeInstanceOf(SilentRegistryError);
    await expect(refused).rejects.toMatchObject({ code, waitMs: 30_000 });
    await expect(refused).rejects.toThrow(
      `not asked, because the registry did not answer a moment ago: no luck with ${code}`,
    );
    expect(asked).toBe(1);
    await expect(
      registries.ask('other.io', { insists: false, hasFailed: false, intervalMs: HOUR }, answer),
    ).resolves.toBe('answer');
    await expect(ask(answer, true)).resolves.toBe('answer');
    await expect(ask(answer)).resolves.toBe('answer');
  });

  it('is tried by one at a time', async () => {
    await expect(ask(fail('TIMEOUT'))).rejects.toMatchObject({ code: 'TIMEOUT' });
    await clock.advance(30_000);
    const trial = pending();
    await expect(ask(answer)).rejects.toMatchObject({ waitMs: 5_000 });
    trial.settle('TIMEOUT');
    await expect(trial.result).rejects.toMatchObject({ message: 'no luck' });
    await expect(ask(answer)).rejects.toMatchObject({ waitMs: 30_000 });
    await clock.advance(30_000);
    const next = pending();
    next.settle();
    await expect(next.result).resolves.toBe('answer');
    await expect(ask(answer)).resolves.toBe('answer');
  });

  it('is tried first by who has not failed itself', async () => {
    await expect(ask(fail('TIMEOUT'))).rejects.toMatchObject({ code: 'TIMEOUT' });
    expect(registries.rest('r.io', { hasFailed: true })).toBe(35_000);
    expect(registries.rest('r.io', { hasFailed: false })).toBe(30_000);
    await clock.advance(30_000);
    const again = { insists: false, hasFailed: true, intervalMs: HOUR };
    await expect(registries.ask('r.io', again, answer)).rejects.toMatchObject({ waitMs: 5_000 });
    await expect(ask(answer)).resolves.toBe('answer');
    await expect(registries.ask('r.io', again, answer)).resolves.toBe('answer');
  });

  it('is tried by who has failed itself if nobody else does', async () => {
    await expect(ask(fail('TIMEOUT'))).rejects.toMatchObject({ code: 'TIMEOUT' });
    await clock.advance(35_000);
    const again = { insists: false, hasFailed: true, intervalMs: HOUR };
    await expect(registries.ask('r.io', again, answer)).resolves.toBe('answer');
  });

  it('is asked by those who insist, but by four at once', async () => {
    await expect(ask(fail('TIMEOUT'))).rejects.toMatchObject({ code: 'TIMEOUT' });
    const first = Array.from({ length: 4 }, () => pending(true));
    await expect(ask(answer, true)).rejects.toMatchObject({ waitMs: 30_000 });
    for (const { settle } of first) settle();
    await Promise.all(first.map(({ result }) => result));
    expect(asked).toBe(1);
  });

  it('is not silent to others if it has answered one that failed all the same', async () => {
    await expect(ask(fail('TIMEOUT'))).rejects.toMatchObject({ code: 'TIMEOUT' });
    registries.noteAnswer('other.io');
    expect(registries.rest('r.io', { hasFailed: false })).toBe(30_000);
    registries.noteAnswer('r.io');
    await expect(ask(answer)).resolves.toBe('answer');
  });

  it.each(['UNAUTHORIZED', 'UNREACHABLE'] as const)('is not silent if it says no (%s)', async (code) => {
    await expect(ask(fail(code))).rejects.toMatchObject({ code });
    await expect(ask(answer)).resolves.toBe('answer');
  });

  it('is not silent if it has answered others meanwhile', async () => {
    const slow = pending();
    await expect(ask(answer)).resolves.toBe('answer');
    slow.settle('TIMEOUT');
    await expect(slow.result).rejects.toMatchObject({ code: 'TIMEOUT' });
    await expect(ask(answer)).resolves.toBe('answer');
  });

  it('is silent once for all that have waited at the same time', async () => {
    const waiting = [pending(), pending(), pending()];
    for (const { settle, result } of waiting) {
      settle('TIMEOUT');
      await expect(result).rejects.toMatchObject({ code: 'TIMEOUT' });
    }
    await expect(ask(answer)).rejects.toMatchObject({ waitMs: 30_000 });
  });
});

describe('a registry that nobody knows yet', () => {
  it('is asked by four at once, and by all when it has answered', async () => {
    const first = Array.from({ length: 3 }, () => pending());
    expect(registries.crowd('r.io')).toBe(0);
    first.push(pending());
    expect(registries.crowd('r.io')).toBe(100);
    expect(registries.crowd('other.io')).toBe(0);
    await clock.advance(1_000);
    expect(registries.crowd('r.io')).toBe(1_000);
    expect(registries.rest('r.io', { hasFailed: false })).toBe(1_000);
    await clock.advance(20_000);
    expect(registries.crowd('r.io')).toBe(5_000);
    first[0]?.settle();
    await first[0]?.result;
    expect(registries.crowd('r.io')).toBe(0);
    for (const { settle } of first) settle();
    await Promise.all(first.map(({ result }) => result));
  });

  it('is no crowd when it is silent: the others are told at once', async () => {
    const first = Array.from({ length: 4 }, () => pending());
    first[0]?.settle('TIMEOUT');
    await expect(first[0]?.result).rejects.toMatchObject({ code: 'TIMEOUT' });
    expect(registries.crowd('r.io')).toBe(0);
    await expect(ask(answer)).rejects.toBeInstanceOf(SilentRegistryError);
    for (const { settle } of first) settle();
    await Promise.allSettled(first.map(({ result }) => result));
  });

  it('is forgotten when there are too many', async () => {
    await expect(ask(fail('TIMEOUT'))).rejects.toMatchObject({ code: 'TIMEOUT' });
    for (let n = 0; n < 1_000; n += 1)
      await registries.ask(
        `r${String(n)}.io`,
        { insists: false, hasFailed: false, intervalMs: HOUR },
        answer,
      );
    await expect(ask(answer)).resolves.toBe('answer');
  });
});

describe('the way to a registry', () => {
  const way = (image: string, namespace: string, access: object = {}): string =>
    wayTo(prepulledImage({ metadata: { namespace }, spec: { image, access } }));

  it('is shared by images without certificates and proxies of their own', () => {
    expect(way('r.io/a:1', 'one')).toBe(way('r.io/b:2', 'two', { pullSecretRefs: [{ name: 's' }] }));
    expect(way('r.io/a:1', 'one')).not.toBe(way('s.io/a:1', 'one'));
    expect(way('r.io/a:1', 'one')).not.toBe(way('r.io/a:1', 'one', { plainHTTP: true }));
    const proxied = { proxySecretRef: { name: 'proxy' } };
    expect(way('r.io/a:1', 'one', proxied)).toBe(way('r.io/b:1', 'one', proxied));
    expect(way('r.io/a:1', 'one', proxied)).not.toBe(way('r.io/a:1', 'two', proxied));
    expect(way('r.io/a:1', 'one', proxied)).not.toBe(way('r.io/a:1', 'one'));
  });
});
