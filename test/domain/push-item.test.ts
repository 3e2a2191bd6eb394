import { describe, expect, it } from 'vitest';
import { parseBuild, readPushItem } from '../../src/domain/push-item.ts';

describe('readPushItem', () => {
  it('fills in what is absent and writes keys and checksums as pushsource does', () => {
    expect(readPushItem({})).toEqual({
      ok: true,
      value: { name: '', state: 'PENDING', dest: [], sourceTags: [] },
    });
    const item = readPushItem({
      name: 'n',
      state: 'NOTFOUND',
      dest: ['repo:tag'],
      md5sum: 'A'.repeat(32),
      sha256sum: 'B'.repeat(64),
      origin: 'RHBA-2020:2807',
      build: 'a-name-1.0-2',
      signing_key: 'f21541eb',
      dest_signing_key: '199E2F91FD431D51',
      source_tags: ['1-source'],
      arch: 'x86_64',
      labels: { architecture: 'amd64', other: 7 },
      product_name: 'Object Detection',
      type: 'ContainerImagePushItem',
      unknown: 7,
    });
    expect(item).toEqual({
      ok: true,
      value: {
        name: 'n',
        state: 'NOTFOUND',
        dest: ['repo:tag'],
        sourceTags: ['1-source'],
        arch: 'x86_64',
        architectureLabel: 'amd64',
        productName: 'Object Detection',
        type: 'ContainerImagePushItem',
        md5sum: 'a'.repeat(32),
        sha256sum: 'b'.repeat(64),
        origin: 'RHBA-2020:2807',
        build: { name: 'a-name', version: '1.0', release: '2' },
        signingKey: 'F21541EB',
        destSigningKey: '199e2f91fd431d51',
      },
    });
  });

  it.each([
    [{ name: 1 }, 'name must be a string'],
    [{ sha256sum: 'AB' }, 'sha256sum has 2 characters, not 64'],
    [{ md5sum: 'z'.repeat(32) }, 'md5sum is not hexadecimal'],
    [{ dest: 'repo:tag' }, 'dest must be a list of strings'],
    [{ dest: [1] }, 'dest must be a list of strings'],
    [{ build: 'nover' }, 'build "nover" is not name-version-release'],
    [{ origin: 'x'.repeat(1025) }, 'origin has more than 1024 characters'],
    [{ source_tags: ['x'.repeat(1025)] }, 'source_tags[0] has more than 1024 characters'],
    [{ dest: ['a', 'b\n'] }, 'dest[1] has a character that cannot be printed'],
    [{ origin: '\u0085' }, 'origin has a character that cannot be printed'],
    [{ origin: '\ufeff' }, 'origin has a character that cannot be printed'],
    [{ origin: '\ud83d' }, 'origin has a character that cannot be printed'],
    [{ dest: Array.from({ length: 1025 }, () => 'a') }, 'dest has more than 1024 entries'],
    [{ labels: [] }, 'labels must be an object'],
    [{ labels: { architecture: 1 } }, 'labels.architecture must be a string'],
    [{ pull_info: [] }, 'pull_info must be an object'],
  ])('refuses %j', (fields, error) => {
    expect(readPushItem(fields)).toEqual({ ok: false, error });
  });

  it('takes null and empty keys for absent', () => {
    expect(readPushItem({ name: 'n', signing_key: null, dest_signing_key: '' })).toEqual({
      ok: true,
      value: { name: 'n', state: 'PENDING', dest: [], sourceTags: [] },
    });
  });
});

describe('parseBuild', () => {
  it.each(['', 'a', 'a-1', '-1-2', 'a--2'])('refuses %j', (text) => {
    expect(parseBuild(text).ok).toBe(false);
  });
});
