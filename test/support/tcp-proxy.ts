/** A TCP proxy that can be cut, or swallow everything: bad networks in front of a real server. */

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export class TcpProxy {
  readonly #target: { readonly host: string; readonly port: number };
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  #isCut = false;
  #isSwallowing = false;

  private constructor(target: { readonly host: string; readonly port: number }) {
    this.#target = target;
    this.#server = createServer((client) => {
      this.#accept(client);
    });
  }

  static async start(target: URL): Promise<TcpProxy> {
    const proxy = new TcpProxy({ host: target.hostname, port: Number(target.port) });
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get url(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get openConnections(): number {
    return this.#sockets.size;
  }

  /** Resets what is open; new connections are reset until `restore`. */
  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** Passes nothing on in either direction, and tells nobody, for connections open now and later. */
  swallow(): void {
    this.#isSwallowing = true;
  }

  /** Back to normal. Connections that lost bytes are reset, as the other side would do. */
  restore(): void {
    if (this.#isSwallowing) for (const socket of this.#sockets) socket.resetAndDestroy();
    this.#isCut = false;
    this.#isSwallowing = false;
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #accept(client: Socket): void {
    if (this.#isCut) {
      client.resetAndDestroy();
      return;
    }
    const upstream = connect(this.#target);
    this.#join(client, upstream);
    this.#join(upstream, client);
  }

  #join(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.on('error', () => undefined);
    from.on('data', (chunk) => {
      if (!this.#isSwallowing) to.write(chunk);
    });
    from.once('close', () => {
      this.#sockets.delete(from);
      if (!this.#isSwallowing) to.destroy();
    });
  }
}
