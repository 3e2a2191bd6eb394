/** The one import of `@dot-i/k8s-operator`, and the way to construct its class without its side effects. */

import OperatorPackage from '@dot-i/k8s-operator';
import { KubeConfig } from '@kubernetes/client-node';

export type { OperatorLogger, ResourceEvent, ResourceMeta } from '@dot-i/k8s-operator';

/** The package is CommonJS: its default export is a member of what we import. */
export const PackageOperator = OperatorPackage.default;
export const { ResourceEventType } = OperatorPackage;

/**
 * Switches off what the package's constructor does with a kubeconfig, and returns the way back on. The constructor
 * loads one unasked: without this, a missing file would end the process before our own code can say why.
 * Synchronous, around `super()` only. In the bundle the package gets an inert KubeConfig of its own.
 */
export function muteKubeConfig(): () => void {
  const { prototype } = KubeConfig;
  const loadFromDefault = Object.getOwnPropertyDescriptor(prototype, 'loadFromDefault');
  const makeApiClient = Object.getOwnPropertyDescriptor(prototype, 'makeApiClient');
  Object.defineProperty(prototype, 'loadFromDefault', { configurable: true, value: () => undefined });
  Object.defineProperty(prototype, 'makeApiClient', { configurable: true, value: () => undefined });
  return () => {
    if (loadFromDefault !== undefined) Object.defineProperty(prototype, 'loadFromDefault', loadFromDefault);
    if (makeApiClient !== undefined) Object.defineProperty(prototype, 'makeApiClient', makeApiClient);
  };
}
