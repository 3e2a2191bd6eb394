/** Errors as RFC 9457 problem details: one shape for every route whose format no other API prescribes. */

/** What went wrong, for programs; stable. */
export const PROBLEM_STATUS = {
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  NotAcceptable: 406,
  Conflict: 409,
  PayloadTooLarge: 413,
  UnsupportedMediaType: 415,
  Unprocessable: 422,
  TooManyRequests: 429,
  Internal: 500,
  BadGateway: 502,
  Unavailable: 503,
} as const;
/** One of the keys of `PROBLEM_STATUS`. */
export type ProblemCode = keyof typeof PROBLEM_STATUS;

/** The body of an error. `errors` names the parts of the request that were refused. */
export interface Problem {
  /** A URI that identifies the code; not an address. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ProblemCode;
  /** The request's id, as in the log and in the X-Request-Id header. */
  readonly instance?: string;
  readonly errors?: readonly ProblemField[];
}

/** One part of the request that was refused, and why. */
export interface ProblemField {
  /** Where it is: `query.limit`, `path.namespace`, `body.name`. */
  readonly field: string;
  readonly message: string;
}

/** What a problem may carry besides its code and its words; `cause` goes to the log only. */
export interface ProblemOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly errors?: readonly ProblemField[];
  readonly cause?: unknown;
}

/** Thrown by a route to end the request; `detail` is shown to the caller and holds no secret. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly code: ProblemCode;
  readonly headers: Readonly<Record<string, string>>;
  readonly errors: readonly ProblemField[] | undefined;

  constructor(code: ProblemCode, detail: string, options: ProblemOptions = {}) {
    super(detail, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.headers = options.headers ?? {};
    this.errors = options.errors;
  }

  get status(): number {
    return PROBLEM_STATUS[this.code];
  }
}

/** The problem of a caller who has shown no valid token, with the header that says how to show one (RFC 6750). */
export function unauthorized(detail: string): ProblemError {
  return new ProblemError('Unauthorized', detail, {
    headers: { 'www-authenticate': 'Bearer realm="larder"' },
  });
}

export const PROBLEM_MEDIA_TYPE = 'application/problem+json';

/** The body for an error; `instance` is the id of the request. */
export function problemOf({ code, message, errors }: ProblemError, instance?: string): Problem {
  return {
    type: `tag:larder.dev,2026:problem/${code}`,
    title: code.replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' '),
    status: PROBLEM_STATUS[code],
    detail: message,
    code,
    ...(instance !== undefined && { instance: `urn:larder:request:${instance}` }),
    ...(errors !== undefined && { errors }),
  };
}

/** The default answer of a problem; groups whose format another API prescribes hand in their own. */
export function problemResponse(problem: Problem): Response {
  return new Response(`${JSON.stringify(problem)}\n`, {
    status: problem.status,
    headers: { 'content-type': PROBLEM_MEDIA_TYPE, 'cache-control': 'no-store' },
  });
}
