import { describe, expect, test } from 'vitest';
import { imageReference, repositoryReference } from '../../src/api/reference-fields.ts';
import { validateReference } from '../../src/domain/reference.ts';
import { DIGEST_A } from '../support/builders.ts';

const SCHEME = 'image is a reference, not a URL: remove the scheme';
const HOST = "image must begin with the registry's host, such as docker.io/library/nginx instead of nginx";
const NO_TAG = 'image is registry/repository without a tag; choose tags with spec.select';
const NO_DIGEST = 'image is registry/repository without a digest; choose tags with spec.select';
const LOWER = 'image must be registry/repository in lower case, such as registry.example.org/team/app';
const NEEDS = 'image needs a tag, a digest or both, such as registry.example.org/team/app:1.2';
const FORM = 'image must be registry/repository:tag, registry/repository@sha256:<64 hex digits>, or both';

function messages(schema: ReturnType<typeof imageReference>, value: string): readonly string[] {
  return schema.safeParse(value).error?.issues.map(({ message }) => message) ?? [];
}

describe('the image of an ImageSource', () => {
  test.each([
    'registry.example.org/sciplat/lab',
    'registry.example.org:5000/sciplat/lab',
    'localhost/a',
    'localhost:5000/a/b/c',
    'registry:5000/a',
    '127.0.0.1:5000/a',
    '[::1]:5000/a',
    'Registry.Example.org/a',
    'docker.io/library/nginx',
    'ghcr.io/a__b/c-d.e_f--g',
  ])('%s is accepted', (value) => {
    expect(messages(repositoryReference(), value)).toEqual([]);
  });

  test.each([
    ['nginx', [HOST]],
    ['nginx:1.25', [NO_TAG, HOST]],
    ['library/nginx', [HOST]],
    ['host/nginx', [HOST]],
    ['https://ghcr.io/a/b', [SCHEME]],
    ['https://ghcr.io/a/b:1', [SCHEME]],
    ['ghcr.io/a/b:1', [NO_TAG]],
    ['localhost:5000/a:1', [NO_TAG]],
    [`ghcr.io/a/b@${DIGEST_A}`, [NO_DIGEST]],
    [`ghcr.io/a/b:1@${DIGEST_A}`, [NO_DIGEST]],
    ['ghcr.io/A/b', [LOWER]],
    ['ghcr.io/a//b', [LOWER]],
    ['ghcr.io/a/', [LOWER]],
    ['ghcr.io/', [LOWER]],
    ['localhost/A', [LOWER]],
    ['-bad.example.org/a', [HOST]],
    ['', [HOST]],
    [`ghcr.io/${'a'.repeat(200)}`, ['must have 0 to 200 characters']],
  ])('%s is refused with the one thing to change', (value, expected) => {
    expect(messages(repositoryReference(), value)).toEqual(expected);
  });
});

describe('the image of a PrepulledImage or a record', () => {
  const good = [
    'registry.example.org/sciplat/lab:w_2026_40',
    `registry.example.org/sciplat/lab@${DIGEST_A}`,
    `registry.example.org:5000/sciplat/lab:w_2026_40@${DIGEST_A}`,
    'localhost:5000/a:_x',
    `ghcr.io/a@sha512:${'0'.repeat(128)}`,
  ];

  test.each(good)('%s is accepted, here and by the domain', (value) => {
    expect(messages(imageReference(), value)).toEqual([]);
    expect(validateReference(value).ok).toBe(true);
  });

  test.each([
    ['nginx', [HOST, NEEDS]],
    ['nginx:1.25', [HOST]],
    ['not a url at all!!', [HOST, NEEDS]],
    ['ghcr.io/a/b', [NEEDS]],
    ['http://ghcr.io/a/b:1', [SCHEME]],
    ['ghcr.io/a/b:', [FORM]],
    ['ghcr.io/a/b:.x', [FORM]],
    ['ghcr.io/a/b@sha256:123', [FORM]],
    [`ghcr.io/a/b@SHA256:${'0'.repeat(64)}`, [FORM]],
    [`ghcr.io/a/b@${DIGEST_A}:1`, [FORM]],
    ['ghcr.io/a/B:1', [FORM]],
    [`ghcr.io/a/b:${'t'.repeat(129)}`, [FORM]],
  ])('%s is refused', (value, expected) => {
    expect(messages(imageReference(), value)).toEqual(expected);
  });
});
