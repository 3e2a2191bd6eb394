/**
 * What refers to an image: signatures, SBOMs, provenance. By the referrers API (distribution specification 1.1), by its
 * fallback tag `sha256-<hex>` where a registry has no such API, and by cosign's older tag `sha256-<hex>.sig`.
 */

import * as z from 'zod';
import { type Digest, isValidDigest } from '../domain/digest.ts';
import { parseJSON } from '../json.ts';
import type { ContentReader, View } from './content.ts';
import { isRegistryError } from './errors.ts';

/** One artifact that refers to an image; nothing here is verified. */
export interface Referrer {
  readonly digest: Digest;
  /** Such as application/vnd.dev.cosign.artifact.sig.v1+json; empty if the registry does not say. */
  readonly artifactType: string;
  /** How it was found. */
  readonly by: 'API' | 'Tag';
}

const COSIGN_TYPE = 'application/vnd.dev.cosign.artifact.sig.v1+json';
/** More are not looked at. */
const MAX_REFERRERS = 100;

const REFERRERS = z.object({
  manifests: z.array(z.object({ digest: z.string(), artifactType: z.string().optional() })),
});

/** Reads lists only; no signature is verified. */
export class ReferrerReader {
  readonly #content: ContentReader;

  constructor(content: ContentReader) {
    this.#content = content;
  }

  /** All of them, each once, at most 100. @throws RegistryError */
  async list(view: View, digest: Digest): Promise<readonly Referrer[]> {
    const [listed, signed] = await Promise.all([
      this.#listed(view, digest),
      this.#signatureTag(view, digest),
    ]);
    const unique = new Map([...signed, ...listed].map((referrer) => [referrer.digest, referrer]));
    return [...unique.values()].slice(0, MAX_REFERRERS);
  }

  async #listed(view: View, digest: Digest): Promise<readonly Referrer[]> {
    const answer = await this.#content.referrers(view, digest);
    if (answer !== undefined) return readReferrers(answer, 'API');
    const fallback = await this.#content.rawManifest(view, fallbackTag(digest)).catch(ifMissing);
    return fallback === undefined ? [] : readReferrers(fallback, 'Tag');
  }

  async #signatureTag(view: View, digest: Digest): Promise<readonly Referrer[]> {
    const head = await this.#content.head(view, `${fallbackTag(digest)}.sig`).catch(ifMissing);
    return head === undefined ? [] : [{ digest: head.digest, artifactType: COSIGN_TYPE, by: 'Tag' }];
  }
}

/** "sha256:abc" as a tag: "sha256-abc". */
function fallbackTag(digest: Digest): string {
  return digest.replace(':', '-');
}

function ifMissing(error: unknown): undefined {
  if (isRegistryError(error) && error.status === 404) return undefined;
  throw error;
}

function readReferrers(body: Buffer, by: Referrer['by']): readonly Referrer[] {
  const parsed = REFERRERS.safeParse(parseJSON(body));
  if (!parsed.success) return [];
  return parsed.data.manifests.flatMap(({ digest, artifactType = '' }) =>
    isValidDigest(digest) ? [{ digest, artifactType, by }] : [],
  );
}
