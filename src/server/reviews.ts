/** Reviews by the API server: TokenReview and SubjectAccessReview. */

import type { KubeClient } from '../kube/client.ts';
import type { RawObject, ResourceType } from '../kube/resource.ts';
import type { Caller, ObjectAccess, Reviews } from './authorize.ts';

interface TokenReview extends RawObject {
  readonly status?: {
    readonly authenticated?: boolean;
    readonly user?: {
      readonly username?: string;
      readonly uid?: string;
      readonly groups?: readonly string[];
      readonly extra?: Readonly<Record<string, readonly string[]>>;
    };
  };
}

interface SubjectAccessReview extends RawObject {
  readonly status?: { readonly allowed?: boolean };
}

const tokenReviewType: ResourceType<TokenReview> = {
  group: 'authentication.k8s.io',
  version: 'v1',
  plural: 'tokenreviews',
  kind: 'TokenReview',
  namespaced: false,
};

const accessReviewType: ResourceType<SubjectAccessReview> = {
  group: 'authorization.k8s.io',
  version: 'v1',
  plural: 'subjectaccessreviews',
  kind: 'SubjectAccessReview',
  namespaced: false,
};

/** Somebody waits for the answer. */
const TIMEOUT_MS = 5_000;

/** `client` is not fenced: every replica asks. */
export function apiServerReviews(client: Pick<KubeClient, 'create'>): Reviews {
  return {
    async reviewToken(token, signal) {
      const manifest = { metadata: {}, spec: { token } };
      const review = await client.create(tokenReviewType, manifest, { signal, timeoutMs: TIMEOUT_MS });
      return callerOf(review);
    },
    async reviewAccess({ username, uid, groups, extra }, access, signal) {
      const spec = { user: username, uid, groups, extra, resourceAttributes: attributes(access) };
      const review = await client.create(
        accessReviewType,
        { metadata: {}, spec },
        { signal, timeoutMs: TIMEOUT_MS },
      );
      return review.status?.allowed === true;
    },
  };
}

function callerOf({ status }: TokenReview): Caller | undefined {
  const { username = '', uid = '', groups = [], extra = {} } = status?.user ?? {};
  // A user without a name would be asked about as nobody in particular.
  if (status?.authenticated !== true || username === '') return undefined;
  return { anonymous: false, username, uid, groups, extra };
}

function attributes({
  verb,
  group,
  resource,
  namespace,
  name,
}: ObjectAccess): Readonly<Record<string, string>> {
  return {
    verb,
    group,
    resource,
    version: '*',
    ...(namespace !== undefined && { namespace }),
    ...(name !== undefined && { name }),
  };
}
