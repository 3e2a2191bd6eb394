/** The fake registry's challenges and its token service (GET with Basic, POST with an identity token). */

import type { ServerResponse } from 'node:http';
import { type LoggedRequest, sendError, sendJSON } from './registry-exchange.ts';

export interface FakeAuthenticationOptions {
  readonly auth?: 'none' | 'basic' | 'bearer';
  /** Without one, the token service serves anybody. */
  readonly username?: string;
  readonly password?: string;
  /** Accepted by the token service's POST. */
  readonly identityToken?: string;
  /** Repositories for which anybody gets a token. */
  readonly publicRepositories?: readonly string[];
}

export class FakeAuthentication {
  /** Where the challenge sends clients for a token; the registry itself by default. */
  realm = '';
  /** Replaces the whole challenge. */
  challenge: ((scope: string) => string) | undefined;
  /** undefined leaves `expires_in` out. */
  tokenLifetimeSeconds: number | undefined = 300;
  readonly #options: FakeAuthenticationOptions;
  /** Token to repository. */
  readonly #tokens = new Map<string, string>();
  #issued = 0;

  constructor(options: FakeAuthenticationOptions) {
    this.#options = options;
  }

  get basicHeader(): string {
    const { username = '', password = '' } = this.#options;
    return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  }

  /** All tokens issued so far are refused from now on. */
  revokeTokens(): void {
    this.#tokens.clear();
  }

  /** Answers 401 by itself if not. */
  isAuthorized(request: LoggedRequest, repository: string, response: ServerResponse): boolean {
    if (this.#mayRead(request, repository)) return true;
    response.setHeader('www-authenticate', this.#challengeFor(`repository:${repository}:pull`));
    sendError(response, 401, 'UNAUTHORIZED');
    return false;
  }

  issueToken(request: LoggedRequest, response: ServerResponse): void {
    const question = request.method === 'POST' ? new URLSearchParams(request.body) : request.query;
    const repository = (question.get('scope') ?? '').split(':')[1] ?? '';
    if (!this.#mayHaveToken(request, question, repository)) {
      sendError(response, 401, 'UNAUTHORIZED');
      return;
    }
    const token = `secret-token-${++this.#issued}`;
    this.#tokens.set(token, repository);
    const lifetime = this.tokenLifetimeSeconds === undefined ? {} : { expires_in: this.tokenLifetimeSeconds };
    sendJSON(response, 200, { token, ...lifetime });
  }

  #mayRead({ authorization = '' }: LoggedRequest, repository: string): boolean {
    const { auth = 'none' } = this.#options;
    if (auth === 'none') return true;
    if (auth === 'basic') return authorization === this.basicHeader;
    return this.#tokens.get(authorization.replace(/^Bearer /, '')) === repository;
  }

  #challengeFor(scope: string): string {
    if (this.challenge !== undefined) return this.challenge(scope);
    if (this.#options.auth === 'basic') return 'Basic realm="fake"';
    return `Bearer realm="${this.realm}",service="fake-registry",scope="${scope}"`;
  }

  #mayHaveToken(request: LoggedRequest, question: URLSearchParams, repository: string): boolean {
    const { username, identityToken, publicRepositories = [] } = this.#options;
    if (username === undefined || publicRepositories.includes(repository)) return true;
    if (request.method === 'POST')
      return identityToken !== undefined && question.get('refresh_token') === identityToken;
    return request.authorization === this.basicHeader;
  }
}
