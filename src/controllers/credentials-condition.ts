/** What the condition CredentialsReady says, for every kind that reaches a registry. */

import type { Access } from '../api/access.ts';
import type { Immutable } from '../api/immutable.ts';
import type { AccessReason } from '../api/reasons.ts';
import type { Condition } from '../kube/condition.ts';
import type { WaitingError } from '../kube/result.ts';
import type { Grant } from './access.ts';

export const CREDENTIALS_READY = 'CredentialsReady';

export interface CredentialWords extends Pick<Condition, 'type' | 'status' | 'message'> {
  readonly reason: AccessReason;
}

/** `pulls`: whether nodes pull with the same credentials, which the kubelet must be able to use then. */
export function credentialsFound(
  access: Immutable<Access>,
  { unusableByKubelet }: Grant,
  { pulls }: { readonly pulls: boolean },
): CredentialWords {
  if (pulls && unusableByKubelet.length > 0) {
    return words('False', 'SecretTypeUnusableByKubelet', unusableMessage(unusableByKubelet));
  }
  const { pullSecretRefs = [], serviceAccountName, provider } = access;
  if (pullSecretRefs.length === 0 && serviceAccountName === undefined && provider === 'None') {
    return words('True', 'NoCredentialsNeeded', 'The registry is asked anonymously');
  }
  return words('True', 'CredentialsFound', 'Every object that spec.access names is there');
}

/** Something that `access` names is missing or unusable. */
export function credentialsMissing({ reason, message }: WaitingError): CredentialWords {
  return words('False', reason as AccessReason, message);
}

function unusableMessage(secrets: readonly string[]): string {
  return (
    `The kubelet ignores Secrets of type kubernetes.io/basic-auth (${secrets.join(', ')}), so nodes pull without ` +
    'credentials; pulls need type kubernetes.io/dockerconfigjson, made with: kubectl create secret docker-registry'
  );
}

function words(status: 'True' | 'False', reason: AccessReason, message: string): CredentialWords {
  return { type: CREDENTIALS_READY, status, reason, message };
}
