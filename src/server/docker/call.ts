/** Who calls the facade, and whether they may: the order and the words of the original. */

import type { Authorizer, Caller, ObjectAccess } from '../authorize.ts';
import { ProblemError } from '../problem.ts';
import { badAuthorizationHeader, badToken, notAuthenticated, notPermitted, refuse } from './answer.ts';
import type { CalledRequest, FacadeRequest } from './request.ts';

/**
 * The caller by the bearer token. Other schemes count as no credentials, as there.
 * @throws RefusedRequest 401; ProblemError Unavailable if the API server cannot be asked
 */
export async function identify(request: FacadeRequest, authorizer: Authorizer): Promise<Caller> {
  const parts = (request.header('authorization') ?? '').trim().split(/\s+/);
  const [scheme, token] = parts;
  if (scheme?.toLowerCase() !== 'bearer') throw notAuthenticated();
  if (token === undefined || parts.length !== 2) throw badAuthorizationHeader();
  try {
    return await authorizer.authenticate(token, request.signal);
  } catch (error) {
    if (error instanceof ProblemError && error.code === 'Unauthorized') throw badToken();
    throw error;
  }
}

const INTEGER = /^\s*[+-]?[0-9]+(?:_[0-9]+)*\s*$/;

/** The original's job launchers say which of its nodes they are; it has no nodes here. */
export function checkNode({ header }: FacadeRequest): void {
  const node = header('node-id');
  if (node === undefined) return;
  const problem = INTEGER.test(node)
    ? 'No node with this primary-key'
    : 'Unable to parse into an integer primary-key';
  throw refuse(400, `Bad Node-Id header '${node}': ${problem}`);
}

/** @throws RefusedRequest 403 */
export async function requireAccess(
  { caller, signal }: CalledRequest,
  access: ObjectAccess,
  authorizer: Authorizer,
): Promise<void> {
  if (!(await authorizer.allows(caller, access, signal))) throw notPermitted();
}
