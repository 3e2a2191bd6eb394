/** How our own requests reach a registry, and which secrets the pull pods carry. */
import * as z from 'zod';
import { listMap, localReference, objectName, text, withRules } from './fields.ts';
import type { Parsed } from './immutable.ts';

/** Clouds whose workload identity can stand in for a pull secret. */
const PROVIDERS = ['None', 'GCP', 'AWS', 'Azure'] as const;
/** One of `PROVIDERS`. */
export type Provider = (typeof PROVIDERS)[number];

const caBundleRef = z.object({
  kind: z.enum(['ConfigMap', 'Secret']).default('ConfigMap').describe('Kind of the object.'),
  name: objectName().describe('Its name, in the same namespace.'),
  key: text(253, 1).default('ca.crt').describe('Key that holds the PEM certificates.'),
});

export const accessSchema = withRules(
  z.object({
    pullSecretRefs: listMap(localReference('Secret'), 'name', 8)
      .optional()
      .describe(
        'Secrets of type kubernetes.io/dockerconfigjson or kubernetes.io/basic-auth, asked in this order. Pull pods carry them too; the kubelet ignores basic-auth ones.',
      ),
    serviceAccountName: objectName()
      .optional()
      .describe('ServiceAccount whose imagePullSecrets are used as well, by us and by pull pods.'),
    caBundleRef: caBundleRef
      .optional()
      .describe('Certificates to trust for our own requests. Nodes have their own configuration.'),
    clientCertSecretRef: localReference('Secret')
      .optional()
      .describe('Secret of type kubernetes.io/tls shown to the registry by our own requests.'),
    proxySecretRef: localReference('Secret')
      .optional()
      .describe('Secret with keys address, username, password of an HTTP proxy for our own requests.'),
    plainHTTP: z
      .boolean()
      .default(false)
      .describe('Our own requests use http. Nodes have their own configuration.'),
    provider: z
      .enum(PROVIDERS)
      .default('None')
      .describe('Cloud whose workload identity gives our own requests a token.'),
  }),
  [
    {
      rule: '!self.plainHTTP || !(has(self.caBundleRef) || has(self.clientCertSecretRef))',
      message: 'plainHTTP uses no certificates: remove caBundleRef and clientCertSecretRef, or plainHTTP',
      check: (access) =>
        !access.plainHTTP || !(access.caBundleRef !== undefined || access.clientCertSecretRef !== undefined),
    },
  ],
);

/** spec.access of every kind, defaults filled in. */
export type Access = Parsed<z.output<typeof accessSchema>>;
