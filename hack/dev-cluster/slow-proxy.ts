/** A registry behind a slow line: forwards TCP to it at a given rate and can be cut and mended in mid-transfer. */

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

export interface SlowProxyOptions {
  /** `host:port` of the registry. */
  readonly target: string;
  /** What all connections together may send to clients, in bytes a second. */
  readonly bytesPerSecond: number;
}

export class SlowProxy {
  /** `127.0.0.1:port`, as it stands in image references. */
  readonly host: string;
  readonly #server: Server;
  readonly #target: URL;
  readonly #sockets = new Set<Socket>();
  #bytesPerSecond: number;
  #sent = 0;
  #cut = false;
  /** When the line is free again, in milliseconds of `performance.now()`. */
  #freeAt = 0;

  private constructor(server: Server, options: SlowProxyOptions) {
    this.#server = server;
    this.#target = new URL(`http://${options.target}`);
    this.#bytesPerSecond = options.bytesPerSecond;
    this.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start(options: SlowProxyOptions): Promise<SlowProxy> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const proxy = new SlowProxy(server, options);
    server.on('connection', (client) => {
      proxy.#serve(client);
    });
    return proxy;
  }

  /** Bytes sent to clients so far. */
  get sentBytes(): number {
    return this.#sent;
  }

  setRate(bytesPerSecond: number): void {
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** Breaks every connection and refuses new ones until `mend`. */
  cut(): void {
    this.#cut = true;
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  mend(): void {
    this.#cut = false;
  }

  /** Waits until that many bytes were sent to clients since the start. */
  async sent(bytes: number): Promise<void> {
    while (this.#sent < bytes) await delay(20);
  }

  async stop(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #serve(client: Socket): void {
    this.#keep(client);
    if (this.#cut) {
      client.resetAndDestroy();
      return;
    }
    const registry = connect(Number(this.#target.port), this.#target.hostname);
    this.#keep(registry);
    client.pipe(registry);
    client.on('close', () => registry.destroy());
    void this.#deliver(registry, client);
  }

  async #deliver(registry: Socket, client: Socket): Promise<void> {
    try {
      for await (const chunk of registry as AsyncIterable<Buffer>) {
        await this.#pace(chunk.length);
        this.#sent += chunk.length;
        client.write(chunk);
      }
      client.end();
    } catch {
      client.resetAndDestroy();
    }
  }

  /** A broken connection is what this proxy is for: its errors are nobody's concern. */
  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
  }

  async #pace(bytes: number): Promise<void> {
    const now = performance.now();
    this.#freeAt = Math.max(this.#freeAt, now) + (bytes / this.#bytesPerSecond) * 1_000;
    await delay(this.#freeAt - now);
  }
}
