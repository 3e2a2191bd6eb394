/** Why a pull failed: the only place that reads the kubelet's words, which is all it gives. */

import type { FailureClass } from '../../api/prepulled-image.ts';
import type { NodeReason } from '../../api/reasons.ts';

export interface PullFailure {
  readonly class: FailureClass;
  /** A reason of `notPresent` entries. */
  readonly reason: NodeReason;
  readonly message: string;
}

const MESSAGE_LIMIT = 256;
/** A registry may answer with pages. */
const READ_LIMIT = 4_096;

interface Pattern {
  readonly test: RegExp;
  readonly class: FailureClass;
  readonly reason: NodeReason;
}

/** Words, or a status code that is none of the numbers of a version: there is a jenkins:2.401, and a 2.429. */
function status(code: string, words: string): RegExp {
  return new RegExp(`(?<![\\w.:/-])(?:${code})(?![\\w./-])|${words}`, 'i');
}

/** First match wins; texts are those of kubelet, containerd and CRI-O. */
const PATTERNS: readonly Pattern[] = [
  { test: /no space left on device|disk quota exceeded/i, class: 'Node', reason: 'DiskFull' },
  { test: /no match for platform|no matching manifest/i, class: 'Image', reason: 'PlatformMismatch' },
  {
    test: status('401', 'unauthorized|authentication required|authorization failed'),
    class: 'Image',
    reason: 'PullUnauthorized',
  },
  { test: status('403', 'forbidden|denied'), class: 'Image', reason: 'PullUnauthorized' },
  {
    test: status('404', 'code = NotFound|manifest unknown|not found'),
    class: 'Image',
    reason: 'ImageNotFound',
  },
  { test: /invalid reference format|InvalidImageName/i, class: 'Image', reason: 'ImagePullFailed' },
  {
    test: status('429', 'too many requests|toomanyrequests'),
    class: 'Registry',
    reason: 'RegistryThrottled',
  },
  { test: /x509|certificate/i, class: 'Node', reason: 'CertificateInvalid' },
  {
    test: status('50[0234]', 'service unavailable|bad gateway'),
    class: 'Registry',
    reason: 'RegistryUnreachableFromNode',
  },
  {
    test: /code = Unavailable|error reading from server|containerd\.sock/i,
    class: 'Node',
    reason: 'RuntimeFailed',
  },
  {
    test: /no such host|connection refused|connection reset|i\/o timeout|network is unreachable|deadline exceeded|EOF/i,
    class: 'Registry',
    reason: 'RegistryUnreachableFromNode',
  },
];

/** References and addresses: an image may be called certificate or forbidden, and have any number as its tag. */
const NAMES = /"[^"\s]*"|https?:\/\/\S+|(?:[a-z0-9._-]+(?::[0-9]+)?\/)+[a-z0-9._-]+[:@][\w.:-]*\w/gi;

/** `kubeletReason` is the container's waiting reason, such as ErrImagePull. */
export function classifyPullFailure(kubeletReason: string, text: string): PullFailure {
  const message = firstLine(text === '' ? kubeletReason : text);
  const words = text.slice(0, READ_LIMIT).replace(NAMES, ' ');
  const match = PATTERNS.find(({ test }) => test.test(words) || test.test(kubeletReason));
  return match === undefined
    ? { class: 'Node', reason: 'ImagePullFailed', message }
    : { class: match.class, reason: match.reason, message };
}

function firstLine(text: string): string {
  const line = text.trim().split('\n', 1)[0] ?? '';
  return line.length <= MESSAGE_LIMIT ? line : `${line.slice(0, MESSAGE_LIMIT - 1)}…`;
}
