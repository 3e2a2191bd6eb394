import { describe, expect, it } from 'vitest';
import type { ImageSource } from '../../src/api/image-source.ts';
import type { PrepulledImage } from '../../src/api/prepulled-image.ts';
import { createMetrics } from '../../src/server/metrics.ts';
import { objectMetrics } from '../../src/server/object-metrics.ts';
import { registryMetrics } from '../../src/server/registry-metrics.ts';
import { imageSource, prepulledImage } from '../support/builders.ts';

const TIME = '2026-11-21T12:00:00Z';

async function lines(
  sources: readonly ImageSource[],
  images: readonly PrepulledImage[] = [],
): Promise<readonly string[]> {
  const metrics = createMetrics({ processMetrics: false });
  objectMetrics(metrics.registry, { sources: () => sources, images: () => images });
  return (await metrics.expose()).body
    .split('\n')
    .filter((line) => /^larder_(?:source|scan|image)/.test(line));
}

function scanned(status: 'True' | 'False'): ImageSource {
  const ready = { type: 'Ready', status, reason: 'x', message: '', lastTransitionTime: TIME };
  const scan = { tags: 120, pages: 2, requests: 7, headRequests: 5, durationMs: 1_500, listRevision: 'a' };
  return { ...imageSource(), status: { conditions: [ready], lastScanTime: TIME, scan } };
}

function lacking(name: string, missing: number, suspend = false): PrepulledImage {
  const counts = {
    eligible: 10,
    present: 10 - missing,
    unknown: 0,
    pulling: 0,
    waiting: 0,
    failed: 0,
    skipped: 0,
  };
  return { ...prepulledImage({ metadata: { name }, spec: { suspend } }), status: { nodes: counts } };
}

describe('metrics of sources', () => {
  it('tell of each whether it is ready, when it was scanned, and what that cost', async () => {
    expect(await lines([scanned('True')])).toEqual([
      'larder_source_ready{namespace="default",name="lab"} 1',
      'larder_source_last_scan_timestamp_seconds{namespace="default",name="lab"} 1795262400',
      'larder_scan_duration_seconds{namespace="default",name="lab"} 1.5',
      'larder_scan_requests{namespace="default",name="lab"} 7',
      'larder_source_tags{namespace="default",name="lab"} 120',
    ]);
    expect(await lines([scanned('False')])).toContain(
      'larder_source_ready{namespace="default",name="lab"} 0',
    );
  });

  it('say nothing of what is not known, or suspended', async () => {
    expect(await lines([imageSource({ spec: { suspend: true } })])).toEqual([]);
  });

  it('are bounded, however many sources there are', async () => {
    const many = Array.from({ length: 300 }, (_, index) => imageSource({ metadata: { name: `s${index}` } }));
    expect(await lines(many)).toHaveLength(200);
  });
});

describe('metrics of images', () => {
  it('tell of those that nodes lack, the worst first', async () => {
    expect(
      await lines([], [lacking('a', 1), lacking('b', 9), lacking('c', 0), lacking('d', 5, true)]),
    ).toEqual([
      'larder_image_missing_nodes{namespace="default",name="b"} 9',
      'larder_image_missing_nodes{namespace="default",name="a"} 1',
    ]);
  });
});

describe('metrics of images that are not ready', () => {
  function saying(name: string, status: 'True' | 'False', reason: string, suspend = false): PrepulledImage {
    const ready = { type: 'Ready', status, reason, message: '', lastTransitionTime: TIME };
    return { ...prepulledImage({ metadata: { name }, spec: { suspend } }), status: { conditions: [ready] } };
  }

  it('tell of those that somebody has to look at, also where no node was ever counted', async () => {
    const images = [
      saying('refused', 'False', 'SecretAccessDenied'),
      saying('gone', 'False', 'ManifestUnknown'),
      saying('under-way', 'False', 'Stocking'),
      saying('new', 'False', 'Progressing'),
      saying('resting', 'False', 'Suspended', true),
      saying('there', 'True', 'Stocked'),
      prepulledImage({ metadata: { name: 'unseen' } }),
    ];
    expect(await lines([], images)).toEqual([
      'larder_image_not_ready{namespace="default",name="gone"} 1',
      'larder_image_not_ready{namespace="default",name="refused"} 1',
    ]);
  });
});

describe('metrics of registries', () => {
  it('count by host, remember what is left, and put rare hosts together', async () => {
    const metrics = createMetrics({ processMetrics: false });
    const observe = registryMetrics(metrics.registry);
    const exchange = { method: 'GET', status: 200, durationMs: 40, remaining: undefined };
    observe({ ...exchange, host: 'r.io', remaining: 76 });
    observe({ ...exchange, host: 'r.io', status: undefined });
    for (let index = 0; index < 150; index += 1) observe({ ...exchange, host: `host-${index}` });
    const { body } = await metrics.expose();
    expect(body).toContain('larder_registry_requests_total{host="r.io",code="200"} 1');
    expect(body).toContain('larder_registry_requests_total{host="r.io",code="0"} 1');
    expect(body).toContain('larder_registry_ratelimit_remaining{host="r.io"} 76');
    expect(body).toContain('larder_registry_requests_total{host="other",code="200"} 51');
    expect(body).not.toContain('host-99"');
  });
});
