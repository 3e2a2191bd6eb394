/** The closed list of condition reasons a registry can cause, each with one sentence that tells what to do. */

/** Words of conditions for what registries answer, or do not. */
export const REGISTRY_REASONS = [
  'RegistryUnreachable',
  'RegistryTimeout',
  'RegistryUnavailable',
  'TooManyRequests',
  'Unauthorized',
  'Forbidden',
  'RepositoryNotFound',
  'ManifestUnknown',
  'CertificateInvalid',
  'InvalidResponse',
  'UnsupportedMediaType',
  'ListTooLarge',
  'PolicyRefused',
] as const;
/** One of `REGISTRY_REASONS`. */
export type RegistryReason = (typeof REGISTRY_REASONS)[number];

/** What a person does about each reason; shown after the message of a condition. */
export const REGISTRY_ADVICE: Readonly<Record<RegistryReason, string>> = {
  RegistryUnreachable: 'Check the registry host, DNS, the network policy and access.proxySecretRef.',
  RegistryTimeout:
    'The registry answers too slowly: check the network between them; scans may have a longer spec.timeout.',
  RegistryUnavailable: 'The registry fails by itself; Larder tries again with increasing delays.',
  TooManyRequests:
    'The registry limits requests; Larder waits as told. Credentials or a longer interval raise the limit.',
  Unauthorized:
    'Check access.pullSecretRefs: the credentials are missing or refused, or the repository does not exist.',
  Forbidden: 'The credentials are valid but may not read this repository; grant them pull.',
  RepositoryNotFound:
    'Check spec.image and access.pullSecretRefs: registries hide what the credentials may not read.',
  ManifestUnknown: 'Check the reference, or push the image.',
  CertificateInvalid:
    'Set access.caBundleRef to the CA that signed the registry certificate, or renew the certificate.',
  InvalidResponse:
    'What answers is not a working registry; check the host, the port and any proxy before it.',
  UnsupportedMediaType:
    'The image has a format that runtimes no longer pull; push it again as OCI or Docker schema 2.',
  ListTooLarge: 'Raise spec.guard.maxTags, or watch a repository with fewer tags.',
  PolicyRefused:
    'The registry pointed at a host that policy forbids; allow it with --allow-realm or --allow-cidr if intended.',
};
