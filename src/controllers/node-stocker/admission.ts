/** Who refused a pull pod, or made another pod of it: quotas, limit ranges, policies and webhooks say it only in text. */

import { ApiError } from '../../kube/api-error.ts';

const MESSAGE_LIMIT = 256;

interface Refuser {
  /** A group `name` if the text names it. */
  readonly test: RegExp;
  readonly who: string;
}

/** First match wins; texts are those of the API server 1.35. */
const REFUSERS: readonly Refuser[] = [
  { test: /exceeded quota: (?<name>[^,\s]+)/, who: 'ResourceQuota' },
  { test: /failed quota: (?<name>[^:,\s]+)/, who: 'ResourceQuota' },
  { test: /ValidatingAdmissionPolicy '(?<name>[^']+)'/, who: 'ValidatingAdmissionPolicy' },
  { test: /admission webhook "(?<name>[^"]+)" denied/, who: 'admission webhook' },
  { test: /failed calling webhook "(?<name>[^"]+)"/, who: 'admission webhook, which does not answer,' },
  { test: /violates PodSecurity "(?<name>[^"]+)"/, who: 'PodSecurity level' },
  {
    test: /(?:maximum|minimum) \S+ usage per|max limit to request ratio/,
    who: 'LimitRange of the namespace',
  },
  { test: /serviceaccount "(?<name>[^"]+)" not found/i, who: 'missing ServiceAccount' },
  { test: /no PriorityClass with name (?<name>\S+)/, who: 'missing PriorityClass' },
  { test: /being terminated/, who: 'namespace, which is being deleted' },
  { test: /cannot create resource "pods"/, who: 'RBAC of the operator' },
];

/** The server understood and will not have it: a retry of the same pod would be refused again. */
export function isRefusal(error: unknown): error is ApiError {
  if (!(error instanceof ApiError)) return false;
  if (error.status === 403 || error.status === 422 || error.status === 400) return true;
  // With failurePolicy Fail a webhook that is down refuses every pod, as an internal error.
  return error.status === 500 && error.message.includes('failed calling webhook');
}

/** The quota of the namespace is full: there is room when other pods have ended. */
export function isQuotaExceeded({ message }: ApiError): boolean {
  return message.includes('exceeded quota: ');
}

/** One sentence for people: who, then the words of the server. */
export function refusalMessage(message: string): string {
  const words = message.replace(/^.*? is forbidden: /s, '');
  const refuser = REFUSERS.find(({ test }) => test.test(message));
  if (refuser === undefined) return limit(words);
  const name = refuser.test.exec(message)?.groups?.['name'];
  return limit(`Refused by ${refuser.who}${name === undefined ? '' : ` ${name}`}: ${words}`);
}

interface PodContainers {
  readonly containers?: readonly { readonly name: string; readonly image: string }[];
}

/**
 * What admission made of our images; undefined if they are what was asked. Another registry is fine as long as the
 * digest is the same, for the content is; another image would be taken for the wanted one.
 */
export function changedImage(asked: PodContainers, created: PodContainers): string | undefined {
  const images = new Map(created.containers?.map(({ name, image }) => [name, image]));
  for (const { name, image } of asked.containers ?? []) {
    const now = images.get(name);
    // A server that answers without the containers changed nothing that we can see.
    if (created.containers === undefined || now === image || isSameContent(image, now ?? '')) continue;
    const other = now === undefined ? 'removed' : `replaced by ${now}`;
    return limit(
      `Refused: at admission ${image} was ${other}; exempt pods with larder.dev/component=pull-pod`,
    );
  }
  return undefined;
}

function isSameContent(image: string, other: string): boolean {
  const digest = image.slice(image.indexOf('@') + 1);
  return digest !== image && other.endsWith(`@${digest}`);
}

function limit(text: string): string {
  return text.length <= MESSAGE_LIMIT ? text : `${text.slice(0, MESSAGE_LIMIT - 1)}…`;
}
