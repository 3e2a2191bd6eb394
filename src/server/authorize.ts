/** Who calls, and what they may see: both are asked of the API server, and remembered briefly. */

import { createHash } from 'node:crypto';
import { GROUP } from '../api/group-version.ts';
import type { Clock } from '../clock.ts';
import { BoundedCache } from '../registry/bounded-cache.ts';
import { SingleFlight } from '../registry/single-flight.ts';
import { ProblemError, unauthorized } from './problem.ts';

/** As TokenReview tells it. Anonymous callers have the name and group that Kubernetes gives them. */
export interface Caller {
  readonly anonymous: boolean;
  readonly username: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

/** Who shows no token. */
export const ANONYMOUS: Caller = {
  anonymous: true,
  username: 'system:anonymous',
  uid: '',
  groups: ['system:unauthenticated'],
  extra: {},
};

/** What somebody wants to do, in the words of RBAC. `group` is empty for the core group. */
export interface ObjectAccess {
  readonly verb: 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete';
  readonly group: string;
  /** Plural. */
  readonly resource: string;
  /** Absent: all namespaces, or a cluster-scoped resource. */
  readonly namespace?: string;
  /** Absent: all objects. */
  readonly name?: string;
}

/** The API server's word. Both reject if it cannot be had. */
export interface Reviews {
  /** The caller, or undefined if the token is not valid. */
  reviewToken(token: string, signal: AbortSignal): Promise<Caller | undefined>;
  reviewAccess(caller: Caller, access: ObjectAccess, signal: AbortSignal): Promise<boolean>;
}

/** `reviews` asks the API server with the rights of the operator. */
export interface AuthorizerOptions {
  readonly reviews: Reviews;
  readonly clock: Clock;
  /** Reading what this server serves - our kinds, nodes, pods, events - needs neither token nor rights. */
  readonly anonymousRead: boolean;
}

/** How long an answer is believed: a revoked right or token works no longer than this. */
const GRANTED_MS = 30_000;
const REFUSED_MS = 10_000;
const MAX_REMEMBERED = 4_096;
/** A list in many namespaces takes many; a key and its answer are some 200 bytes. */
const MAX_REMEMBERED_RIGHTS = 32_768;
/** Questions about rights under way at a time: lists of many namespaces must not flood the API server. */
const MAX_REVIEWS_AT_ONCE = 32;
/** Longer ones are not tokens. */
const MAX_TOKEN_LENGTH = 16_384;

const READING: ReadonlySet<ObjectAccess['verb']> = new Set(['get', 'list', 'watch']);
/** What open reading is about: what this server serves, never a Secret. Of other groups, these resources only. */
const SERVED: ReadonlySet<string> = new Set(['/nodes', '/pods', '/events', 'events.k8s.io/events']);

interface Remembered<T> {
  readonly value: T;
  readonly until: number;
}

/** One for the process; holds digests of tokens, never tokens. */
export class Authorizer {
  readonly #options: AuthorizerOptions;
  readonly #callers = new BoundedCache<Remembered<Caller | undefined>>(MAX_REMEMBERED);
  readonly #rights = new BoundedCache<Remembered<boolean>>(MAX_REMEMBERED_RIGHTS);
  readonly #callerFlights = new SingleFlight<Caller | undefined>();
  readonly #rightFlights = new SingleFlight<boolean>();

  constructor(options: AuthorizerOptions) {
    this.#options = options;
  }

  /** Whether a request without a token may read. */
  get anonymousRead(): boolean {
    return this.#options.anonymousRead;
  }

  /** @throws ProblemError Unauthorized if the API server does not know the token, Unavailable if it cannot be asked */
  async authenticate(token: string, signal: AbortSignal): Promise<Caller> {
    if (token === '' || token.length > MAX_TOKEN_LENGTH) throw unauthorized('the token is not valid');
    const key = createHash('sha256').update(token).digest('base64');
    const caller = await this.#remember(this.#callers, key, () =>
      this.#callerFlights.run(key, signal, (shared) => this.#options.reviews.reviewToken(token, shared)),
    );
    if (caller === undefined) throw unauthorized('the token is not valid');
    return caller;
  }

  /** @throws ProblemError Unavailable if the API server cannot be asked */
  async allows(caller: Caller, access: ObjectAccess, signal: AbortSignal): Promise<boolean> {
    if (this.anonymousRead && isOpen(access)) return true;
    if (caller.anonymous) return false;
    // A caller may be in hundreds of groups.
    const key = createHash('sha256')
      .update(JSON.stringify([caller, access]))
      .digest('base64');
    return this.#remember(this.#rights, key, () =>
      this.#rightFlights.run(key, signal, (shared) =>
        this.#options.reviews.reviewAccess(caller, access, shared),
      ),
    );
  }

  /** @throws ProblemError Forbidden in the words of the API server; Unauthorized for a caller without token */
  async require(caller: Caller, access: ObjectAccess, signal: AbortSignal): Promise<void> {
    if (await this.allows(caller, access, signal)) return;
    if (caller.anonymous) throw unauthorized('a bearer token is needed');
    throw new ProblemError('Forbidden', forbiddenMessage(caller, access));
  }

  /**
   * The objects the caller may see: all, by a right to list them everywhere; else those of the namespaces with a right
   * to list there; else those that may be got one by one.
   */
  async visible<
    T extends { readonly metadata: { readonly namespace?: string | undefined; readonly name: string } },
  >(
    caller: Caller,
    type: Pick<ObjectAccess, 'group' | 'resource'>,
    objects: readonly T[],
    signal: AbortSignal,
  ): Promise<readonly T[]> {
    if (await this.allows(caller, { ...type, verb: 'list' }, signal)) return objects;
    const byNamespace = Map.groupBy(objects, ({ metadata }) => metadata.namespace ?? '');
    const seen = new Set<T>();
    const single: T[] = [];
    await inTurns([...byNamespace], async ([namespace, members]) => {
      if (await this.allows(caller, { ...type, verb: 'list', namespace }, signal))
        for (const member of members) seen.add(member);
      else single.push(...members.slice(0, MAX_SINGLE_REVIEWS));
    });
    await inTurns(single.slice(0, MAX_ALL_SINGLE_REVIEWS), async (object) => {
      const { namespace = '', name } = object.metadata;
      if (await this.allows(caller, { ...type, verb: 'get', namespace, name }, signal)) seen.add(object);
    });
    return objects.filter((object) => seen.has(object));
  }

  async #remember<T>(cache: BoundedCache<Remembered<T>>, key: string, ask: () => Promise<T>): Promise<T> {
    const { clock } = this.#options;
    const known = cache.get(key);
    if (known !== undefined && clock.monotonic() < known.until) return known.value;
    const value = await ask().catch((error: unknown) => {
      throw unavailable(error);
    });
    const isGranted = value !== undefined && value !== false;
    cache.set(key, { value, until: clock.monotonic() + (isGranted ? GRANTED_MS : REFUSED_MS) });
    return value;
  }
}

/** Objects of one namespace that are asked for one by one, and of all together; who sees single objects names them. */
const MAX_SINGLE_REVIEWS = 64;
const MAX_ALL_SINGLE_REVIEWS = 1_024;

/** So many at a time, in order. */
async function inTurns<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  const left = items.values();
  const work = async (): Promise<void> => {
    for (const item of left) await act(item);
  };
  await Promise.all(Array.from({ length: MAX_REVIEWS_AT_ONCE }, work));
}

function isOpen({ verb, group, resource }: ObjectAccess): boolean {
  return READING.has(verb) && (group === GROUP || SERVED.has(`${group}/${resource}`));
}

function unavailable(cause: unknown): ProblemError {
  const detail = 'the API server could not be asked who calls and what they may see; try again';
  return new ProblemError('Unavailable', detail, { headers: { 'retry-after': '1' }, cause });
}

function forbiddenMessage(
  { username }: Caller,
  { verb, group, resource, namespace, name }: ObjectAccess,
): string {
  const kind = group === '' ? resource : `${resource}.${group}`;
  const object = name === undefined ? kind : `${kind} ${JSON.stringify(name)}`;
  const place =
    namespace === undefined ? 'at the cluster scope' : `in the namespace ${JSON.stringify(namespace)}`;
  return `User ${JSON.stringify(username)} cannot ${verb} ${object} ${place}`;
}
