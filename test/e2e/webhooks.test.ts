/** A real registry tells a real operator of its pushes: tags are updated within seconds, the list is not read again. */

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findBinaries } from '../../hack/dev-cluster/binaries.ts';
import { type Daemon, freePorts } from '../../hack/dev-cluster/daemon.ts';
import { type ImageRegistry, startImageRegistry } from '../../hack/dev-cluster/image-registry.ts';
import { ImageWriter } from '../../hack/dev-cluster/image-writer.ts';
import { startOperator } from '../../hack/dev-cluster/operator-process.ts';
import type { ImageSourceManifest } from '../../src/api/image-source.ts';
import { imageSourceManifest, type Overrides } from '../support/builders.ts';
import {
  apply,
  conditionOf,
  eventually,
  getSource,
  listImages,
  type Stage,
  startStage,
  tagOf,
} from '../support/dev-cluster.ts';

const run = promisify(execFile);
const TOKEN = 'token-of-the-registry-0123456789';
const COMPONENT = join(import.meta.dirname, '../../config/components/webhooks');
/** From a push to the status; without events it would be the interval of an hour. */
const SECONDS = 15_000;

let stage: Stage;
let operator: Daemon;
let registry: ImageRegistry;
let url: string;
let crane: string;

function source(name: string, spec: Overrides<ImageSourceManifest['spec']> = {}): ImageSourceManifest {
  return imageSourceManifest({
    metadata: { name, namespace: 'default' },
    spec: {
      image: `${registry.host}/sciplat/lab`,
      interval: '1h',
      access: { plainHTTP: true },
      tags: { grammar: 'RSP', aliases: ['latest_weekly'] },
      select: [{ name: 'weeklies', type: 'weekly', newest: 2 }],
      prepull: {},
      webhook: { enabled: true },
      ...spec,
    },
  });
}

async function tagsOf(name: string): Promise<readonly string[]> {
  const { status } = await getSource(stage.cluster, 'default', name);
  return status?.images?.map(({ tag }) => tag) ?? [];
}

beforeAll(async () => {
  stage = await startStage({ logFolder: join('reports', 'e2e-webhooks'), nodes: 2 });
  for (const file of ['cluster-role.yaml', 'role.yaml']) {
    await stage.cluster.kubectl(['apply', '-f', join(COMPONENT, file)]);
  }
  const [port = 0] = await freePorts(1);
  url = `http://127.0.0.1:${port}`;
  crane = (await findBinaries(['crane'], () => undefined)).get('crane') ?? 'crane';
  const folder = await stage.cluster.subfolder('notifying');
  registry = await startImageRegistry({ folder, notify: { url: `${url}/hooks/${TOKEN}` } });
  stage.cluster.adopt(registry.daemon);
  operator = await startOperator(stage.cluster, { flags: [`--http-port=${port}`] });
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'hook' },
    stringData: { token: TOKEN },
  };
  await apply(stage.cluster, secret);
  const lab = new ImageWriter(registry.host, 'sciplat/lab');
  await lab.push({ seed: 'w_2026_46' }, ['w_2026_46', 'latest_weekly']);
  await new ImageWriter(registry.host, 'sciplat/stage').push({ seed: 'w_2026_47' }, ['next']);
  await new ImageWriter(registry.host, 'sciplat/stage').push({ seed: 'rebuilt' }, ['rebuilt']);
});

afterAll(async () => {
  await stage.cluster.stop({ keepLogs: true });
});

/** As a pipeline would promote an image. */
async function promote(from: string, to: string): Promise<void> {
  const repository = `${registry.host}/sciplat`;
  await run(crane, ['copy', '--insecure', `${repository}/stage:${from}`, `${repository}/lab:${to}`]);
}

describe('a registry that notifies', () => {
  let scannedAt: string | undefined;

  it('is scanned once, when the source is new', async () => {
    await apply(stage.cluster, source('lab', { webhook: { enabled: true, secretRef: { name: 'hook' } } }));
    await eventually(async () => {
      expect(await tagsOf('lab')).toEqual(['w_2026_46']);
      const found = await getSource(stage.cluster, 'default', 'lab');
      expect(found.status?.webhookPath).toMatch(/^\/hooks\/[0-9a-f]{64}$/);
      scannedAt = found.status?.lastScanTime;
    });
  });

  it('a new tag is selected and stocked within seconds, without another scan', async () => {
    await promote('next', 'w_2026_47');
    await eventually(async () => {
      expect(await tagsOf('lab')).toEqual(['w_2026_47', 'w_2026_46']);
    }, SECONDS);
    await eventually(async () => {
      const images = await listImages(stage.cluster, 'default');
      expect(images.map(tagOf).sort()).toEqual(['w_2026_46', 'w_2026_47']);
      expect(images.every(({ status }) => status?.prepulled)).toBe(true);
    });
    const { status } = await getSource(stage.cluster, 'default', 'lab');
    expect(status?.lastScanTime).toBe(scannedAt);
    expect(status?.latestWeekly?.tag).toBe('w_2026_47');
  });

  it('a tag that moves is followed', async () => {
    const digestOf = async (tag: string): Promise<string | undefined> => {
      const { status } = await getSource(stage.cluster, 'default', 'lab');
      return status?.images?.find((image) => image.tag === tag)?.digest;
    };
    const before = await digestOf('w_2026_47');
    await promote('rebuilt', 'w_2026_47');
    await eventually(async () => {
      const after = await digestOf('w_2026_47');
      expect(after).toMatch(/^sha256:/);
      expect(after).not.toBe(before);
    }, SECONDS);
  });

  it('pushes to another repository of the registry change nothing', async () => {
    const before = await getSource(stage.cluster, 'default', 'lab');
    await new ImageWriter(registry.host, 'sciplat/other').push({ seed: 'x' }, ['w_2026_48']);
    await promote('next', 'w_2026_45');
    await eventually(async () => {
      const after = await getSource(stage.cluster, 'default', 'lab');
      expect(after.metadata.annotations?.['larder.dev/pushed-tags']).toContain(' w_2026_45');
      expect(after.status?.lastHandledPush).not.toBe(before.status?.lastHandledPush);
    }, SECONDS);
    expect(await tagsOf('lab')).toEqual(['w_2026_47', 'w_2026_46']);
  });
});

describe('a source without a Secret', () => {
  it('gets one, and the path in its status takes events that show its token', async () => {
    await apply(stage.cluster, source('own'));
    await eventually(async () => {
      const own = await getSource(stage.cluster, 'default', 'own');
      expect(conditionOf(own, 'WebhookReady')).toMatchObject({ status: 'True' });
    });
    const { status } = await getSource(stage.cluster, 'default', 'own');
    const { data } = await stage.cluster.getJson<{ data: { token: string } }>(['secret', 'own-webhook']);
    const token = Buffer.from(data.token, 'base64').toString('utf8');
    const body = JSON.stringify({ repository: 'sciplat/lab', updated_tags: ['w_2026_46'] });
    const send = (path: string, headers: Record<string, string>): Promise<Response> =>
      fetch(`${url}${path}`, { method: 'POST', body, headers });
    const path = status?.webhookPath ?? '';
    expect((await send(path, {})).status).toBe(401);
    expect((await send(path, { authorization: `Bearer ${token}` })).status).toBe(202);
    expect((await send(`/hooks/${token}`, {})).status).toBe(202);
    await eventually(async () => {
      expect((await getSource(stage.cluster, 'default', 'own')).status?.lastHandledPush).toBeDefined();
    }, SECONDS);
    const log = await readFile(operator.logFile, 'utf8');
    expect(log.includes(token) || log.includes(TOKEN)).toBe(false);
  });
});

it('never asked for a right it does not have', async () => {
  const log = await readFile(operator.logFile, 'utf8');
  expect(log.split('\n').filter((line) => /"status":403/.test(line))).toEqual([]);
});
