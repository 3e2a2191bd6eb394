/** Answers challenges and remembers how: one token per registry, scope and credential, shared by everybody. */

import type { Clock } from '../clock.ts';
import type { Repository } from '../domain/reference.ts';
import { withRuntimeDefaults } from '../domain/reference.ts';
import { credentialFingerprint, type RegistryAccess } from './access.ts';
import { BoundedCache } from './bounded-cache.ts';
import { type Challenge, selectChallenge } from './challenge.ts';
import type { Target } from './connections.ts';
import { apiRoot } from './endpoint.ts';
import { RegistryError, type RegistryErrorCode } from './errors.ts';
import type { Credentials } from './keychain.ts';
import type { ScanMeter } from './meter.ts';
import { checkRealm, type RealmPolicy } from './realm.ts';
import { SingleFlight } from './single-flight.ts';
import { readToken } from './token.ts';
import type { Transport, TransportRequest, TransportResponse } from './transport.ts';
import type { Subject } from './transport-errors.ts';

/** Who asks for what. */
export interface Identity {
  readonly repository: Repository;
  readonly access: RegistryAccess;
  readonly credentials: Credentials;
}

/** What the exchange that needs authorization lends to the token request. */
export interface AuthenticationContext {
  readonly subject: Subject;
  readonly meter: ScanMeter;
  readonly signal: AbortSignal;
}

/** How a registry wants to be spoken to by one identity. */
type Scheme =
  | { readonly kind: 'basic' }
  | {
      readonly kind: 'bearer';
      readonly realm: string;
      readonly service: string;
      readonly usualScope: boolean;
    };

interface CachedToken {
  readonly value: string;
  readonly expiresAt: number;
}

const MAX_SCHEMES = 5_000;
const MAX_TOKENS = 20_000;
const MAX_TOKEN_BYTES = 256 * 1024;
const MAX_SCOPE_LENGTH = 1024;
const CLIENT_ID = 'larder';

/** One for the process: challenges and tokens that are shared by all callers, within equal accesses. */
export class Authentication {
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #realms: RealmPolicy;
  readonly #schemes = new BoundedCache<Scheme>(MAX_SCHEMES);
  readonly #tokens = new BoundedCache<CachedToken>(MAX_TOKENS);
  readonly #flights = new SingleFlight<string>();

  constructor(transport: Transport, clock: Clock, realms: RealmPolicy) {
    this.#transport = transport;
    this.#clock = clock;
    this.#realms = realms;
  }

  /** The Authorization to send at first; undefined if nothing is known yet or nothing is needed. */
  async prepare(identity: Identity, context: AuthenticationContext): Promise<string | undefined> {
    if (identity.credentials.kind === 'registryToken') return `Bearer ${identity.credentials.token}`;
    const scheme = this.#schemes.get(schemeKey(identity));
    if (scheme === undefined) return undefined;
    if (scheme.kind === 'basic') return basicHeader(identity.credentials);
    const scope = usualScope(identity.repository);
    const cached = this.#cachedToken(identity, scope);
    if (cached !== undefined) return `Bearer ${cached}`;
    // Where the registry names scopes its own way, only its challenge can say which one to ask for.
    return scheme.usualScope ? `Bearer ${await this.#token(identity, scheme, scope, context)}` : undefined;
  }

  /**
   * The Authorization that answers a 401; undefined if it cannot be answered. `refused` is what was sent before: a
   * token that was refused is forgotten.
   */
  async answer(
    response: TransportResponse,
    identity: Identity,
    context: AuthenticationContext,
    refused: string | undefined,
  ): Promise<string | undefined> {
    const challenge = selectChallenge(response.headers.get('www-authenticate') ?? '');
    if (challenge === undefined || identity.credentials.kind === 'registryToken') return undefined;
    if (challenge.scheme === 'basic') return this.#answerBasic(identity, refused);
    const scope = scopeOf(challenge, identity.repository);
    const scheme = this.#learn(challenge, identity, scope, context.subject);
    const cached = this.#cachedToken(identity, scope);
    if (cached !== undefined && `Bearer ${cached}` !== refused) return `Bearer ${cached}`;
    this.#tokens.delete(tokenKey(identity, scope));
    return `Bearer ${await this.#token(identity, scheme, scope, context)}`;
  }

  #answerBasic(identity: Identity, refused: string | undefined): string | undefined {
    const header = basicHeader(identity.credentials);
    if (header === undefined || header === refused) return undefined;
    this.#schemes.set(schemeKey(identity), { kind: 'basic' });
    return header;
  }

  #learn(
    challenge: Challenge,
    identity: Identity,
    scope: string,
    subject: Subject,
  ): Scheme & { kind: 'bearer' } {
    const realm = challenge.parameters.get('realm') ?? '';
    if (realm === '') throw failure(subject, 'INVALID_RESPONSE', 'the challenge names no realm');
    const scheme = {
      kind: 'bearer',
      realm,
      service: challenge.parameters.get('service') ?? '',
      usualScope: scope === usualScope(identity.repository),
    } as const;
    this.#schemes.set(schemeKey(identity), scheme);
    return scheme;
  }

  #cachedToken(identity: Identity, scope: string): string | undefined {
    const cached = this.#tokens.get(tokenKey(identity, scope));
    return cached !== undefined && cached.expiresAt > this.#clock.monotonic() ? cached.value : undefined;
  }

  #token(
    identity: Identity,
    scheme: Scheme & { kind: 'bearer' },
    scope: string,
    context: AuthenticationContext,
  ): Promise<string> {
    const key = tokenKey(identity, scope);
    return this.#flights.run(key, context.signal, async (signal) => {
      const request = this.#tokenRequest(identity, scheme, scope, { ...context, signal });
      const response = await this.#transport.send(request);
      const token = response.status === 200 ? readToken(response.body) : undefined;
      if (token === undefined) throw refusedToken(response, context.subject);
      this.#tokens.set(key, { value: token.value, expiresAt: this.#clock.monotonic() + token.lifetimeMs });
      return token.value;
    });
  }

  #tokenRequest(
    identity: Identity,
    scheme: Scheme & { kind: 'bearer' },
    scope: string,
    context: AuthenticationContext,
  ): TransportRequest {
    const { access, credentials, repository } = identity;
    const registryURL = apiRoot(repository, access);
    const hasCredentials = credentials.kind !== 'anonymous';
    const realm = checkRealm(
      { realm: scheme.realm, registryURL, plainHTTP: access.plainHTTP, hasCredentials },
      this.#realms,
    );
    if (!realm.ok) throw failure(context.subject, 'POLICY_REFUSED', realm.error);
    const url = realm.value;
    const isRegistry = url.origin === registryURL.origin;
    const target: Target = isRegistry
      ? { kind: 'registry' }
      : { kind: 'foreign', pointedAtBy: registryURL.hostname };
    const { subject, meter, signal } = context;
    const common = { access, subject, meter, signal, maxBytes: MAX_TOKEN_BYTES, target };
    const question = { ...(scheme.service !== '' && { service: scheme.service }), scope };
    if (credentials.kind === 'identityToken') {
      const form = { grant_type: 'refresh_token', client_id: CLIENT_ID, refresh_token: credentials.token };
      const body = new URLSearchParams({ ...form, ...question }).toString();
      return {
        ...common,
        method: 'POST',
        url,
        body,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      };
    }
    for (const [name, value] of Object.entries(question)) url.searchParams.set(name, value);
    return { ...common, method: 'GET', url, headers: {}, authorization: basicHeader(credentials) };
  }
}

/** The scope the distribution specification prescribes for reading. */
function usualScope(repository: Repository): string {
  return `repository:${withRuntimeDefaults(repository).repository}:pull`;
}

/** The challenge's own scope where it names one: some registries rewrite repository names. */
function scopeOf(challenge: Challenge, repository: Repository): string {
  const scope = challenge.parameters.get('scope') ?? '';
  return scope === '' || scope.length > MAX_SCOPE_LENGTH ? usualScope(repository) : scope;
}

function schemeKey({ repository, access, credentials }: Identity): string {
  return `${apiRoot(repository, access).origin} ${access.identity} ${credentialFingerprint(credentials)}`;
}

function tokenKey(identity: Identity, scope: string): string {
  return `${schemeKey(identity)} ${scope}`;
}

function basicHeader(credentials: Credentials): string | undefined {
  if (credentials.kind !== 'basic') return undefined;
  return `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`;
}

function refusedToken(response: TransportResponse, subject: Subject): RegistryError {
  const { status } = response;
  if (status === 401 || status === 403)
    return failure(subject, 'UNAUTHORIZED', 'the token service refuses the credentials', status);
  if (status === 429) return failure(subject, 'TOOMANYREQUESTS', 'the token service limits requests', status);
  if (status >= 500) return failure(subject, 'UNAVAILABLE', `the token service answers ${status}`, status);
  return failure(subject, 'INVALID_RESPONSE', `the token service answers ${status} without a token`, status);
}

function failure(subject: Subject, code: RegistryErrorCode, problem: string, status?: number): RegistryError {
  return new RegistryError(`${subject.action}: ${problem}`, {
    code,
    registry: subject.registry,
    repository: subject.repository,
    status,
  });
}
