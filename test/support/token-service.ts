/** A token service as CNCF Distribution expects it: JWTs signed with a key whose certificate it trusts. */

import { createPrivateKey, sign, X509Certificate } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Certificate } from './registry-certificates.ts';

export interface TokenServiceOptions {
  readonly certificate: Certificate;
  readonly username: string;
  readonly password: string;
}

export const ISSUER = 'larder-test';
export const SERVICE = 'larder-registry';

export class TokenService implements AsyncDisposable {
  url = '';
  issued = 0;
  readonly #options: TokenServiceOptions;
  #server: Server | undefined;

  private constructor(options: TokenServiceOptions) {
    this.#options = options;
  }

  static async start(options: TokenServiceOptions): Promise<TokenService> {
    const service = new TokenService(options);
    const server = createServer((request, response) => {
      const { searchParams } = new URL(request.url ?? '/', 'http://localhost');
      const expected = `Basic ${Buffer.from(`${options.username}:${options.password}`).toString('base64')}`;
      if (request.headers.authorization !== expected) response.writeHead(401).end();
      else
        response
          .writeHead(200)
          .end(JSON.stringify({ token: service.#token(searchParams.get('scope') ?? '') }));
    });
    service.#server = server;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    service.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
    return service;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise((resolve) => this.#server?.close(resolve));
  }

  #token(scope: string): string {
    this.issued++;
    const [type, name, actions = ''] = scope.split(':');
    const now = Math.floor(Date.now() / 1000);
    const { cert, key } = this.#options.certificate;
    const x5c = [new X509Certificate(cert).raw.toString('base64')];
    const claims = {
      iss: ISSUER,
      sub: 'user',
      aud: SERVICE,
      exp: now + 300,
      nbf: now - 10,
      iat: now,
      jti: String(this.issued),
      access: [{ type, name, actions: actions.split(',') }],
    };
    const head = [{ typ: 'JWT', alg: 'ES256', x5c }, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');
    const signature = sign('sha256', Buffer.from(head), {
      key: createPrivateKey(key),
      dsaEncoding: 'ieee-p1363',
    });
    return `${head}.${signature.toString('base64url')}`;
  }
}
