/** The two servers of the runtime benchmark, each in a process of its own: many pods to list, objects to patch. */

import type { ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';

import { createAuthority, issueCertificate } from '../../test/support/certificate.ts';
import { FakeApiServer } from '../../test/support/fake-api-server.ts';

/** What a client needs to connect. */
export interface ServerAddress {
  readonly url: string;
  /** PEM. */
  readonly authority: string;
}

const DEFAULT_PAGE = 1_000_000;

/** What a list of metadata only has of a pod. */
function metadataText(index: number): string {
  const { metadata } = JSON.parse(podText(index)) as { readonly metadata: unknown };
  return JSON.stringify({ metadata });
}

/** A pod as kubelets and admission leave it: 4.2 kB, a good part of it managedFields. */
function podText(index: number): string {
  const name = `app-${Math.floor(index / 50)}-7d9c5b8f6-${index}`;
  const image = `registry.example.org/team-${index % 40}/service-${index % 200}:v1.${index % 30}.0`;
  const digest = String(index % 200).padStart(64, '0');
  const fields = Object.fromEntries(
    Array.from({ length: 40 }, (_each, field) => [`f:field-${field}`, { '.': {}, 'f:value': {} }]),
  );
  return JSON.stringify({
    metadata: {
      name,
      namespace: `team-${index % 40}`,
      uid: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
      resourceVersion: String(1_000 + index),
      generation: 1,
      creationTimestamp: '2026-01-01T00:00:00Z',
      labels: { app: `app-${Math.floor(index / 50)}`, 'pod-template-hash': '7d9c5b8f6' },
      ownerReferences: [
        { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: `app-${index % 999}`, uid: 'x', controller: true },
      ],
      managedFields: [
        {
          manager: 'kubelet',
          operation: 'Update',
          apiVersion: 'v1',
          fieldsType: 'FieldsV1',
          fieldsV1: fields,
        },
      ],
    },
    spec: {
      nodeName: `node-${index % 500}`,
      serviceAccountName: 'default',
      restartPolicy: 'Always',
      containers: Array.from({ length: 2 }, (_each, container) => ({
        name: `c-${container}`,
        image,
        resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '256Mi' } },
        env: Array.from({ length: 6 }, (_variable, variable) => ({
          name: `VARIABLE_${variable}`,
          value: `value-${index}`,
        })),
        volumeMounts: [
          { name: 'token', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount', readOnly: true },
        ],
      })),
      volumes: [
        {
          name: 'token',
          projected: { defaultMode: 420, sources: [{ serviceAccountToken: { path: 'token' } }] },
        },
      ],
    },
    status: {
      phase: 'Running',
      podIP: `10.0.${index % 250}.${index % 200}`,
      conditions: ['Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map((type) => ({
        type,
        status: 'True',
        lastTransitionTime: '2026-01-01T00:00:00Z',
      })),
      containerStatuses: [
        { name: 'c-0', ready: true, image, imageID: `${image}@sha256:${digest}`, restartCount: 0 },
      ],
    },
  });
}

/** Lists pods in pages if asked, in one answer if not; a watch stays open and says nothing. */
async function servePods(count: number): Promise<ServerAddress> {
  const authority = createAuthority();
  const { certificate, key } = issueCertificate(authority, 'pods');
  const server = createServer({ cert: certificate, key }, (request, response) => {
    const { searchParams } = new URL(request.url ?? '/', 'https://localhost');
    response.writeHead(200, { 'content-type': 'application/json' });
    if (searchParams.get('watch') !== null) {
      response.flushHeaders();
      return;
    }
    const start = Number(searchParams.get('continue') ?? '0');
    const end = Math.min(count, start + Number(searchParams.get('limit') ?? DEFAULT_PAGE));
    const isMetadataOnly = request.headers.accept?.includes('PartialObjectMetadataList') === true;
    void writeList(response, { start, end, count, text: isMetadataOnly ? metadataText : podText });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      resolve();
    });
  });
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    authority: authority.certificate,
  };
}

interface Page {
  readonly start: number;
  readonly end: number;
  readonly count: number;
  readonly text: (index: number) => string;
}

async function writeList(response: ServerResponse, { start, end, count, text }: Page): Promise<void> {
  const next = end < count ? `,"continue":"${end}"` : '';
  response.write(
    `{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"99999999"${next}},"items":[`,
  );
  for (let index = start; index < end; index += 1) {
    const isDrained = response.write(`${index === start ? '' : ','}${text(index)}`);
    if (!isDrained) await new Promise((resolve) => response.once('drain', resolve));
  }
  response.end(']}');
}

async function serveObjects(count: number): Promise<ServerAddress> {
  const server = await FakeApiServer.start();
  const ref = { group: '', version: 'v1', plural: 'configmaps' };
  for (let index = 0; index < count; index += 1) {
    const metadata = { name: `c-${index}`, namespace: 'default' };
    server.store.put(ref, { kind: 'ConfigMap', metadata, data: { value: '0' } });
  }
  return { url: server.url, authority: server.authority.certificate };
}

const { values } = parseArgs({ options: { pods: { type: 'string' }, objects: { type: 'string' } } });
const address =
  values.pods === undefined
    ? await serveObjects(Number(values.objects))
    : await servePods(Number(values.pods));
process.send?.(address);
