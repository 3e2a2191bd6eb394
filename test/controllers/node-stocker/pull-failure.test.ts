import { expect, it } from 'vitest';
import { classifyPullFailure } from '../../../src/controllers/node-stocker/pull-failure.ts';

/** Texts of real kubelets and runtimes. */
const TEXTS: readonly (readonly [text: string, failureClass: string, reason: string])[] = [
  [
    'rpc error: code = NotFound desc = failed to pull and unpack image "r/a:x": r/a:x: not found',
    'Image',
    'ImageNotFound',
  ],
  [
    'failed to resolve reference "r/a:1": unexpected status from HEAD request: 401 Unauthorized',
    'Image',
    'PullUnauthorized',
  ],
  ['pull access denied, repository does not exist or may require authorization', 'Image', 'PullUnauthorized'],
  ['no match for platform in manifest: not found', 'Image', 'PlatformMismatch'],
  ['write /var/lib/containerd/x: no space left on device', 'Node', 'DiskFull'],
  [
    'Get "https://r/v2/": tls: failed to verify certificate: x509: certificate signed by unknown authority',
    'Node',
    'CertificateInvalid',
  ],
  ['dial tcp: lookup r on 10.0.0.10:53: no such host', 'Registry', 'RegistryUnreachableFromNode'],
  ['dial tcp 127.0.0.1:5000: connect: connection refused', 'Registry', 'RegistryUnreachableFromNode'],
  ['unexpected status code 429 Too Many Requests', 'Registry', 'RegistryThrottled'],
  ['received unexpected HTTP status: 503 Service Unavailable', 'Registry', 'RegistryUnreachableFromNode'],
  ['read tcp 10.0.0.1:443: read: connection reset by peer', 'Registry', 'RegistryUnreachableFromNode'],
  ['rpc error: code = Unavailable desc = error reading from server: EOF', 'Node', 'RuntimeFailed'],
  ['something nobody has seen', 'Node', 'ImagePullFailed'],
  // Names and numbers of images are no words of who failed.
  [
    'failed to pull and unpack image "docker.io/jenkins/jenkins:2.401": failed to resolve reference ' +
      '"docker.io/jenkins/jenkins:2.401": failed to do request: Head ' +
      '"https://registry-1.docker.io/v2/jenkins/jenkins/manifests/2.401": dial tcp 1.2.3.4:443: i/o timeout',
    'Registry',
    'RegistryUnreachableFromNode',
  ],
  ['reading manifest 2.429 in docker.io/jenkins/jenkins: manifest unknown', 'Image', 'ImageNotFound'],
  [
    'pulling image r.example:5000/ca/certificate-forbidden:404: dial tcp 1.2.3.4:5000: connect: connection refused',
    'Registry',
    'RegistryUnreachableFromNode',
  ],
  [
    'unexpected status from HEAD request to https://r.example/v2/a/denied/manifests/1.0: 503 Service Unavailable',
    'Registry',
    'RegistryUnreachableFromNode',
  ],
  [
    'rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial unix ' +
      '/run/containerd/containerd.sock: connect: connection refused"',
    'Node',
    'RuntimeFailed',
  ],
];

it.each(TEXTS)('%s', (text, failureClass, reason) => {
  const message = text.length <= 256 ? text : `${text.slice(0, 255)}…`;
  expect(classifyPullFailure('ErrImagePull', text)).toEqual({ class: failureClass, reason, message });
});

it('falls back to the kubelet reason, keeps the first line and bounds it', () => {
  expect(classifyPullFailure('InvalidImageName', '').reason).toBe('ImagePullFailed');
  expect(classifyPullFailure('ErrImagePull', 'first\nsecond').message).toBe('first');
  expect(classifyPullFailure('ErrImagePull', 'x'.repeat(1_000)).message).toHaveLength(256);
});

it('reads no page that a registry may answer with', () => {
  const page = `${'a'.repeat(100_000)} manifest unknown`;
  const began = performance.now();
  expect(classifyPullFailure('ErrImagePull', page).reason).toBe('ImagePullFailed');
  expect(performance.now() - began).toBeLessThan(5_000);
});
