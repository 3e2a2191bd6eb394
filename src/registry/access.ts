/** How one object reaches registries: credentials, trust, proxy; built once from its secrets. */

import { createHash } from 'node:crypto';
import { anonymous, type Credentials, emptyKeychain, type Keychain } from './keychain.ts';

/** Everything that decides how a registry is reached for one object; made by `buildAccess`. */
export interface RegistryAccess {
  readonly credentials: Keychain;
  /** PEM certificates trusted in addition to the system's. */
  readonly ca?: string;
  readonly clientCertificate?: ClientCertificate;
  readonly proxy?: ProxySettings;
  /** http instead of https to the registry. */
  readonly plainHTTP: boolean;
  /** Stable key of everything here but the credentials: connections, tokens and answers are shared only within it. */
  readonly identity: string;
}

/** PEM texts. */
export interface ClientCertificate {
  readonly certificate: string;
  readonly key: string;
}

/** A proxy that is not the environment's; the login goes to it alone. */
export interface ProxySettings {
  /** http:// or https:// URL without user information. */
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
}

/** What is known of an access; absent means anonymous, the system's trust, no proxy. */
export type AccessOptions = Partial<Omit<RegistryAccess, 'identity'>>;

/** Fills in what is absent and derives the identity. */
export function buildAccess(options: AccessOptions): RegistryAccess {
  const { credentials = emptyKeychain, plainHTTP = false, ...connection } = options;
  const { ca, clientCertificate, proxy } = connection;
  const identity = fingerprint(
    plainHTTP ? 'http' : 'https',
    ca,
    clientCertificate?.certificate,
    clientCertificate?.key,
    proxy?.url,
    proxy?.username,
    proxy?.password,
  );
  return { ...connection, credentials, plainHTTP, identity };
}

/** Without credentials, to https registries, through no proxy. */
export const anonymousAccess: RegistryAccess = buildAccess({});

/** A key for credentials that does not contain them; anonymous is always the same. */
export function credentialFingerprint(credentials: Credentials): string {
  if (credentials === anonymous || credentials.kind === 'anonymous') return 'anonymous';
  return fingerprint(...Object.values(credentials));
}

function fingerprint(...parts: readonly (string | undefined)[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}
