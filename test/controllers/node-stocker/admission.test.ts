import { describe, expect, it } from 'vitest';
import { changedImage, isRefusal, refusalMessage } from '../../../src/controllers/node-stocker/admission.ts';
import { ApiError } from '../../../src/kube/api-error.ts';

const POD = 'create pods lab/larder-0a1b2c3d4e-1: pods "larder-0a1b2c3d4e-1" is forbidden: ';
const DIGEST = `sha256:${'a'.repeat(64)}`;

describe('refusalMessage', () => {
  it.each([
    ['exceeded quota: small, requested: pods=1', 'Refused by ResourceQuota small: exceeded quota: small, '],
    ['failed quota: mem: must specify limits', 'Refused by ResourceQuota mem: failed quota'],
    [
      "ValidatingAdmissionPolicy 'no-pulls' with binding 'b' denied request: no",
      'Refused by ValidatingAdmissionPolicy no-pulls: Validating',
    ],
    [
      'minimum cpu usage per Container is 200m, but request is 0',
      'Refused by LimitRange of the namespace: minimum cpu usage',
    ],
    [
      'cpu max limit to request ratio per Container is 2, but no request is specified',
      'Refused by LimitRange of the namespace: cpu max limit',
    ],
    [
      'violates PodSecurity "restricted:latest": runAsNonRoot',
      'Refused by PodSecurity level restricted:latest: ',
    ],
    [
      'error looking up service account lab/x: serviceaccount "x" not found',
      'Refused by missing ServiceAccount x: error looking up',
    ],
    ['no PriorityClass with name fast was found', 'Refused by missing PriorityClass fast: no Priority'],
    [
      'unable to create new content in namespace lab because it is being terminated',
      'Refused by namespace, which is',
    ],
  ])('of %s names who refused', (words, expected) => {
    expect(refusalMessage(`${POD}${words}`).startsWith(expected)).toBe(true);
  });

  it('names webhooks, which have no common prefix', () => {
    const denied = 'create pods: admission webhook "v.kyverno.example" denied the request: not from here';
    expect(refusalMessage(denied)).toMatch(/^Refused by admission webhook v\.kyverno\.example: /);
    const down = 'create pods: Internal error occurred: failed calling webhook "m.example": refused';
    expect(refusalMessage(down)).toMatch(
      /^Refused by admission webhook, which does not answer, m\.example: /,
    );
  });

  it('gives the words alone where it does not know them, and never more than a status takes', () => {
    expect(refusalMessage(`${POD}a new kind of no`)).toBe('a new kind of no');
    expect(refusalMessage('x'.repeat(1_000))).toHaveLength(256);
  });
});

describe('isRefusal', () => {
  const error = (status: number, message: string) =>
    new ApiError({ message, status, reason: 'Unknown', temporary: false });

  it.each([
    [400, 'no', true],
    [403, 'no', true],
    [422, 'no', true],
    [500, 'etcdserver: request timed out', false],
    [500, 'Internal error occurred: failed calling webhook "x"', true],
    [409, 'no', false],
    [503, 'no', false],
  ])('of %d %s is %s', (status, message, expected) => {
    expect(isRefusal(error(status, message))).toBe(expected);
  });

  it('is not what is no answer at all', () => {
    expect(isRefusal(new Error('socket hang up'))).toBe(false);
  });
});

describe('changedImage', () => {
  const pod = (...images: readonly string[]) => ({
    containers: images.map((image, index) => ({ name: `pull-${String(index)}`, image })),
  });

  it.each([
    ['nothing changed', pod(`r/x@${DIGEST}`), pod(`r/x@${DIGEST}`)],
    ['a mirror holds the same digest', pod(`r/x@${DIGEST}`), pod(`mirror/r/x@${DIGEST}`)],
    [
      'a sidecar came along',
      pod('r/x:1'),
      { containers: [...pod('r/x:1').containers, { name: 'p', image: 'p' }] },
    ],
    ['the answer has no containers', pod('r/x:1'), {}],
  ])('is none where %s', (_why, asked, created) => {
    expect(changedImage(asked, created)).toBeUndefined();
  });

  it.each([
    ['another digest', pod(`r/x@${DIGEST}`), pod(`r/x@sha256:${'b'.repeat(64)}`), 'replaced by r/x@sha256:b'],
    ['a tag on a mirror, which may be anything', pod('r/x:1'), pod('mirror/x:1'), 'replaced by mirror/x:1'],
    ['no container', pod('r/x:1'), { containers: [] }, 'was removed'],
  ])('is %s', (_what, asked, created, words) => {
    expect(changedImage(asked, created)).toContain(words);
  });
});
