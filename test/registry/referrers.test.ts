import { describe, expect, it } from 'vitest';
import type { Digest } from '../../src/domain/digest.ts';
import { registryReason } from '../../src/registry/errors.ts';
import { OCI_INDEX } from '../../src/registry/media-types.ts';
import type { Referrer } from '../../src/registry/referrers.ts';
import { FakeRegistry, sha256 } from '../support/fake-registry.ts';
import { sendJSON } from '../support/registry-exchange.ts';
import { failureOf } from '../support/registry-failure.ts';
import { openSession, REPOSITORY, type RegistrySession } from '../support/registry-session.ts';

const NOTARY = 'application/vnd.cncf.notary.signature';

interface Stage {
  readonly registry: FakeRegistry;
  readonly session: RegistrySession;
  readonly digest: Digest;
  readonly list: () => Promise<readonly Referrer[]>;
}

async function onStage(play: (stage: Stage) => Promise<void>): Promise<void> {
  await using registry = await FakeRegistry.start();
  await using session = openSession();
  const digest = registry.putImage(REPOSITORY, 'v1') as Digest;
  const reference = { registry: registry.host, repository: REPOSITORY, digest };
  await play({
    registry,
    session,
    digest,
    list: () => session.client.listReferrers(reference, session.access, session),
  });
}

describe('listReferrers', () => {
  it('asks the API, and for cosign’s tag', () =>
    onStage(async ({ registry, digest, list }) => {
      const signature = registry.putImage(REPOSITORY, `${digest.replace(':', '-')}.sig`, {
        seed: 'signature',
      });
      registry.intercept = ({ path }, response) => {
        if (path !== `/v2/${REPOSITORY}/referrers/${digest}`) return false;
        const manifests = [
          { digest: sha256('a'), artifactType: NOTARY },
          { digest: sha256('b') },
          { digest: 'junk' },
        ];
        sendJSON(response, 200, { schemaVersion: 2, manifests });
        return true;
      };
      expect(await list()).toEqual([
        { digest: signature, artifactType: 'application/vnd.dev.cosign.artifact.sig.v1+json', by: 'Tag' },
        { digest: sha256('a'), artifactType: NOTARY, by: 'API' },
        { digest: sha256('b'), artifactType: '', by: 'API' },
      ]);
    }));

  it('falls back to the tag where there is no API', () =>
    onStage(async ({ registry, digest, list }) => {
      const manifests = [{ digest: sha256('a'), size: 1, artifactType: NOTARY }];
      registry.putManifest(REPOSITORY, { schemaVersion: 2, manifests }, OCI_INDEX, digest.replace(':', '-'));
      expect(await list()).toEqual([{ digest: sha256('a'), artifactType: NOTARY, by: 'Tag' }]);
    }));

  it('finds nothing where nothing is, and in nonsense', () =>
    onStage(async ({ registry, digest, list }) => {
      expect(await list()).toEqual([]);
      registry.putManifest(REPOSITORY, Buffer.from('nonsense'), OCI_INDEX, digest.replace(':', '-'));
      expect(await list()).toEqual([]);
      registry.putManifest(REPOSITORY, { manifests: 7 }, OCI_INDEX, digest.replace(':', '-'));
      expect(await list()).toEqual([]);
    }));

  it('does not take an outage for "unsigned"', () =>
    onStage(async ({ registry, session, list }) => {
      registry.intercept = (_, response) => {
        response.writeHead(500).end();
        return true;
      };
      expect(registryReason(await failureOf(list(), session.clock))).toBe('RegistryUnavailable');
    }));
});
