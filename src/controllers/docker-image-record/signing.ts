/** Whether the signatures that should exist do: index and platforms, times keys. Nothing is verified. */

import type { DockerImageRecord } from '../../api/docker-image-record.ts';
import type { Digest } from '../../domain/digest.ts';
import { formatReference, type Reference, withRuntimeDefaults } from '../../domain/reference.ts';
import type { RegistryAccess } from '../../registry/access.ts';
import type { RegistryClient } from '../../registry/client.ts';
import type { Referrer } from '../../registry/referrers.ts';
import type { Status } from './status.ts';

/** Beginnings of the artifact types of cosign, of sigstore bundles, and of Notation. */
const SIGNATURE_TYPES = [
  'application/vnd.dev.cosign.artifact.sig.',
  'application/vnd.dev.cosign.simplesigning.',
  'application/vnd.dev.sigstore.bundle',
  'application/vnd.cncf.notary.signature',
];

export interface ClaimQuestion {
  readonly registry: Pick<RegistryClient, 'listReferrers'>;
  readonly access: RegistryAccess;
  readonly signal: AbortSignal;
}

/** One question a digest, however many keys. undefined if the record expects no signatures. @throws RegistryError */
export async function findClaims(
  { spec }: DockerImageRecord,
  reference: Reference,
  pullInfo: Status['pullInfo'],
  { registry, access, signal }: ClaimQuestion,
): Promise<Status['signing']> {
  const { keys } = spec.signing ?? {};
  if (keys === undefined) return undefined;
  const { registry: host, repository, tag } = withRuntimeDefaults(reference);
  const digests = (pullInfo?.digestSpecs ?? []).map(({ digest }) => digest as Digest);
  const signed = await Promise.all(
    digests.map(async (digest) =>
      isSigned(await registry.listReferrers({ registry: host, repository, digest }, access, { signal })),
    ),
  );
  const claims = digests.flatMap((digest, index) =>
    keys.map((key) => ({
      reference: formatReference({
        registry: host,
        repository,
        ...(tag === undefined ? { digest } : { tag }),
      }),
      digest,
      key,
      // Which key made a signature only its verification would tell: one that exists counts for every key.
      state: signed[index] === true ? ('Present' as const) : ('Missing' as const),
    })),
  );
  const present = claims.filter(({ state }) => state === 'Present').length;
  return { claims, present, missing: claims.length - present };
}

function isSigned(referrers: readonly Referrer[]): boolean {
  return referrers.some(({ artifactType }) => SIGNATURE_TYPES.some((type) => artifactType.startsWith(type)));
}
