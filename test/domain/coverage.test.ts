import { beforeEach, describe, expect, it } from 'vitest';
import { Circuits } from '../../src/domain/circuits.ts';
import { Coverage } from '../../src/domain/coverage.ts';
import type { Digest } from '../../src/domain/digest.ts';
import type { NodeFacts } from '../../src/domain/node.ts';
import { stockReport } from '../../src/domain/stock-report.ts';
import { placement, pullsFor, type Want } from '../../src/domain/want.ts';
import { nodeFacts, want } from '../support/stock-builders.ts';

const DIGEST: Digest = `sha256:${'a'.repeat(64)}`;
const OTHER: Digest = `sha256:${'b'.repeat(64)}`;
const FAILURE = { reason: 'ImageNotFound', message: '', attempts: 1, lastAttempt: 0, notBefore: 9 };
const IMAGE = { registry: 'reg.example', repository: 'team/lab', tag: 'w_2026_40', digest: DIGEST };

/** An image asked for by digest. */
function lab(overrides: Partial<Want> = {}): Want {
  return want('lab', { pulls: pullsFor(IMAGE, 'Digest'), ...overrides });
}

function pullOf(key: string): Want['pulls'][number] {
  return { key, reference: 'reg.example/x', policy: 'IfNotPresent' };
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

  it('asks for a tag alone, and falls back to the digest where there is none', () => {
    expect(pullsFor(IMAGE, 'Tag')).toEqual(pullsFor(IMAGE, 'Both').slice(1));
    const untagged = { registry: IMAGE.registry, repository: IMAGE.repository, digest: DIGEST };
    expect(pullsFor(untagged, 'Tag').map(({ key }) => key)).toEqual([DIGEST]);
  });
});

describe('placement', () => {
  it('skips a node whose platform the image does not have, and says both sides', () => {
    const arm = lab({ platforms: [{ os: 'linux', architecture: 'arm64' }] });
    expect(placement(nodeFacts('n1'), arm)).toEqual({
      eligible: false,
      reason: 'PlatformMismatch',
      message: 'Image is for linux/arm64; the node is linux/amd64',
    });
  });

  it('needs one platform of the image to fit, and tells what keeps a node out anyway', () => {
    const [arm, amd] = [
      { os: 'linux', architecture: 'arm64' },
      { os: 'linux', architecture: 'amd64' },
    ];
    expect(placement(nodeFacts('n1'), lab({ platforms: [arm, amd] }))).toEqual({ eligible: true });
    expect(
      placement(nodeFacts('n1', { architecture: 's390x' }), lab({ platforms: [arm, amd] })),
    ).toMatchObject({ message: 'Image is for linux/arm64, linux/amd64; the node is linux/s390x' });
    const cordoned = nodeFacts('n1', { unschedulable: true });
    expect(placement(cordoned, lab({ platforms: [arm] }))).toMatchObject({ reason: 'Cordoned' });
  });

  it('counts unknown platforms as fitting', () => {
    expect(placement(nodeFacts('n1'), lab())).toEqual({ eligible: true });
  });

  it.each([[[]], [[{ os: 'windows', architecture: 'amd64' }]]])(
    'skips nodes that are not Linux, whose kubelet would refuse the pod',
    (platforms) => {
      expect(placement(nodeFacts('n1', { os: 'windows' }), lab({ platforms }))).toEqual({
        eligible: false,
        reason: 'PlatformMismatch',
        message: 'Images are pulled on linux only; the node is windows/amd64',
      });
    },
  );
});

describe('Coverage', () => {
  let coverage: Coverage;
  let changes: [string, readonly string[]][];
  const receive = (name: string, key: string, now: number): boolean =>
    coverage.addReceipt({ name, uid: `uid-of-${name}` }, { key, proof: `pod/${key}` }, now);

  beforeEach(() => {
    coverage = new Coverage();
    changes = [];
    coverage.subscribe((name, keys) => changes.push([name, keys]));
  });

  it('believes a digest listed by the node under any name', () => {
    coverage.observeNode(
      nodeFacts('n1', { images: [{ names: [`mirror.example/copy@${DIGEST}`], sizeBytes: 1 }] }),
    );
    expect(coverage.isPresent('n1', lab())).toBe(true);
    expect(coverage.isPresent('n2', lab())).toBe(false);
  });

  it('believes a tag only together with the digest it is wanted at', () => {
    const byTag = lab({ pulls: pullsFor(IMAGE, 'Tag') });
    const tagged = 'reg.example/team/lab:w_2026_40';
    coverage.observeNode(nodeFacts('n1', { images: [{ names: [`x@${OTHER}`, tagged], sizeBytes: 1 }] }));
    expect(coverage.isPresent('n1', byTag)).toBe(false);
    coverage.observeNode(nodeFacts('n1', { images: [{ names: [`x@${DIGEST}`, tagged], sizeBytes: 1 }] }));
    expect(coverage.isPresent('n1', byTag)).toBe(true);
  });

  it('needs both proofs for Both', () => {
    const both = lab({ pulls: pullsFor(IMAGE, 'Both') });
    receive('n1', DIGEST, 1);
    expect(coverage.isPresent('n1', both)).toBe(false);
    receive('n1', `reg.example/team/lab:w_2026_40@${DIGEST}`, 2);
    expect(coverage.isPresent('n1', both)).toBe(true);
  });

  it('is not misled by a similar tag or digest', () => {
    coverage.observeNode(
      nodeFacts('n1', { images: [{ names: ['reg.example/team/lab:w_2026_4'], sizeBytes: 1 }] }),
    );
    expect(coverage.isPresent('n1', lab())).toBe(false);
  });

  it('forgets everything when the machine behind a name is another one', () => {
    receive('n1', DIGEST, 1);
    coverage.observeNode(nodeFacts('n1', { uid: 'reborn' }));
    expect(coverage.isPresent('n1', lab())).toBe(false);
  });

  it('forgets what a machine had that was set up anew under its old node, whatever its pods still say', () => {
    coverage.observeNode(nodeFacts('n1', { machineId: 'first' }));
    receive('n1', DIGEST, 1);
    coverage.observeNode(nodeFacts('n1'));
    coverage.observeNode(nodeFacts('n1', { machineId: 'first' }));
    expect(coverage.isPresent('n1', lab())).toBe(true);
    changes = [];
    coverage.observeNode(nodeFacts('n1', { machineId: 'second' }));
    expect(coverage.isPresent('n1', lab())).toBe(false);
    expect(changes).toEqual([['n1', [DIGEST]]]);
    expect(receive('n1', DIGEST, 2)).toBe(false);
    expect(coverage.addReceipt(nodeFacts('n1'), { key: DIGEST, proof: 'newer' }, 3)).toBe(true);
  });

  it('keeps what a machine has that tells its id for the first time', () => {
    receive('n1', DIGEST, 1);
    coverage.observeNode(nodeFacts('n1', { machineId: 'first' }));
    expect(coverage.isPresent('n1', lab())).toBe(true);
  });

  it('knows nothing of a node that has gone, or never was', () => {
    receive('n1', DIGEST, 1);
    coverage.setJudged(nodeFacts('n1'), 'ns/lab', 'pod');
    for (const name of ['n1', 'never there']) coverage.removeNode(name);
    coverage.clearFailures('ns/lab', 'n1');
    coverage.forgetUnwanted('n1', [], 2);
    const now = { monotonic: 2, maxAgeMs: 1 };
    expect(coverage.isPresent('n1', lab())).toBe(false);
    expect(coverage.isListed('n1', lab())).toBe(false);
    expect(coverage.isUnverified('n1', lab(), now)).toBe(false);
    expect(coverage.wasReceived('n1', lab(), now)).toBe(false);
    expect(coverage.isKnown('n1', { key: DIGEST, proof: `pod/${DIGEST}` })).toBe(false);
    expect(coverage.isJudged('n1', 'ns/lab', ['pod'])).toBe(false);
    expect(coverage.pullingKeys('n1')).toEqual([]);
    expect(coverage.evictions('n1', 'ns/lab', 2)).toBe(0);
    expect(coverage.wasEvicted('n1', 'ns/lab')).toBe(false);
    expect(coverage.findEvicted(nodeFacts('n1'), lab(), 1_000_000)).toEqual({ evicted: false });
  });

  it('tells what the node itself lists from what only a pull pod has shown', () => {
    const both = lab({ pulls: pullsFor(IMAGE, 'Both') });
    receive('n1', DIGEST, 1);
    expect(coverage.isListed('n1', lab())).toBe(false);
    coverage.observeNode(nodeFacts('n1', { images: [{ names: [`x@${DIGEST}`], sizeBytes: 1 }] }));
    expect([coverage.isListed('n1', lab()), coverage.isListed('n1', both)]).toEqual([true, false]);
  });

  it('remembers for how long a pull was shown, for all pulls of an image', () => {
    const both = lab({ pulls: pullsFor(IMAGE, 'Both') });
    const [first, second] = both.pulls.map(({ key }) => key);
    const received = (monotonic: number) => coverage.wasReceived('n1', both, { monotonic, maxAgeMs: 10 });
    receive('n1', first ?? '', 100);
    expect(received(100)).toBe(false);
    receive('n1', second ?? '', 105);
    expect([received(109), received(110)]).toEqual([true, false]);
  });

  it('forgets a proof that a kubelet has disproved, and not the next one', () => {
    receive('n1', DIGEST, 1);
    changes = [];
    coverage.disprove(nodeFacts('n1'), OTHER);
    coverage.disprove(nodeFacts('n2'), DIGEST);
    expect(changes).toEqual([]);
    coverage.disprove(nodeFacts('n1'), DIGEST);
    expect(changes).toEqual([['n1', [DIGEST]]]);
    expect(coverage.isPresent('n1', lab())).toBe(false);
    expect(coverage.isKnown('n1', { key: DIGEST, proof: `pod/${DIGEST}` })).toBe(true);
    expect(coverage.isKnown('n1', { key: DIGEST, proof: 'newer' })).toBe(false);
    expect(receive('n1', DIGEST, 2)).toBe(false);
  });

  it('remembers which pods were looked at, by any of their names, for this image', () => {
    coverage.setJudged(nodeFacts('n1'), 'ns/lab', 'pod');
    expect(coverage.isJudged('n1', 'ns/lab', ['other', 'pod'])).toBe(true);
    expect(coverage.isJudged('n1', 'ns/lab', ['other'])).toBe(false);
    expect(coverage.isJudged('n1', 'ns/other', ['pod'])).toBe(false);
    coverage.setJudged(nodeFacts('n1', { uid: 'old' }), 'ns/lab', 'other');
    expect(coverage.isJudged('n1', 'ns/lab', ['other'])).toBe(false);
  });

  it('shows what the pull pod does for any pull of the image', () => {
    const both = lab({ pulls: pullsFor(IMAGE, 'Both') });
    const state = { reason: 'Pulling', message: '' } as const;
    const tag = both.pulls[1]?.key ?? '';
    coverage.setPulling(nodeFacts('n1'), new Map([[tag, state]]));
    expect(coverage.pullState('n1', both)).toBe(state);
    expect(coverage.pullState('n1', lab())).toBeUndefined();
    expect(coverage.pullingKeys('n1')).toEqual([tag]);
  });

  it('takes kubelets to list 50 images unless told otherwise', () => {
    const listing = (length: number) =>
      nodeFacts('n1', { images: Array.from({ length }, () => ({ names: [`x@${OTHER}`], sizeBytes: 20 })) });
    coverage.observeNode(listing(49));
    expect(coverage.provesAbsence('n1', lab())).toBe(true);
    coverage.observeNode(listing(50));
    expect(coverage.provesAbsence('n1', lab())).toBe(false);
  });

  it('takes no news of a machine that has been replaced', () => {
    const coverage = new Coverage();
    coverage.observeNode(nodeFacts('n1', { uid: 'new', images: [{ names: [`x@${DIGEST}`], sizeBytes: 9 }] }));
    const old = nodeFacts('n1', { uid: 'old' });
    coverage.setFailure(old, lab(), FAILURE);
    coverage.setPulling(old, new Map([[OTHER, { reason: 'Pulling', message: '' }]]));
    coverage.setSkipped(old, new Map([['ns/lab', 'too large']]), [lab()]);
    coverage.setJudged(old, 'ns/lab', 'pod');
    expect(coverage.addReceipt(nodeFacts('n1', { uid: 'old' }), { key: OTHER, proof: 'pod' }, 0)).toBe(false);
    expect(coverage.isPresent('n1', lab())).toBe(true);
    expect(coverage.failure('n1', 'ns/lab')).toBeUndefined();
    expect(coverage.isPresent('n1', lab({ pulls: pullsFor({ ...IMAGE, digest: OTHER }, 'Digest') }))).toBe(
      false,
    );
  });

  it('forgets in time what nobody wants any more', () => {
    const coverage = new Coverage();
    coverage.observeNode(nodeFacts('n1'));
    for (let day = 0; day < 400; day += 1) {
      coverage.addReceipt(nodeFacts('n1'), { key: `sha256:${String(day)}`, proof: 'pod' }, day * 86_400_000);
      coverage.forgetUnwanted('n1', [lab()], day * 86_400_000 + 1);
    }
    const known = Array.from({ length: 400 }, (_, day) => lab({ pulls: [pullOf(`sha256:${String(day)}`)] }));
    expect(known.filter((one) => coverage.isPresent('n1', one))).toHaveLength(1);
    coverage.addReceipt(nodeFacts('n1'), { key: DIGEST, proof: 'pod' }, 0);
    coverage.forgetUnwanted('n1', [lab()], 401 * 86_400_000);
    expect(coverage.isPresent('n1', lab())).toBe(true);
  });

  it('keeps a receipt while the node does not list the image: absence is no evidence here', () => {
    receive('n1', DIGEST, 1);
    coverage.observeNode(nodeFacts('n1', { images: [{ names: [`other@${OTHER}`], sizeBytes: 1 }] }));
    expect(coverage.isPresent('n1', lab())).toBe(true);
  });

  it('tells listeners what changed, once', () => {
    const listed = nodeFacts('n1', { images: [{ names: [`x@${DIGEST}`], sizeBytes: 1 }] });
    coverage.observeNode(listed);
    coverage.observeNode(listed);
    receive('n1', OTHER, 1);
    receive('n1', OTHER, 2);
    coverage.removeNode('n1');
    expect(changes).toEqual([
      ['n1', [DIGEST]],
      ['n1', [OTHER]],
      ['n1', [DIGEST, OTHER]],
    ]);
  });

  it('tells nobody of a newer proof, of a pull that goes on, or of a want that still has no room', () => {
    const images = [lab(), want('other')];
    const pulling = (...keys: readonly string[]) => {
      const states = keys.map((key) => [key, { reason: 'Pulling', message: key }] as const);
      coverage.setPulling(nodeFacts('n1'), new Map(states));
    };
    receive('n1', DIGEST, 1);
    coverage.addReceipt(nodeFacts('n1'), { key: DIGEST, proof: 'newer' }, 2);
    pulling('a', 'b');
    pulling('b', 'c');
    coverage.setSkipped(nodeFacts('n1'), new Map([['ns/lab', 'too large']]), images);
    coverage.setSkipped(nodeFacts('n1'), new Map([['ns/lab', 'too large']]), images);
    expect(coverage.skipReason('n1', 'ns/lab')).toBe('too large');
    coverage.setSkipped(nodeFacts('n1'), new Map(), images);
    coverage.setFailure(nodeFacts('n1'), lab(), FAILURE);
    expect(changes).toEqual([
      ['n1', [DIGEST]],
      ['n1', ['a', 'b']],
      ['n1', ['a', 'c']],
      ['n1', [DIGEST]],
      ['n1', [DIGEST]],
      ['n1', [DIGEST]],
    ]);
  });
});

describe('absence', () => {
  const START = 1_000_000;
  let coverage: Coverage;
  const other = (sizeBytes: number) => ({ names: [`other@${OTHER}`], sizeBytes });

  beforeEach(() => {
    coverage = new Coverage({ nodeStatusMaxImages: 2 });
    coverage.addReceipt(nodeFacts('n1'), { key: DIGEST, proof: 'pod-1' }, START);
  });

  function find(listed: NodeFacts, now: number): ReturnType<Coverage['findEvicted']> {
    coverage.observeNode(listed);
    return coverage.findEvicted(listed, lab({ sizeBytes: 10 }), now);
  }

  it('is believed 90 seconds after the receipt, of a list that would show the image', () => {
    const listed = nodeFacts('n1', { images: [other(5)] });
    expect(find(listed, START + 89_000)).toEqual({ evicted: false, lookAfterMs: 1_000 });
    expect(coverage.isPresent('n1', lab())).toBe(true);
    expect(find(listed, START + 90_000)).toEqual({ evicted: true });
    expect(coverage.isPresent('n1', lab())).toBe(false);
    expect(coverage.evictions('n1', 'ns/lab', START + 90_000)).toBe(1);
    expect(coverage.wasEvicted('n1', 'ns/lab')).toBe(true);
  });

  it('is told to listeners', () => {
    const told: [string, readonly string[]][] = [];
    coverage.observeNode(nodeFacts('n1', { images: [other(5)] }));
    coverage.subscribe((name, keys) => told.push([name, keys]));
    find(nodeFacts('n1', { images: [other(5)] }), START + 90_000);
    expect(told).toEqual([['n1', [DIGEST]]]);
  });

  it('is not believed of a machine that has taken over the name', () => {
    coverage.observeNode(nodeFacts('n1', { images: [other(5)] }));
    const old = nodeFacts('n1', { uid: 'old', images: [other(5)] });
    expect(coverage.findEvicted(old, lab({ sizeBytes: 10 }), START + 90_000)).toEqual({ evicted: false });
    expect(coverage.isPresent('n1', lab())).toBe(true);
  });

  it.each([
    ['an empty list', nodeFacts('n1')],
    ['a full list of larger images', nodeFacts('n1', { images: [other(50), other(20)] })],
    ['a full list that ends with one as large', nodeFacts('n1', { images: [other(50), other(10)] })],
    [
      'a list with a cut entry',
      nodeFacts('n1', { images: [{ names: ['a@x', 'b', 'c', 'd', 'e'], sizeBytes: 1 }] }),
    ],
    ['a node that is not ready', nodeFacts('n1', { ready: false, images: [other(5)] })],
  ])('is not believed of %s', (_case, listed) => {
    expect(find(listed, START + 1_000_000).evicted).toBe(false);
    expect(coverage.isPresent('n1', lab())).toBe(true);
  });

  it.each([
    ['a full list that ends with smaller images', [other(50), other(5)]],
    ['a list that has room for one more', [other(50)]],
  ])('is believed of %s', (_case, images) => {
    expect(find(nodeFacts('n1', { images }), START + 90_000).evicted).toBe(true);
  });

  it('is found once, and only of what was there', () => {
    const listed = nodeFacts('n1', { images: [other(5)] });
    const missing = want('missing');
    coverage.observeNode(listed);
    expect(coverage.findEvicted(listed, missing, START + 90_000)).toEqual({ evicted: false });
    expect(find(listed, START + 90_000).evicted).toBe(true);
    expect(find(listed, START + 91_000)).toEqual({ evicted: false });
  });

  it('of an image under two names is looked for when the later one must be listed, and leaves what is', () => {
    const both = lab({ pulls: [pullOf(DIGEST), pullOf('later'), pullOf(OTHER)] });
    const listed = nodeFacts('n1', { images: [other(5)] });
    for (const key of ['later', OTHER]) coverage.addReceipt(listed, { key, proof: 'pod' }, START + 5_000);
    coverage.observeNode(listed);
    const find = (now: number) => coverage.findEvicted(listed, both, now);
    expect(find(START + 90_000)).toEqual({ evicted: false, lookAfterMs: 5_000 });
    expect(find(START + 95_000)).toEqual({ evicted: true });
    const present = both.pulls.map((pull) => coverage.isPresent('n1', lab({ pulls: [pull] })));
    expect(present).toEqual([false, false, true]);
    expect(coverage.isKnown('n1', { key: OTHER, proof: 'pod' })).toBe(true);
    coverage.observeNode(nodeFacts('n1'));
    expect(coverage.isPresent('n1', lab({ pulls: [pullOf(OTHER)] }))).toBe(true);
  });

  it('is not undone by the same pull pod, only by a new one', () => {
    find(nodeFacts('n1', { images: [other(5)] }), START + 90_000);
    expect(coverage.addReceipt(nodeFacts('n1'), { key: DIGEST, proof: 'pod-1' }, START + 91_000)).toBe(false);
    expect(coverage.addReceipt(nodeFacts('n1'), { key: DIGEST, proof: 'pod-2' }, START + 92_000)).toBe(true);
    expect(coverage.isPresent('n1', lab())).toBe(true);
  });

  it('is forgotten as an eviction after an hour', () => {
    find(nodeFacts('n1', { images: [other(5)] }), START + 90_000);
    expect(coverage.evictions('n1', 'ns/lab', START + 90_000 + 3_600_000)).toBe(0);
  });

  it('cannot be seen in an empty list: such a receipt is verified in time', () => {
    const limits = (monotonic: number) => ({ monotonic, maxAgeMs: 1_000 });
    expect(coverage.isUnverified('n1', lab(), limits(START + 999))).toBe(false);
    expect(coverage.isUnverified('n1', lab(), limits(START + 1_000))).toBe(true);
    const both = lab({ pulls: pullsFor(IMAGE, 'Both') });
    expect(coverage.isUnverified('n1', both, limits(START + 1_000))).toBe(true);
    coverage.observeNode(nodeFacts('n1', { images: [{ names: [`x@${DIGEST}`], sizeBytes: 1 }] }));
    expect(coverage.isUnverified('n1', lab(), limits(START + 1_000))).toBe(false);
    expect(coverage.isUnverified('n1', both, limits(START + 1_000))).toBe(false);
  });
});

describe('stockReport', () => {
  it('counts each node once, in the state that explains it best', () => {
    const coverage = new Coverage();
    const gpu = lab({ scope: { nodeSelector: { gpu: 'yes' } } });
    const labels = { gpu: 'yes' };
    const nodes = [
      nodeFacts('has', { labels }),
      nodeFacts('pulls', { labels }),
      nodeFacts('waits', { labels }),
      nodeFacts('tells', { labels }),
      nodeFacts('fails', { labels }),
      nodeFacts('cordoned', { labels, unschedulable: true }),
      nodeFacts('unconcerned'),
    ];
    coverage.addReceipt(nodeFacts('has'), { key: DIGEST, proof: 'pod' }, 1);
    coverage.observeNode(
      nodeFacts('tells', { images: [{ names: ['registry.k8s.io/pause:3'], sizeBytes: 1 }] }),
    );
    coverage.setPulling(
      nodeFacts('pulls'),
      new Map([[DIGEST, { reason: 'Pulling', message: 'The node is pulling' }]]),
    );
    const failure = { reason: 'PullFailed', message: 'not found', attempts: 2, lastAttempt: 5, notBefore: 9 };
    coverage.setFailure(nodeFacts('fails'), gpu, failure);

    const report = stockReport(gpu, nodes, { coverage, circuits: new Circuits(() => 0) });

    expect(report).toMatchObject({ eligible: 5, present: 1, unknown: 1, pulling: 1, waiting: 1, failed: 1 });
    expect(report.skipped).toBe(1);
    expect(report.presentOn).toEqual(['has']);
    expect(report.missing.map(({ node: name, state, reason }) => [name, state, reason])).toEqual([
      ['fails', 'Failed', 'PullFailed'],
      ['pulls', 'Pulling', 'Pulling'],
      ['tells', 'Waiting', 'Queued'],
      ['waits', 'Unknown', 'NotVerified'],
      ['cordoned', 'Skipped', 'Cordoned'],
    ]);
  });

  it('forgets failures on one node after success, on all when the image is edited', () => {
    const coverage = new Coverage();
    const failure = { reason: 'PullFailed', message: '', attempts: 1, lastAttempt: 1, notBefore: 2 };
    for (const name of ['n1', 'n2', 'n3']) coverage.setFailure(nodeFacts(name), lab(), failure);
    coverage.clearFailures('ns/lab', 'n1');
    expect([coverage.failure('n1', 'ns/lab'), coverage.failure('n2', 'ns/lab')]).toEqual([
      undefined,
      failure,
    ]);
    coverage.clearFailures('ns/lab');
    expect(coverage.failure('n3', 'ns/lab')).toBeUndefined();
  });
});
