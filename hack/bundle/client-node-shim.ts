/**
 * What `@dot-i/k8s-operator` gets in the bundle instead of `@kubernetes/client-node`: the names it mentions, inert.
 * Every method of it that would use them is overridden in `src/kube/base-operator.ts`.
 */

export class KubeConfig {
  loadFromDefault(): void {
    // The operator brings its own configuration.
  }

  makeApiClient(): undefined {
    return undefined;
  }
}

export const CoreV1Api = undefined;
export const ApiextensionsV1Api = undefined;
export const Watch = undefined;

export function loadYaml(): never {
  throw new Error('loadYaml of @dot-i/k8s-operator is not part of this bundle');
}
