import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  type HookPath,
  isEqualSecret,
  verifyAuthenticity,
} from '../../../src/server/webhooks/authenticity.ts';

const BODY = Buffer.from('{"zen":"x"}');

function sign(key: string, body: Buffer = BODY): string {
  return `sha256=${createHmac('sha256', key).update(body).digest('hex')}`;
}

function verify(headers: Record<string, string>, secret?: string, path: HookPath = 'Secret'): boolean {
  return verifyAuthenticity(
    { headers: new Headers(headers), body: BODY },
    { token: 'the-token', secret },
    path,
  ).ok;
}

describe('GitHub signs', () => {
  it('with the secret, or with the token where there is none', () => {
    expect(verify({ 'x-hub-signature-256': sign('s3cret') }, 's3cret')).toBe(true);
    expect(verify({ 'x-hub-signature-256': sign('the-token') })).toBe(true);
  });

  it.each([
    ['another key', sign('guess')],
    ['another body', sign('s3cret', Buffer.from('{}'))],
    ['the token instead of the secret', sign('the-token')],
    ['nothing', ''],
    ['no algorithm', sign('s3cret').slice('sha256='.length)],
    ['capitals', sign('s3cret').toUpperCase()],
  ])('and is refused with %s', (_case, signature) => {
    expect(verify({ 'x-hub-signature-256': signature }, 's3cret')).toBe(false);
  });

  it('and is refused without a signature, also where the path alone would do', () => {
    expect(verify({ 'x-github-event': 'registry_package' })).toBe(false);
    expect(verify({ 'x-github-event': 'registry_package', authorization: 's3cret' }, 's3cret')).toBe(false);
  });
});

describe('others show the secret', () => {
  it.each([
    ['as it is', 's3cret'],
    ['as a bearer token', 'Bearer s3cret'],
    ['as a password', `Basic ${Buffer.from('larder:s3cret').toString('base64')}`],
  ])('%s', (_case, authorization) => {
    expect(verify({ authorization }, 's3cret')).toBe(true);
  });

  it.each([
    ['nothing', {}],
    ['an empty header', { authorization: '' }],
    ['the token', { authorization: 'Bearer the-token' }],
    ['a prefix', { authorization: 's3cre' }],
    ['another case', { authorization: 'S3CRET' }],
    ['a user name', { authorization: `Basic ${Buffer.from('s3cret:').toString('base64')}` }],
  ])('and are refused with %s', (_case, headers) => {
    expect(verify(headers, 's3cret')).toBe(false);
  });

  it('or nothing, where the path is all they can have', () => {
    expect(verify({})).toBe(true);
  });
});

describe('whoever comes by the path that the status shows', () => {
  it.each([
    ['nothing', {}, undefined, false],
    ['the token', { authorization: 'Bearer the-token' }, undefined, true],
    ['the secret', { authorization: 's3cret' }, 's3cret', true],
    ['the token where there is a secret', { authorization: 'the-token' }, 's3cret', false],
    ['a signature', { 'x-hub-signature-256': sign('the-token') }, undefined, true],
  ])('has shown %s', (_case, headers, secret, isTrusted) => {
    expect(verify(headers as Record<string, string>, secret, 'Public')).toBe(isTrusted);
  });
});

it('secrets are equal only as a whole', () => {
  expect(isEqualSecret('a', 'a')).toBe(true);
  expect(isEqualSecret('a', 'ab')).toBe(false);
  expect(isEqualSecret('', '')).toBe(true);
});
