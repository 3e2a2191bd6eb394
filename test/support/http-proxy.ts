/** A forward proxy on loopback: CONNECT for https, absolute request targets for http; with a password on request. */

import { createServer, type IncomingMessage, type Server, request as sendRequest } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

export interface ProxyOptions {
  readonly username?: string;
  readonly password?: string;
}

export class HttpProxy implements AsyncDisposable {
  /** Targets asked for: "host:port" by CONNECT, whole URLs otherwise. */
  readonly targets: string[] = [];
  url = '';
  readonly #options: ProxyOptions;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;

  private constructor(options: ProxyOptions) {
    this.#options = options;
  }

  static async start(options: ProxyOptions = {}): Promise<HttpProxy> {
    const proxy = new HttpProxy(options);
    const server = createServer((request, response) => {
      if (!proxy.#isAllowed(request)) {
        response.writeHead(407).end();
        return;
      }
      proxy.targets.push(request.url ?? '');
      const kept = Object.entries(request.headers).filter(([name]) => name !== 'proxy-authorization');
      const headers = Object.fromEntries(kept);
      const forwarded = sendRequest(request.url ?? '', { method: request.method, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      forwarded.on('error', () => response.destroy());
      request.pipe(forwarded);
    });
    server.on('connect', (request: IncomingMessage, client: Socket) => {
      proxy.#tunnel(request, client);
    });
    proxy.#server = server;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    proxy.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return proxy;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server?.closeAllConnections();
    await new Promise((resolve) => this.#server?.close(resolve));
  }

  #tunnel(request: IncomingMessage, client: Socket): void {
    if (!this.#isAllowed(request)) {
      client.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
      return;
    }
    this.targets.push(request.url ?? '');
    const [host = '', port = ''] = (request.url ?? '').split(':');
    const server = connect(Number(port), host, () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      server.pipe(client).pipe(server);
    });
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', () => socket.destroy());
    }
  }

  #isAllowed(request: IncomingMessage): boolean {
    const { username, password = '' } = this.#options;
    if (username === undefined) return true;
    const expected = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    return request.headers['proxy-authorization'] === expected;
  }
}
