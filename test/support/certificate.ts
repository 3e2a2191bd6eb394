/** X.509 certificates for loopback servers, made on the spot: no key lies in the repository, no tool is needed. */

import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

export interface Authority {
  readonly name: string;
  readonly key: KeyObject;
  /** PEM. */
  readonly certificate: string;
}

export interface IssuedCertificate {
  /** PEM. */
  readonly certificate: string;
  /** PEM, PKCS #8. */
  readonly key: string;
}

const OID_COMMON_NAME = [0x55, 0x04, 0x03];
const OID_BASIC_CONSTRAINTS = [0x55, 0x1d, 0x13];
const OID_SUBJECT_ALT_NAME = [0x55, 0x1d, 0x11];
const OID_ECDSA_WITH_SHA256 = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];

export function createAuthority(name = 'test authority'): Authority {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const isCa = sequence(oid(OID_BASIC_CONSTRAINTS), boolean(true), octets(sequence(boolean(true))));
  const certificate = build({
    issuer: name,
    subject: name,
    publicKey,
    signer: privateKey,
    extensions: [isCa],
  });
  return { name, key: privateKey, certificate };
}

/** A certificate for 127.0.0.1 and localhost, good for servers and clients alike. */
export function issueCertificate(authority: Authority, commonName: string): IssuedCertificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const names = sequence(tagged(0x87, Buffer.from([127, 0, 0, 1])), tagged(0x82, Buffer.from('localhost')));
  const certificate = build({
    issuer: authority.name,
    subject: commonName,
    publicKey,
    signer: authority.key,
    extensions: [sequence(oid(OID_SUBJECT_ALT_NAME), octets(names))],
  });
  return { certificate, key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
}

interface CertificateParts {
  readonly issuer: string;
  readonly subject: string;
  readonly publicKey: KeyObject;
  readonly signer: KeyObject;
  readonly extensions: readonly Buffer[];
}

function build({ issuer, subject, publicKey, signer, extensions }: CertificateParts): string {
  const algorithm = sequence(oid(OID_ECDSA_WITH_SHA256));
  const body = sequence(
    tagged(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([0x01]), randomBytes(15)])),
    algorithm,
    distinguishedName(issuer),
    sequence(utcTime('250101000000Z'), utcTime('490101000000Z')),
    distinguishedName(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(...extensions)),
  );
  const signature = sign('sha256', body, signer);
  const der = sequence(body, algorithm, tagged(0x03, Buffer.concat([Buffer.from([0]), signature])));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

function distinguishedName(commonName: string): Buffer {
  return sequence(tagged(0x31, sequence(oid(OID_COMMON_NAME), tagged(0x0c, Buffer.from(commonName)))));
}

function tagged(tag: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([tag]), length(content.length), content]);
}

function length(size: number): Buffer {
  if (size < 0x80) return Buffer.from([size]);
  return size < 0x100 ? Buffer.from([0x81, size]) : Buffer.from([0x82, size >> 8, size & 0xff]);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(parts));
}

function integer(value: Buffer): Buffer {
  return tagged(0x02, value);
}

function boolean(value: boolean): Buffer {
  return tagged(0x01, Buffer.from([value ? 0xff : 0]));
}

function octets(content: Buffer): Buffer {
  return tagged(0x04, content);
}

function oid(bytes: readonly number[]): Buffer {
  return tagged(0x06, Buffer.from(bytes));
}

function utcTime(text: string): Buffer {
  return tagged(0x17, Buffer.from(text));
}
