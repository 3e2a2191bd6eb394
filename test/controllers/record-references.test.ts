import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DockerImageRecord } from '../../src/api/docker-image-record.ts';
import { systemClock } from '../../src/clock.ts';
import { RecordReferences } from '../../src/controllers/record-references.ts';
import type { Transport } from '../../src/kube/transport.ts';
import { DIGEST_A, dockerImageRecord, prepulledImage } from '../support/builders.ts';
import { FakeApiServer } from '../support/fake-api-server.ts';
import { PODS, PREPULLED_IMAGES } from './fixtures.ts';

const SIGNAL = new AbortController().signal;
const ANNOTATED = { annotations: { 'larder.dev/record': 'yolo-v5' } };

let server: FakeApiServer;
let transport: Transport;
let references: RecordReferences;

beforeEach(async () => {
  server = await FakeApiServer.start();
  const connection = server.connect(systemClock);
  transport = connection.transport;
  references = new RecordReferences(connection.client);
});

afterEach(async () => {
  await transport.close();
  await server.close();
});

function put(
  [group, plural]: readonly [string, string],
  name: string,
  rest: { readonly metadata?: object; readonly [field: string]: unknown } = {},
): void {
  const { metadata = ANNOTATED, ...fields } = rest;
  server.store.put(
    { group, version: 'v1', plural },
    { ...fields, metadata: { name, namespace: 'default', ...metadata } },
  );
}

const POD = ['', 'pods'] as const;
const JOB = ['batch', 'jobs'] as const;

async function namesOf(record: DockerImageRecord = dockerImageRecord()): Promise<readonly string[]> {
  return (await references.find(record, SIGNAL)).map(({ kind, name }) => `${kind} ${name}`);
}

describe('references of a record', () => {
  it('are none in an empty namespace', async () => {
    expect(await namesOf()).toEqual([]);
  });

  it('are the annotated workloads of its namespace, of every kind', async () => {
    put(POD, 'pod');
    put(JOB, 'job');
    put(['batch', 'cronjobs'], 'cronjob');
    put(['apps', 'deployments'], 'deployment');
    put(['apps', 'statefulsets'], 'statefulset');
    put(['apps', 'daemonsets'], 'daemonset');
    put(POD, 'elsewhere', { metadata: { ...ANNOTATED, namespace: 'other' } });
    put(POD, 'of-another', { metadata: { annotations: { 'larder.dev/record': 'yolo' } } });
    put(POD, 'of-nobody', { metadata: {} });
    expect(await namesOf()).toEqual([
      'CronJob cronjob',
      'DaemonSet daemonset',
      'Deployment deployment',
      'Job job',
      'Pod pod',
      'StatefulSet statefulset',
    ]);
  });

  it('say where they name the record', async () => {
    put(POD, 'pod', { metadata: { ...ANNOTATED, uid: 'u1' } });
    expect(await references.find(dockerImageRecord(), SIGNAL)).toEqual([
      {
        apiVersion: 'v1',
        kind: 'Pod',
        namespace: 'default',
        name: 'pod',
        uid: 'u1',
        fieldPath: "metadata.annotations['larder.dev/record']",
      },
    ]);
  });

  it('are not what has finished', async () => {
    put(POD, 'done', { status: { phase: 'Succeeded' } });
    put(POD, 'broken', { status: { phase: 'Failed' } });
    put(POD, 'running', { status: { phase: 'Running' } });
    put(JOB, 'done', { status: { conditions: [{ type: 'Complete', status: 'True' }] } });
    put(JOB, 'suspended', { status: { conditions: [{ type: 'Suspended', status: 'True' }] } });
    expect(await namesOf()).toEqual(['Job suspended', 'Pod running']);
  });

  it('are found on every page', async () => {
    for (let index = 0; index < 501; index += 1) put(POD, `pod-${String(index).padStart(3, '0')}`);
    expect(await namesOf()).toHaveLength(501);
  });

  it('are read as metadata only, so that 50,000 pods cost little', async () => {
    await namesOf();
    const lists = server.requests.filter(({ verb }) => verb === 'list');
    const whole = lists.filter(({ headers }) => headers.accept === 'application/json');
    expect(whole.map(({ plural }) => plural).sort()).toEqual(['jobs', 'prepulledimages']);
  });
});

describe('PrepulledImages', () => {
  function image(name: string, metadata: object = {}, spec: object = { recordRef: { name: 'yolo-v5' } }) {
    server.store.put(PREPULLED_IMAGES, prepulledImage({ metadata: { name, ...metadata }, spec }));
  }

  it('refer by recordRef, in the namespace of the record', async () => {
    image('by-hand');
    image('of-another', {}, { recordRef: { name: 'yolo' } });
    image('of-none', {}, {});
    image('elsewhere', { namespace: 'other' });
    expect(await namesOf()).toEqual(['PrepulledImage by-hand']);
  });

  it('of its own making do not hold it, nor those of a record restored under the same name', async () => {
    const owner = { apiVersion: 'larder.dev/v1alpha1', kind: 'DockerImageRecord', controller: true };
    image('own', { ownerReferences: [{ ...owner, name: 'yolo-v5', uid: 'uid-of-yolo-v5' }] });
    image('of-before', { ownerReferences: [{ ...owner, name: 'yolo-v5', uid: 'uid-of-yesterday' }] });
    expect(await namesOf()).toEqual([]);
  });

  it('made after the record was asked to go do not hold it', async () => {
    image('before', { creationTimestamp: '2026-11-21T12:00:00Z' });
    image('after', { creationTimestamp: '2026-11-21T12:00:02Z' });
    const deleting = { metadata: { name: 'yolo-v5', deletionTimestamp: '2026-11-21T12:00:01Z' } };
    expect(await namesOf(dockerImageRecord(deleting))).toEqual(['PrepulledImage before']);
  });
});

describe('pods by image', () => {
  const IMAGE = 'registry.example.org:443/waikato/pytorch-yolov5';

  function pod(name: string, spec: object, metadata: object = {}): void {
    server.store.put(PODS, { metadata: { name, namespace: 'default', ...metadata }, spec });
  }

  function matching(matchByImage: boolean): DockerImageRecord {
    const image = { registry: 'registry.example.org:443', repository: 'waikato/x', digest: DIGEST_A };
    return dockerImageRecord({ spec: { matchByImage }, status: { image } });
  }

  it('count if the record asks for it: by tag, by digest, in any container', async () => {
    pod('by-tag', { containers: [{ image: `${IMAGE}:2022-11-05_cuda11.1` }] });
    pod('by-digest', { containers: [{ image: 'a:1' }, { image: `${IMAGE}@${DIGEST_A}` }] });
    pod('init', { containers: [], initContainers: [{ image: `${IMAGE}:2022-11-05_cuda11.1@${DIGEST_A}` }] });
    pod('other-tag', { containers: [{ image: `${IMAGE}:latest` }] });
    pod(
      'pull',
      { containers: [{ image: `${IMAGE}@${DIGEST_A}` }] },
      {
        labels: { 'larder.dev/component': 'pull-pod' },
      },
    );
    expect(await namesOf(matching(true))).toEqual(['Pod by-digest', 'Pod by-tag', 'Pod init']);
    expect(await namesOf(matching(false))).toEqual([]);
  });
});
