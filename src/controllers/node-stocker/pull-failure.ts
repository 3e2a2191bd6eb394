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

interface Pattern {
  readonly test: RegExp;
  readonly class: FailureClass;
  readonly reason: NodeReason;
}

/** First match wins; texts are those of kubelet, containerd and CRI-O. */
const PATTERNS: readonly Pattern[] = [
  { test: /no space left on device|disk quota exceeded/i, class: 'Node', reason: 'DiskFull' },
  { test: /no match for platform|no matching manifest/i, class: 'Image', reason: 'PlatformMismatch' },
  {
    test: /\b401\b|unauthorized|authentication required|authorization failed/i,
    class: 'Image',
    reason: 'PullUnauthorized',
  },
  { test: /\b403\b|forbidden|denied/i, class: 'Image', reason: 'PullUnauthorized' },
  { test: /code = NotFound|manifest unknown|\b404\b|not found/i, class: 'Image', reason: 'ImageNotFound' },
  { test: /invalid reference format|InvalidImageName/i, class: 'Image', reason: 'ImagePullFailed' },
  { test: /\b429\b|too many requests|toomanyrequests/i, class: 'Registry', reason: 'RegistryThrottled' },
  { test: /x509|certificate/i, class: 'Node', reason: 'CertificateInvalid' },
  {
    test: /\b50[0234]\b|service unavailable|bad gateway/i,
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

/** `kubeletReason` is the container's waiting reason, such as ErrImagePull. */
export function classifyPullFailure(kubeletReason: string, text: string): PullFailure {
  const message = firstLine(text === '' ? kubeletReason : text);
  const match = PATTERNS.find(({ test }) => test.test(text) || test.test(kubeletReason));
  return match === undefined
    ? { class: 'Node', reason: 'ImagePullFailed', message }
    : { class: match.class, reason: match.reason, message };
}

function firstLine(text: string): string {
  const line = text.trim().split('\n', 1)[0] ?? '';
  return line.length <= MESSAGE_LIMIT ? line : `${line.slice(0, MESSAGE_LIMIT - 1)}…`;
}
