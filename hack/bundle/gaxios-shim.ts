/** What `@dot-i/k8s-operator` gets in the bundle instead of `gaxios`, an HTTP client that is never called. */

export const instance = {
  request(): never {
    throw new Error('gaxios is not part of this bundle');
  },
};
