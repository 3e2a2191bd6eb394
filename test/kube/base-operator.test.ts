import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { BaseOperator, type Composition } from '../../src/kube/base-operator.ts';
import { silentLogger } from '../../src/kube/logger.ts';
import {
  muteKubeConfig,
  PackageOperator,
  type ResourceEvent,
  ResourceEventType,
} from '../../src/kube/operator-package.ts';
import type { Transport } from '../../src/kube/transport.ts';
import { FakeApiServer } from '../support/fake-api-server.ts';
import { eventually } from '../support/fake-clock.ts';
import { WIDGET_REF, widget } from './fixtures.ts';

const FINALIZER = 'test.dev/cleanup';

let server: FakeApiServer;
let transport: Transport;
let operator: WidgetOperator;
let folder: string;
let before: string | undefined;

class WidgetOperator extends BaseOperator {
  readonly events: ResourceEvent[] = [];
  onEvent: (event: ResourceEvent) => Promise<void> = () => Promise.resolve();

  protected override async compose(): Promise<Composition> {
    await this.watchResource('test.dev', 'v1', 'widgets', async (event) => {
      await this.onEvent(event);
      this.events.push(event);
    });
    return { caches: [], controllers: [] };
  }

  // The protected interface of the package, opened for the test.
  finalize = (event: ResourceEvent, action: (event: ResourceEvent) => Promise<void>) =>
    this.handleResourceFinalizer(event, FINALIZER, action);
  putStatus = (event: ResourceEvent, status: unknown) => this.setResourceStatus(event.meta, status);
  mergeStatus = (event: ResourceEvent, status: unknown) => this.patchResourceStatus(event.meta, status);
  putFinalizers = (event: ResourceEvent, list: string[]) => this.setResourceFinalizers(event.meta, list);
  register = (file: string) => this.registerCustomResourceDefinition(file);
  uri = (namespace?: string) => this.getCustomResourceApiUri('test.dev', 'v1', 'widgets', namespace);
  async headers(): Promise<(Record<string, string> | undefined)[]> {
    const axios: { headers?: Record<string, string> } = {};
    const gaxios: { headers?: Record<string, string> } = { headers: { 'x-own': '1' } };
    await this.applyAxiosKubeConfigAuth(axios);
    await this.applyGaxiosKubeConfigAuth(gaxios);
    return [axios.headers, gaxios.headers];
  }
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larder-operator-'));
  before = process.env['KUBECONFIG'];
  process.env['KUBECONFIG'] = join(folder, 'does-not-exist');
  server = await FakeApiServer.start();
  const connection = server.connect(systemClock);
  transport = connection.transport;
  operator = new WidgetOperator({
    client: connection.client,
    credentials: connection.credentials,
    clock: systemClock,
    log: silentLogger,
  });
});

afterEach(async () => {
  operator.stop();
  await operator.finished.catch(() => undefined);
  await transport.close();
  await server.close();
  if (before === undefined) delete process.env['KUBECONFIG'];
  else process.env['KUBECONFIG'] = before;
  await rm(folder, { recursive: true });
});

function types(): string[] {
  return operator.events.map((event) => `${event.type} ${event.meta.name}`);
}

function lastEvent(): ResourceEvent {
  const event = operator.events.at(-1);
  if (event === undefined) throw new Error('no event');
  return event;
}

describe('the shell', () => {
  it('is an Operator of the package, and none of its methods that do I/O is left', () => {
    expect(operator).toBeInstanceOf(PackageOperator);
    const inherited = Object.getOwnPropertyNames(PackageOperator.prototype);
    const own = new Set(Object.getOwnPropertyNames(BaseOperator.prototype));
    // `start` only calls `init`; the other two are private to methods that are overridden.
    const harmless = ['start', 'resourceStatusRequest', 'errorToJson'];
    expect(inherited.filter((name) => !own.has(name))).toEqual(harmless);
  });

  it('is constructed without reading a kubeconfig, and leaves the class as it was', () => {
    const original = Object.getOwnPropertyDescriptor(KubeConfig.prototype, 'loadFromDefault')
      ?.value as unknown;
    const unmute = muteKubeConfig();
    expect(Object.getOwnPropertyDescriptor(KubeConfig.prototype, 'loadFromDefault')?.value).not.toBe(
      original,
    );
    unmute();
    expect(Object.getOwnPropertyDescriptor(KubeConfig.prototype, 'loadFromDefault')?.value).toBe(original);
    expect(() => {
      new KubeConfig().loadFromDefault();
    }).toThrow('ENOENT');
  });

  it('starts and stops through the package, without ending the process', async () => {
    expect([operator.phase, operator.isReady, operator.isHealthy]).toEqual(['new', false, true]);
    await expect(operator.finished).rejects.toThrow('not started');
    await operator.start();
    await eventually(() => operator.isReady);
    expect([operator.phase, operator.isHealthy]).toEqual(['leading', true]);
    operator.stop();
    await operator.finished;
    expect(operator.phase).toBe('stopped');
    await eventually(() => server.watches.length === 0);
  });
});

describe('watchResource', () => {
  it('delivers added, modified and deleted, in spite of resets', async () => {
    server.store.put(WIDGET_REF, widget('a'));
    await operator.start();
    await eventually(() => types().length === 1);
    server.resetConnections();
    server.store.put(WIDGET_REF, widget('a', { size: 2 }));
    await eventually(() => types().length === 2);
    server.store.delete(WIDGET_REF, 'default/a');
    await eventually(() => types().length === 3);
    expect(types()).toEqual(['ADDED a', 'MODIFIED a', 'DELETED a']);
    expect(operator.events[0]?.meta).toMatchObject({
      id: 'widgets.test.dev/v1',
      name: 'a',
      namespace: 'default',
      apiVersion: 'test.dev/v1',
      kind: 'Widget',
    });
  });

  it('calls again what failed', async () => {
    let failures = 2;
    operator.onEvent = () => {
      failures -= 1;
      return failures >= 0 ? Promise.reject(new Error('not yet')) : Promise.resolve();
    };
    server.store.put(WIDGET_REF, widget('a'));
    await operator.start();
    await eventually(() => types().length === 1);
    expect(types()).toEqual(['ADDED a']);
  });
});

describe('the methods of the package', () => {
  beforeEach(async () => {
    server.store.put(WIDGET_REF, widget('a'));
    await operator.start();
    await eventually(() => operator.events.length === 1);
  });

  function stored() {
    return server.store.get(WIDGET_REF, 'default/a');
  }

  it('write the status', async () => {
    const meta = await operator.putStatus(lastEvent(), { size: 1 });
    expect(meta.resourceVersion).toBe(stored().metadata.resourceVersion);
    await operator.mergeStatus(lastEvent(), { note: 'n' });
    expect(stored()['status']).toEqual({ size: 1, note: 'n' });
    await expect(operator.putStatus(lastEvent(), {})).rejects.toMatchObject({ reason: 'Conflict' });
  });

  it('handle a finalizer from its first day to its last', async () => {
    expect(await operator.finalize(lastEvent(), () => Promise.resolve())).toBe(true);
    await eventually(() => operator.events.length === 2);
    expect(stored().metadata['finalizers']).toEqual([FINALIZER]);
    expect(await operator.finalize(lastEvent(), () => Promise.resolve())).toBe(false);
    server.store.delete(WIDGET_REF, 'default/a');
    await eventually(() => operator.events.length === 3);
    let cleaned = 0;
    const clean = () => {
      cleaned += 1;
      return Promise.resolve();
    };
    expect(await operator.finalize(lastEvent(), clean)).toBe(true);
    await eventually(() => operator.events.length === 4);
    expect([cleaned, lastEvent().type]).toEqual([1, ResourceEventType.Deleted]);
    expect(await operator.finalize(lastEvent(), clean)).toBe(false);
  });

  it('do not call a lost lock a success', async () => {
    const stale = lastEvent();
    server.store.put(WIDGET_REF, widget('a', { size: 5 }));
    await expect(operator.finalize(stale, () => Promise.resolve())).rejects.toMatchObject({
      reason: 'Conflict',
    });
    await expect(operator.putFinalizers(stale, ['x/y'])).rejects.toMatchObject({ reason: 'Conflict' });
    await eventually(() => operator.events.length === 2);
    await operator.putFinalizers(lastEvent(), ['x/y']);
    expect(stored().metadata['finalizers']).toEqual(['x/y']);
  });

  it('refuse resources that nobody watches', async () => {
    const event = { ...lastEvent(), meta: { ...lastEvent().meta, id: 'others.v1' } };
    await expect(operator.putStatus(event, {})).rejects.toThrow('others.v1 is not watched');
  });

  it('apply a CRD whole', async () => {
    const file = join(folder, 'crd.yaml');
    const definition = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.test.dev}
spec:
  group: test.dev
  names: {plural: widgets, kind: Widget}
  versions:
    - name: v1
      schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
`;
    await writeFile(file, definition);
    expect(await operator.register(file)).toMatchObject({
      group: 'test.dev',
      plural: 'widgets',
      versions: [{ name: 'v1' }],
    });
    const ref = { group: 'apiextensions.k8s.io', version: 'v1', plural: 'customresourcedefinitions' };
    expect(JSON.stringify(server.store.get(ref, 'widgets.test.dev'))).toContain(
      'x-kubernetes-preserve-unknown-fields',
    );
    await operator.register(file);
    await writeFile(file, 'apiVersion: v1\nkind: ConfigMap\n');
    await expect(operator.register(file)).rejects.toThrow('expected apiextensions.k8s.io/v1');
  });

  it('know addresses and authorization', async () => {
    expect(operator.uri()).toBe(`${server.url}/apis/test.dev/v1/widgets`);
    expect(operator.uri('ns')).toBe(`${server.url}/apis/test.dev/v1/namespaces/ns/widgets`);
    expect(await operator.headers()).toEqual([
      { authorization: 'Bearer test' },
      { authorization: 'Bearer test', 'x-own': '1' },
    ]);
  });
});
