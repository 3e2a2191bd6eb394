/** The one import of `@dot-i/k8s-operator`, and the way to construct its class without its side effects. */

import * as OperatorPackage from '@dot-i/k8s-operator';
import { KubeConfig } from '@kubernetes/client-node';

export type { OperatorLogger, ResourceEvent, ResourceMeta } from '@dot-i/k8s-operator';

type OperatorClass = typeof OperatorPackage.default.default;

/** The package is CommonJS: for Node its class is the default of the default, test runners unwrap one of the two. */
const unwrapped: unknown = OperatorPackage.default;

/** The package's abstract class. */
export const PackageOperator = (
  typeof unwrapped === 'function' ? unwrapped : OperatorPackage.default.default
) as OperatorClass;
/** The package's event types: ADDED, MODIFIED, DELETED. */
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
