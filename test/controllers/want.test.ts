import { describe, expect, it } from 'vitest';
import type { PrepulledImage } from '../../src/api/prepulled-image.ts';
import { pullIdentity, wantOf } from '../../src/controllers/want.ts';
import { Wants } from '../../src/controllers/wants.ts';
import type { NamespaceLimits } from '../../src/domain/namespace-limits.ts';
import { DIGEST_A, DIGEST_B, prepulledImage } from '../support/builders.ts';

type Overrides = NonNullable<Parameters<typeof prepulledImage>[0]>;

const TAG = 'registry.example.org/sciplat/lab:w_2026_40';

/** Resolved to DIGEST_A, unless the status says otherwise. */
function resolved(overrides: Overrides = {}, digest = DIGEST_A, reference = TAG): PrepulledImage {
  const image = {
    reference,
    digest,
    registry: 'registry.example.org',
    repository: 'sciplat/lab',
    size: 7_000,
    platforms: [{ os: 'linux', architecture: 'arm64', variant: 'v8', digest: DIGEST_B }],
  };
  return { ...prepulledImage(overrides), status: { image } };
}

function listened(limits?: NamespaceLimits): { readonly wants: Wants; readonly told: string[] } {
  const wants = new Wants(limits);
  const told: string[] = [];
  wants.subscribe((id, want) => told.push(`${want === undefined ? '-' : '+'}${id}`));
  return { wants, told };
}

describe('an image wants', () => {
  it('what its spec and its resolved digest say', () => {
    const spec = {
      nodes: { nodeSelector: { pool: 'gpu' } },
      pull: { priority: 80, timeout: '20m', verifyInterval: '1h', maxConcurrentNodes: 3 },
      keepWarm: true,
    };
    expect(wantOf(resolved({ spec }))).toMatchObject({
      id: 'default/lab-w-2026-40',
      namespace: 'default',
      priority: 80,
      sizeBytes: 7_000,
      pulls: [
        { key: DIGEST_A, reference: `registry.example.org/sciplat/lab@${DIGEST_A}`, policy: 'IfNotPresent' },
      ],
      scope: { nodeSelector: { pool: 'gpu' } },
      platforms: [{ os: 'linux', architecture: 'arm64', variant: 'v8' }],
      host: 'registry.example.org',
      timeoutMs: 1_200_000,
      verifyIntervalMs: 3_600_000,
      maxConcurrentNodes: 3,
      keepWarm: true,
    });
  });

  it('the name as well, where it is pulled by tag', () => {
    const keys = (by: 'Tag' | 'Both') =>
      wantOf(resolved({ spec: { pull: { by } } }))?.pulls.map(({ key }) => key);
    expect(keys('Tag')).toEqual([`${TAG}@${DIGEST_A}`]);
    expect(keys('Both')).toEqual([DIGEST_A, `${TAG}@${DIGEST_A}`]);
  });

  it.each([
    ['it is suspended', resolved({ spec: { suspend: true } })],
    ['it is being deleted', resolved({ metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } })],
    ['it was never resolved', prepulledImage()],
    ['what was resolved is another digest than the spec names', resolved({}, DIGEST_B)],
    ['what was resolved is another tag', resolved({ spec: { image: TAG } }, DIGEST_A, `${TAG}_old`)],
    [
      'what was resolved has no digest',
      { ...prepulledImage(), status: { image: { reference: TAG, registry: 'r', repository: 'a' } } },
    ],
  ])('nothing while %s', (_why, image) => {
    expect(wantOf(image)).toBeUndefined();
  });

  it('shares pods only with those of its namespace, secrets, account and class', () => {
    const identities = [
      resolved(),
      resolved({ metadata: { namespace: 'other' } }),
      resolved({ spec: { access: { pullSecretRefs: [{ name: 'a' }] } } }),
      resolved({ spec: { access: { serviceAccountName: 'a' } } }),
      resolved({ spec: { pull: { priorityClassName: 'high' } } }),
    ].map((image) => wantOf(image)?.identity);
    expect(new Set(identities).size).toBe(identities.length);
    expect(pullIdentity(resolved())).toEqual({
      pullSecrets: [],
      serviceAccountName: undefined,
      priorityClassName: 'larder-pull',
    });
  });
});

describe('Wants', () => {
  it('tells of changes that nodes must hear of, and of no others', () => {
    const { wants, told } = listened();
    const image = resolved();
    wants.put(image);
    wants.put({ ...image, metadata: { ...image.metadata, resourceVersion: '2' } });
    wants.put({ ...image, spec: { ...image.spec, aliases: ['recommended'], minReady: '50%' } });
    expect(told).toEqual(['+default/lab-w-2026-40']);
    wants.put(resolved({ spec: { pull: { priority: 99 } } }));
    wants.put(resolved({ spec: { suspend: true } }));
    wants.put(resolved({ spec: { suspend: true } }));
    expect(told).toEqual(['+default/lab-w-2026-40', '+default/lab-w-2026-40', '-default/lab-w-2026-40']);
    expect(wants.list()).toEqual([]);
  });

  it('finds images by what they pull, without mixing namespaces', () => {
    const { wants, told } = listened();
    const here = resolved();
    const there = resolved({ metadata: { namespace: 'other' } });
    wants.put(here);
    wants.put(there);
    expect([...wants.idsOf(DIGEST_A)]).toEqual(['default/lab-w-2026-40', 'other/lab-w-2026-40']);
    expect(wants.image('other/lab-w-2026-40')).toBe(there);
    wants.remove(here);
    wants.remove(here);
    expect([...wants.idsOf(DIGEST_A)]).toEqual(['other/lab-w-2026-40']);
    wants.remove(there);
    expect(wants.idsOf(DIGEST_A).size).toBe(0);
    expect(told.filter((line) => line.startsWith('-'))).toHaveLength(2);
  });

  it('follows an image to another digest', () => {
    const { wants } = listened();
    const moved = { spec: { image: TAG } };
    wants.put(resolved(moved));
    wants.put(resolved(moved, DIGEST_B));
    expect(wants.idsOf(DIGEST_A).size).toBe(0);
    expect([...wants.idsOf(DIGEST_B)]).toEqual(['default/lab-w-2026-40']);
  });

  it('counts images that are about to be resolved', () => {
    const { wants } = listened();
    wants.put(prepulledImage());
    expect(wants.pending).toBe(1);
    wants.put(resolved());
    expect(wants.pending).toBe(0);
    wants.put(prepulledImage());
    wants.remove(prepulledImage());
    expect(wants.pending).toBe(0);
  });

  it('waits for no image that a person must put right first', () => {
    const { wants } = listened();
    const stalled = {
      type: 'Stalled',
      status: 'True' as const,
      reason: 'RecordNotFound',
      message: '',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    };
    wants.put({ ...prepulledImage(), status: { conditions: [stalled] } });
    expect(wants.pending).toBe(0);
  });

  it('limits only images that have a limit', () => {
    const { wants } = listened();
    wants.put(resolved({ spec: { pull: { maxConcurrentNodes: 2 } } }));
    expect(wants.limitOf('default/lab-w-2026-40')).toBe(2);
    expect(wants.limitOf('default/unknown')).toBeUndefined();
  });
});

describe('the limits of a namespace', () => {
  function aged(name: string, namespace: string, day: number): PrepulledImage {
    const creationTimestamp = `2026-01-0${String(day)}T00:00:00Z`;
    const image = resolved({ metadata: { name, namespace } });
    return { ...image, metadata: { ...image.metadata, creationTimestamp } };
  }
  const listed = (wants: Wants) => wants.list().map(({ id }) => id);

  it('refuse the youngest images, of that namespace only, and say so', () => {
    const { wants, told } = listened({ images: 1, bytes: Infinity });
    wants.put(aged('young', 'a', 2));
    wants.put(aged('other', 'b', 3));
    wants.put(aged('old', 'a', 1));
    expect(listed(wants)).toEqual(['b/other', 'a/old']);
    expect(wants.refusal('a/young')).toContain('may have 1 images');
    expect([wants.refusal('a/old'), wants.refusal('b/other')]).toEqual([undefined, undefined]);
    expect(told).toEqual(['+a/young', '+b/other', '-a/young', '+a/old']);
  });

  it('let the next one in when an image goes', () => {
    const { wants, told } = listened({ images: 1, bytes: Infinity });
    const [old, young] = [aged('old', 'a', 1), aged('young', 'a', 2)];
    wants.put(old);
    wants.put(young);
    told.length = 0;
    wants.remove(old);
    expect(listed(wants)).toEqual(['a/young']);
    expect(wants.refusal('a/young')).toBeUndefined();
    expect(told).toEqual(['+a/young', '-a/old']);
    wants.put(old);
    wants.remove(young);
    expect(wants.refusal('a/young')).toBeUndefined();
  });
});
