import { describe, expect, it } from 'vitest';
import { readPullInfo } from '../../src/domain/push-pull-info.ts';

const LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';
const MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
const REPOSITORY = { registry: 'r.io', repository: 'a/b' };
const [ONE, TWO] = [`sha256:${'1'.repeat(64)}`, `sha256:${'2'.repeat(64)}`];

describe('readPullInfo', () => {
  it('ranks as pull specs do: the list before the manifest, whatever the order of the item', () => {
    const info = readPullInfo({
      tag_specs: [{ ...REPOSITORY, tag: '1', media_types: [LIST] }],
      digest_specs: [
        { ...REPOSITORY, digest: ONE, media_type: MANIFEST },
        { ...REPOSITORY, digest: TWO, media_type: LIST },
        { ...REPOSITORY, digest: TWO, media_type: null },
      ],
      media_types: ['whatever'],
    });
    expect(info).toMatchObject({
      ok: true,
      value: {
        tagSpecs: [{ reference: 'r.io/a/b:1', mediaTypes: [LIST] }],
        digestSpecs: [{ reference: `r.io/a/b@${TWO}` }, { reference: `r.io/a/b@${ONE}` }],
        mediaTypes: [LIST, MANIFEST],
      },
    });
  });

  it('takes an image that has no tag', () => {
    const info = readPullInfo({ tag_specs: null, digest_specs: [{ ...REPOSITORY, digest: ONE }] });
    expect(info).toMatchObject({ ok: true, value: { tagSpecs: [], mediaTypes: [] } });
  });

  it.each<[unknown, string]>([
    [null, 'pull_info must be an object'],
    [{}, 'pull_info has neither tag_specs nor digest_specs'],
    [{ tag_specs: {} }, 'pull_info.tag_specs must be a list'],
    [{ tag_specs: ['r.io/a:1'] }, 'pull_info.tag_specs[0]: it must be an object'],
    [{ tag_specs: [{ ...REPOSITORY, tag: 1 }] }, 'pull_info.tag_specs[0]: tag must be a string'],
    [{ tag_specs: [{ ...REPOSITORY }] }, 'pull_info.tag_specs[0]: "r.io/a/b:": the tag is empty'],
    [
      { tag_specs: [{ ...REPOSITORY, tag: '1', media_types: 'x' }] },
      'pull_info.tag_specs[0]: media_types must be a list of strings',
    ],
    [
      { tag_specs: [{ registry: 'library', repository: 'ubuntu', tag: '22.04' }] },
      'pull_info.tag_specs[0]: "library/ubuntu:22.04" is no registry/repository:tag',
    ],
    [
      { tag_specs: [{ ...REPOSITORY, tag: `1@${ONE}` }] },
      `pull_info.tag_specs[0]: "r.io/a/b:1@${ONE}" is no registry/repository:tag`,
    ],
    [
      {
        digest_specs: [
          { ...REPOSITORY, digest: ONE },
          { ...REPOSITORY, digest: 'd1' },
        ],
      },
      'pull_info.digest_specs[1]: "r.io/a/b@d1": ',
    ],
    [
      { digest_specs: [{ ...REPOSITORY, digest: ONE, media_type: 5 }] },
      'pull_info.digest_specs[0]: media_type must be a string',
    ],
    [
      { digest_specs: Array.from({ length: 1025 }, () => ({})) },
      'pull_info.digest_specs has more than 1024 entries',
    ],
  ])('refuses %j', (value, error) => {
    const info = readPullInfo(value);
    expect(info.ok ? '' : info.error).toContain(error);
  });
});
