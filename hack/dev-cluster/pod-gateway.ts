/** How pods of a real node reach what listens on this machine's loopback: the bridge gets an address, and ports forward. */

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Network of a node's pods; its first address is the bridge's. */
export interface PodSubnet {
  readonly cidr: string;
  readonly gateway: string;
}

/** One of 256 networks, by a number that differs between nodes at the same time. */
export function podSubnet(number: number): PodSubnet {
  const prefix = `10.244.${number % 256}`;
  return { cidr: `${prefix}.0/24`, gateway: `${prefix}.1` };
}

/**
 * Makes the bridge before the pod network does, and gives it the address. Nothing is routed or masqueraded: pods reach
 * this address and nothing else. The bridge goes with its node.
 */
export async function addGateway(bridge: string, { gateway }: PodSubnet): Promise<void> {
  await run('ip', ['link', 'add', bridge, 'type', 'bridge']);
  await run('ip', ['address', 'add', `${gateway}/24`, 'dev', bridge]);
  await run('ip', ['link', 'set', bridge, 'up']);
}

/** A port on the gateway that leads to a port on loopback. */
export class Forwarding {
  /** `address:port`, as pods and image references name it. */
  readonly host: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
    const { address, port } = server.address() as AddressInfo;
    this.host = `${address}:${port}`;
  }

  /** Listens on a free port of `address`; `target` is `host:port`. */
  static async start(address: string, target: string): Promise<Forwarding> {
    const { hostname, port } = new URL(`http://${target}`);
    const server = createServer();
    server.listen(0, address);
    await once(server, 'listening');
    const forwarding = new Forwarding(server);
    server.on('connection', (client) => {
      const upstream = connect(Number(port), hostname);
      forwarding.#join(client, upstream);
      forwarding.#join(upstream, client);
    });
    return forwarding;
  }

  /** Breaks every connection. */
  async stop(): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    if (this.#server.listening) await once(this.#server, 'close');
  }

  #join(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.pipe(to);
    // Pods that die break connections; the other half goes with them.
    from.on('error', () => undefined);
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
  }
}
