/** A client, an access and a meter for one test against a fake registry. */

import { type AccessOptions, buildAccess, type RegistryAccess } from '../../src/registry/access.ts';
import { RegistryClient, type RegistryClientOptions, type TagList } from '../../src/registry/client.ts';
import { newScanMeter, type ScanMeter } from '../../src/registry/meter.ts';
import { FakeClock } from './fake-clock.ts';
import type { FakeRegistry } from './fake-registry.ts';

export interface RegistrySession extends AsyncDisposable {
  readonly client: RegistryClient;
  readonly clock: FakeClock;
  readonly access: RegistryAccess;
  readonly meter: ScanMeter;
  readonly signal: AbortSignal;
  list(registry: FakeRegistry, repository?: string): Promise<TagList>;
}

export const REPOSITORY = 'team/app';

export function openSession(
  access: AccessOptions = {},
  options: RegistryClientOptions = {},
): RegistrySession {
  const clock = new FakeClock();
  const client = new RegistryClient({ clock, ...options });
  const signal = new AbortController().signal;
  const meter = newScanMeter();
  const built = buildAccess({ plainHTTP: true, ...access });
  return {
    client,
    clock,
    access: built,
    meter,
    signal,
    list: (registry, repository = REPOSITORY) =>
      client.collectTags({ registry: registry.host, repository }, built, { signal, meter }),
    [Symbol.asyncDispose]: () => client.close(),
  };
}

/** `t000000`, `t000001`, … */
export function numberedTags(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `t${String(index).padStart(6, '0')}`);
}
