/** Authorized, polite requests: credentials in order, one token refresh, bounded retries under the shared budget. */

import { type Clock, sleep } from '../clock.ts';
import type { Repository } from '../domain/reference.ts';
import { credentialFingerprint, type RegistryAccess } from './access.ts';
import { answerError, isRateLimited } from './answer-errors.ts';
import type { Authentication, Identity } from './authentication.ts';
import { BoundedCache } from './bounded-cache.ts';
import { type Budget, BudgetPausedError, type BudgetPool } from './budget.ts';
import { apiRoot, apiURL } from './endpoint.ts';
import { isRegistryError, RegistryError, type RegistryErrorCode } from './errors.ts';
import { anonymous, type Credentials } from './keychain.ts';
import type { ScanMeter } from './meter.ts';
import { rateLimit, retryAfterMs } from './rate-limit.ts';
import type { Transport, TransportResponse } from './transport.ts';
import type { Subject } from './transport-errors.ts';

/** One question to a registry, before anybody has thought of credentials and retries. */
export interface Call {
  readonly method: 'GET' | 'HEAD';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly repository: Repository;
  readonly access: RegistryAccess;
  readonly subject: Subject;
  readonly maxBytes: number;
  readonly meter: ScanMeter;
  readonly signal: AbortSignal;
  /** What a 404 without a code means. */
  readonly missing: RegistryErrorCode;
  /** Statuses besides 200 that the caller wants to see instead of an error. */
  readonly accepts?: readonly number[];
}

const MAX_TRIES = 3;
/** Delay before the second try; doubles. */
const RETRY_BASE_MS = 1_000;
/** A registry that wants more rest than this is left alone, and the caller told when to come back. */
const MAX_PAUSE_MS = 15_000;
/** Rest after `ratelimit-remaining: 0` without a reset time. */
const EXHAUSTED_PAUSE_MS = 60_000;
const MAX_REMEMBERED = 10_000;

/** Sends calls: right credentials, within the budget, again after what may pass. */
export class Session {
  readonly #transport: Transport;
  readonly #authentication: Authentication;
  readonly #budgets: BudgetPool;
  readonly #clock: Clock;
  /** Fingerprint of the credentials that worked last, by view. */
  readonly #working = new BoundedCache<string>(MAX_REMEMBERED);

  constructor(transport: Transport, authentication: Authentication, budgets: BudgetPool, clock: Clock) {
    this.#transport = transport;
    this.#authentication = authentication;
    this.#budgets = budgets;
    this.#clock = clock;
  }

  /**
   * The answer, if its status is 200 or accepted.
   * @throws RegistryError
   */
  async send(call: Call): Promise<TransportResponse> {
    const { candidates, key } = await this.#candidates(call);
    let failure: unknown;
    for (const credentials of candidates) {
      try {
        const response = await this.#sendAs(credentials, call);
        this.#working.set(key, credentialFingerprint(credentials));
        return response;
      } catch (error) {
        if (!isRefusal(error)) throw error;
        failure ??= error;
      }
    }
    throw failure;
  }

  /** Distinguishes whose answers about which repository may be shared: connection, credentials, repository. */
  async viewKey(repository: Repository, access: RegistryAccess, signal: AbortSignal): Promise<string> {
    return viewKeyOf(repository, access, await access.credentials.find(repository, signal));
  }

  /** Those that worked last first. Without any, anonymous. */
  async #candidates(call: Call): Promise<{ candidates: readonly Credentials[]; key: string }> {
    const found = await call.access.credentials.find(call.repository, call.signal);
    const key = viewKeyOf(call.repository, call.access, found);
    if (found.length === 0) return { candidates: [anonymous], key };
    const last = this.#working.get(key);
    const order = (credentials: Credentials): number => (credentialFingerprint(credentials) === last ? 0 : 1);
    return { candidates: found.length === 1 ? found : [...found].sort((a, b) => order(a) - order(b)), key };
  }

  async #sendAs(credentials: Credentials, call: Call): Promise<TransportResponse> {
    const identity: Identity = { repository: call.repository, access: call.access, credentials };
    const { host } = apiRoot(call.repository, call.access);
    const budget = this.#budgets.get(host, `${call.access.identity} ${credentialFingerprint(credentials)}`);
    for (let attempt = 1; ; attempt++) {
      try {
        const response = await this.#sendOnce(identity, call, budget);
        if (response.status === 200 || call.accepts?.includes(response.status) === true) return response;
        throw answerError(response, call.subject, call.missing, this.#clock.now());
      } catch (error) {
        if (!isWorthRetrying(error) || attempt === MAX_TRIES) throw error;
        await this.#rest(error, attempt, call, budget);
      }
    }
  }

  /** Waits before the next try; a pause that is too long is the caller's to wait out. */
  async #rest(error: RegistryError, attempt: number, call: Call, budget: Budget): Promise<void> {
    if (budget.pauseMs > MAX_PAUSE_MS) throw error;
    const waitMs = Math.max(RETRY_BASE_MS * 2 ** (attempt - 1), budget.pauseMs);
    try {
      await sleep(this.#clock, waitMs, call.signal);
    } catch {
      throw error;
    }
  }

  async #sendOnce(identity: Identity, call: Call, budget: Budget): Promise<TransportResponse> {
    const permit = await this.#enter(call, budget);
    try {
      const authorization = await this.#authentication.prepare(identity, call);
      const response = await this.#exchange(call, authorization, budget);
      if (response.status !== 401 || response.url.origin !== call.url.origin) return response;
      const answer = await this.#authentication.answer(response, identity, call, authorization);
      return answer === undefined ? response : await this.#exchange(call, answer, budget);
    } finally {
      permit.release();
    }
  }

  async #enter(call: Call, budget: Budget): Promise<{ release(): void }> {
    try {
      return await budget.acquire(MAX_PAUSE_MS, call.signal);
    } catch (error) {
      if (!(error instanceof BudgetPausedError)) throw error;
      throw new RegistryError(`${call.subject.action}: the registry limits requests and asked for a pause`, {
        ...call.subject,
        code: 'TOOMANYREQUESTS',
        retryAfterMs: error.retryAfterMs,
      });
    }
  }

  async #exchange(call: Call, authorization: string | undefined, budget: Budget): Promise<TransportResponse> {
    const root = apiRoot(call.repository, call.access);
    const isOurs = call.url.origin === root.origin;
    const response = await this.#transport.send({
      method: call.method,
      url: call.url,
      headers: call.headers,
      authorization: isOurs ? authorization : undefined,
      target: isOurs ? { kind: 'registry' } : { kind: 'foreign', pointedAtBy: root.hostname },
      maxBytes: call.maxBytes,
      subject: call.subject,
      access: call.access,
      meter: call.meter,
      signal: call.signal,
    });
    if (response.url.origin === root.origin) this.#note(response, budget);
    return response;
  }

  /** Slows everybody down when the registry says so. */
  #note(response: TransportResponse, budget: Budget): void {
    const now = this.#clock.now();
    const askedMs = retryAfterMs(response.headers, now);
    if (isRateLimited(response)) budget.pause(askedMs ?? RETRY_BASE_MS);
    else if (response.status === 503 && askedMs !== undefined) budget.pause(askedMs);
    const limit = rateLimit(response.headers, now);
    if (limit?.remaining === 0) budget.pause(limit.resetMs ?? EXHAUSTED_PAUSE_MS);
  }
}

function viewKeyOf(
  repository: Repository,
  access: RegistryAccess,
  credentials: readonly Credentials[],
): string {
  const prints = credentials.map(credentialFingerprint).join(',');
  return `${apiURL(repository, access, '').href} ${access.identity} ${prints}`;
}

function isRefusal(error: unknown): boolean {
  return isRegistryError(error) && (error.code === 'UNAUTHORIZED' || error.code === 'DENIED');
}

/** A 404 that may be temporary is not asked again at once. */
function isWorthRetrying(error: unknown): error is RegistryError {
  return isRegistryError(error) && error.temporary && error.status !== 404;
}
