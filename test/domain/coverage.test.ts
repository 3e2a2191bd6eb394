import { beforeEach, describe, expect, it } from 'vitest';
import { Coverage } from '../../src/domain/coverage.ts';
import type { Digest } from '../../src/domain/digest.ts';
import type { NodeFacts } from '../../src/domain/node.ts';
import { stockReport } from '../../src/domain/stock-report.ts';
import { placement, pullsFor, type Want } from '../../src/domain/want.ts';

const DIGEST: Digest = `sha256:${'a'.repeat(64)}`;
const OTHER: Digest = `sha256:${'b'.repeat(64)}`;
const IMAGE = { registry: 'reg.example', repository: 'team/lab', tag: 'w_2026_40', digest: DIGEST };

function node(name: string, overrides: Partial<NodeFacts> = {}): NodeFacts {
  return {
    name,
    uid: `uid-${name}`,
    labels: {},
    taints: [],
    unschedulable: false,
    ready: true,
    conditions: { diskPressure: false, memoryPressure: false, pidPressure: false },
    os: 'linux',
    architecture: 'amd64',
    images: [],
    ...overrides,
  };
}

function want(overrides: Partial<Want> = {}): Want {
  return {
    id: 'ns/lab',
    namespace: 'ns',
    identity: 'ns/',
    priority: 0,
    sizeBytes: 10,
    pulls: pullsFor(IMAGE, 'Digest'),
    scope: {},
    platforms: [],
    ...overrides,
  };
}

describe('pullsFor', () => {
  it('asks for a digest once and for a tag always', () => {
    expect(pullsFor(IMAGE, 'Both')).toEqual([
      { key: DIGEST, reference: `reg.example/team/lab@${DIGEST}`, policy: 'IfNotPresent' },
      {
        key: `reg.example/team/lab:w_2026_40@${DIGEST}`,
        reference: 'reg.example/team/lab:w_2026_40',
        policy: 'Always',
      },
    ]);
  });

  it('falls back to the digest where there is no tag', () => {
    const untagged = { registry: IMAGE.registry, repository: IMAGE.repository, digest: DIGEST };
    expect(pullsFor(untagged, 'Tag').map(({ key }) => key)).toEqual([DIGEST]);
  });
});

describe('placement', () => {
  it('skips a node whose platform the image does not have, and says both sides', () => {
    const arm = want({ platforms: [{ os: 'linux', architecture: 'arm64' }] });
    expect(placement(node('n1'), arm)).toEqual({
      eligible: false,
      reason: 'PlatformMismatch',
      message: 'Image is for linux/arm64; the node is linux/amd64',
    });
  });

  it('counts unknown platforms as fitting', () => {
    expect(placement(node('n1'), want())).toEqual({ eligible: true });
  });
});

describe('Coverage', () => {
  let coverage: Coverage;
  let changes: [string, readonly string[]][];

  beforeEach(() => {
    coverage = new Coverage();
    changes = [];
    coverage.subscribe((name, keys) => changes.push([name, keys]));
  });

  it('believes a digest listed by the node under any name', () => {
    coverage.observeNode(
      node('n1', { images: [{ names: [`mirror.example/copy@${DIGEST}`], sizeBytes: 1 }] }),
    );
    expect(coverage.isPresent('n1', want())).toBe(true);
    expect(coverage.isPresent('n2', want())).toBe(false);
  });

  it('believes a tag only together with the digest it is wanted at', () => {
    const byTag = want({ pulls: pullsFor(IMAGE, 'Tag') });
    const tagged = 'reg.example/team/lab:w_2026_40';
    coverage.observeNode(node('n1', { images: [{ names: [`x@${OTHER}`, tagged], sizeBytes: 1 }] }));
    expect(coverage.isPresent('n1', byTag)).toBe(false);
    coverage.observeNode(node('n1', { images: [{ names: [`x@${DIGEST}`, tagged], sizeBytes: 1 }] }));
    expect(coverage.isPresent('n1', byTag)).toBe(true);
  });

  it('needs both proofs for Both', () => {
    const both = want({ pulls: pullsFor(IMAGE, 'Both') });
    coverage.addReceipt('n1', 'uid-n1', DIGEST, 1);
    expect(coverage.isPresent('n1', both)).toBe(false);
    coverage.addReceipt('n1', 'uid-n1', `reg.example/team/lab:w_2026_40@${DIGEST}`, 2);
    expect(coverage.isPresent('n1', both)).toBe(true);
  });

  it('is not misled by a similar tag or digest', () => {
    coverage.observeNode(
      node('n1', { images: [{ names: ['reg.example/team/lab:w_2026_4'], sizeBytes: 1 }] }),
    );
    expect(coverage.isPresent('n1', want())).toBe(false);
  });

  it('forgets everything when the machine behind a name is another one', () => {
    coverage.addReceipt('n1', 'uid-n1', DIGEST, 1);
    coverage.observeNode(node('n1', { uid: 'reborn' }));
    expect(coverage.isPresent('n1', want())).toBe(false);
  });

  it('keeps a receipt while the node does not list the image: absence is no evidence here', () => {
    coverage.addReceipt('n1', 'uid-n1', DIGEST, 1);
    coverage.observeNode(node('n1', { images: [{ names: [`other@${OTHER}`], sizeBytes: 1 }] }));
    expect(coverage.isPresent('n1', want())).toBe(true);
  });

  it('tells listeners what changed, once', () => {
    const listed = node('n1', { images: [{ names: [`x@${DIGEST}`], sizeBytes: 1 }] });
    coverage.observeNode(listed);
    coverage.observeNode(listed);
    coverage.addReceipt('n1', 'uid-n1', OTHER, 1);
    coverage.addReceipt('n1', 'uid-n1', OTHER, 2);
    coverage.removeNode('n1');
    expect(changes).toEqual([
      ['n1', [DIGEST]],
      ['n1', [OTHER]],
      ['n1', [DIGEST, OTHER]],
    ]);
  });
});

describe('stockReport', () => {
  it('counts each node once, in the state that explains it best', () => {
    const coverage = new Coverage();
    const gpu = want({ scope: { nodeSelector: { gpu: 'yes' } } });
    const labels = { gpu: 'yes' };
    const nodes = [
      node('has', { labels }),
      node('pulls', { labels }),
      node('waits', { labels }),
      node('fails', { labels }),
      node('cordoned', { labels, unschedulable: true }),
      node('unconcerned'),
    ];
    coverage.addReceipt('has', 'uid-has', DIGEST, 1);
    coverage.setPulling('pulls', 'uid-pulls', new Set([DIGEST]));
    const failure = { reason: 'PullFailed', message: 'not found', attempts: 2, lastAttempt: 5, notBefore: 9 };
    coverage.setFailure('fails', 'uid-fails', gpu, failure);

    const report = stockReport(gpu, nodes, coverage);

    expect(report).toMatchObject({ eligible: 4, present: 1, pulling: 1, waiting: 1, failed: 1, skipped: 1 });
    expect(report.presentOn).toEqual(['has']);
    expect(report.missing.map(({ node: name, state, reason }) => [name, state, reason])).toEqual([
      ['fails', 'Failed', 'PullFailed'],
      ['pulls', 'Pulling', 'Pulling'],
      ['waits', 'Waiting', 'Queued'],
      ['cordoned', 'Skipped', 'Cordoned'],
    ]);
  });

  it('forgets failures on one node after success, on all when the image is edited', () => {
    const coverage = new Coverage();
    const failure = { reason: 'PullFailed', message: '', attempts: 1, lastAttempt: 1, notBefore: 2 };
    for (const name of ['n1', 'n2', 'n3']) coverage.setFailure(name, `uid-${name}`, want(), failure);
    coverage.clearFailures('ns/lab', 'n1');
    expect([coverage.failure('n1', 'ns/lab'), coverage.failure('n2', 'ns/lab')]).toEqual([
      undefined,
      failure,
    ]);
    coverage.clearFailures('ns/lab');
    expect(coverage.failure('n3', 'ns/lab')).toBeUndefined();
  });
});
