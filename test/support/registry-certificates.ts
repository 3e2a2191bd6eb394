/** A private CA and certificates for one test run, made by the openssl command. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export interface CertificateSet {
  /** PEM of the CA that signed `server` and `client`. */
  readonly ca: string;
  /** For 127.0.0.1 and localhost. */
  readonly server: Certificate;
  /** For another host name. */
  readonly otherHost: Certificate;
  readonly expired: Certificate;
  readonly client: Certificate;
}

export function makeCertificates(): CertificateSet {
  const folder = mkdtempSync(join(tmpdir(), 'larder-certificates-'));
  const run = (...args: readonly string[]): void => {
    execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  };
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  run(
    'req',
    '-x509',
    ...newKey,
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
    '-subj',
    '/CN=Larder test CA',
    '-days',
    '2',
  );
  const sign = (name: string, extension: string, validity: readonly string[]): Certificate => {
    writeFileSync(join(folder, `${name}.ext`), extension);
    run('req', ...newKey, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
    const signing = [
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      '-CA',
      'ca.pem',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
    ];
    run(...signing, '-out', `${name}.pem`, '-extfile', `${name}.ext`, ...validity);
    return {
      cert: readFileSync(join(folder, `${name}.pem`), 'utf8'),
      key: readFileSync(join(folder, `${name}.key`), 'utf8'),
    };
  };
  try {
    return {
      ca: readFileSync(join(folder, 'ca.pem'), 'utf8'),
      server: sign('server', 'subjectAltName=IP:127.0.0.1,DNS:localhost', ['-days', '1']),
      otherHost: sign('other', 'subjectAltName=DNS:other.example.org', ['-days', '1']),
      expired: sign('expired', 'subjectAltName=IP:127.0.0.1', ['-days', '-1']),
      client: sign('client', 'extendedKeyUsage=clientAuth', ['-days', '1']),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
