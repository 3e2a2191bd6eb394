/** One group of the original's API: finds the route, asks who calls, and lets the route answer. */

import { ApiError } from '../../kube/api-error.ts';
import type { Authorizer } from '../authorize.ts';
import { type Answer, changedMeanwhile, RefusedRequest, refuse, refuseFields } from './answer.ts';
import { checkNode, identify } from './call.ts';
import type { CalledRequest, FacadeRequest } from './request.ts';
import { handlerOf, matchRoute, type Route } from './routes.ts';

/**
 * The answer, refusals included. What only we can be blamed for is thrown.
 * Order as in the original: is there such a path, who calls, is there such a method, and then the route itself.
 */
export async function answerRequest(
  request: FacadeRequest,
  routes: readonly Route<CalledRequest>[],
  authorizer: Authorizer,
): Promise<Answer> {
  try {
    const match = matchRoute(routes, request.path);
    const caller = await identify(request, authorizer);
    request.setCaller(caller);
    const handle = handlerOf(match, request);
    checkNode(request);
    return await handle({ ...request, caller }, match.parameters);
  } catch (error) {
    const refusal = error instanceof ApiError ? refusalOf(error) : error;
    if (refusal instanceof RefusedRequest) return refusal.answer;
    throw refusal;
  }
}

/** What the API server said of a record, for clients that know nothing of it. Errors about Secrets never get here. */
function refusalOf(error: ApiError): unknown {
  if (error.status === 422 || error.reason === 'Invalid') {
    const causes = error.causes.map(({ message }) => message).filter(Boolean);
    return refuseFields({ non_field_errors: causes.length > 0 ? causes : [error.message] });
  }
  if (error.status === 409) return changedMeanwhile();
  if (error.status === 403) {
    return refuse(503, 'Larder may not do this: install the component records-facade for its namespace.');
  }
  if (!error.temporary) return error;
  const seconds = Math.ceil((error.retryAfterMs ?? 1_000) / 1_000);
  return refuse(503, 'The API server does not answer; try again.', { 'Retry-After': String(seconds) });
}
