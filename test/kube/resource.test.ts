import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { apiVersionOf, formatKey, keyOf, parseKey, resourcePath } from '../../src/kube/resource.ts';
import { CONFIG_MAPS, WIDGETS } from './fixtures.ts';

describe('keys', () => {
  it('read and write as namespace/name', () => {
    expect(formatKey({ namespace: 'a', name: 'b' })).toBe('a/b');
    expect(formatKey({ name: 'b' })).toBe('b');
    expect(formatKey({ namespace: '', name: 'b' })).toBe('b');
    expect(parseKey('a/b')).toEqual({ namespace: 'a', name: 'b' });
    expect(parseKey('b')).toEqual({ name: 'b' });
    expect(keyOf({ metadata: { name: 'b' } })).toEqual({ name: 'b' });
  });

  it('survive a round trip', () => {
    const name = fc.stringMatching(/^[a-z0-9.-]{1,20}$/);
    fc.assert(
      fc.property(fc.option(name, { nil: undefined }), name, (namespace, each) => {
        const key = namespace === undefined ? { name: each } : { namespace, name: each };
        expect(parseKey(formatKey(key))).toEqual(key);
      }),
    );
  });
});

describe('paths', () => {
  it('follow the API', () => {
    expect(resourcePath(CONFIG_MAPS)).toBe('/api/v1/configmaps');
    expect(resourcePath(WIDGETS, { namespace: 'n', name: 'a', subresource: 'status' })).toBe(
      '/apis/test.dev/v1/namespaces/n/widgets/a/status',
    );
    expect(resourcePath({ ...WIDGETS, namespaced: false }, { namespace: 'n', name: 'a' })).toBe(
      '/apis/test.dev/v1/widgets/a',
    );
    expect([apiVersionOf(CONFIG_MAPS), apiVersionOf(WIDGETS)]).toEqual(['v1', 'test.dev/v1']);
  });

  it('cannot be escaped from by a name', () => {
    expect(resourcePath(WIDGETS, { namespace: '../..', name: 'a/b?c#d' })).toBe(
      '/apis/test.dev/v1/namespaces/..%2F../widgets/a%2Fb%3Fc%23d',
    );
  });
});
