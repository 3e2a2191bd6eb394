/** What the facade answers with, in the shapes of the original. */

/** Messages by field; `non_field_errors` for those of none. */
export type FieldErrors = Readonly<Record<string, readonly string[]>>;

/** An answer before it is HTTP; without a body there is none. */
export interface Answer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Ends a request early with this answer. */
export class RefusedRequest extends Error {
  override readonly name = 'RefusedRequest';
  readonly answer: Answer;

  constructor(answer: Answer) {
    super(`refused with status ${answer.status}`);
    this.answer = answer;
  }
}

/** 409: another writer was faster than we, again and again. */
export function changedMeanwhile(): RefusedRequest {
  return refuse(409, 'The image is being changed by somebody else; try again.');
}

/** `{"detail": …}`, as all refusals that concern no single field. */
export function refuse(
  status: number,
  detail: string,
  headers?: Readonly<Record<string, string>>,
): RefusedRequest {
  return new RefusedRequest({ status, body: { detail }, ...(headers && { headers }) });
}

/** 400 with messages by field. */
export function refuseFields(errors: FieldErrors): RefusedRequest {
  return new RefusedRequest({ status: 400, body: errors });
}

const CHALLENGE = { 'WWW-Authenticate': 'Bearer realm="api"' };

/** 401: there is no bearer token. */
export function notAuthenticated(): RefusedRequest {
  return refuse(401, 'Authentication credentials were not provided.', CHALLENGE);
}

/** The header is there, and is not of the form `Bearer <token>`. */
export function badAuthorizationHeader(): RefusedRequest {
  const detail = 'Authorization header must contain two space-delimited values';
  return new RefusedRequest({
    status: 401,
    body: { detail, code: 'bad_authorization_header' },
    headers: CHALLENGE,
  });
}

/** 401: the API server does not know the token. */
export function badToken(): RefusedRequest {
  const message = {
    token_class: 'AccessToken',
    token_type: 'access',
    message: 'Token is invalid or expired',
  };
  const detail = 'Given token not valid for any token type';
  return new RefusedRequest({
    status: 401,
    body: { detail, code: 'token_not_valid', messages: [message] },
    headers: CHALLENGE,
  });
}

/** 403. */
export function notPermitted(): RefusedRequest {
  return refuse(403, 'You do not have permission to perform this action.');
}

/** `model` in the words of the original, such as DockerImage. */
export function notFound(model: string): RefusedRequest {
  return refuse(404, `No ${model} matches the given query.`);
}

/** 400: another image has the name and version. */
export function notUnique(): RefusedRequest {
  return refuseFields({ non_field_errors: ['The fields name, version must make a unique set.'] });
}
