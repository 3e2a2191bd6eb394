/** The API server over plain HTTPS, for tests that must see its answers unchanged. */
import { readFileSync } from 'node:fs';
import { Agent, request } from 'undici';

/** A kubeconfig of the development cluster; JSON, as hack/dev-cluster writes it. */
interface Kubeconfig {
  readonly clusters: readonly {
    readonly cluster: { readonly server: string; readonly 'certificate-authority-data': string };
  }[];
  readonly users: readonly { readonly user: { readonly token: string } }[];
}

export interface Answer {
  readonly status: number;
  /** Parsed JSON: the object, or a Status with `message`. */
  readonly body: unknown;
}

export class RawApi implements AsyncDisposable {
  readonly #server: string;
  readonly #token: string;
  readonly #agent: Agent;

  constructor(kubeconfigFile: string) {
    const config = JSON.parse(readFileSync(kubeconfigFile, 'utf8')) as Kubeconfig;
    const cluster = config.clusters[0]?.cluster;
    if (cluster === undefined) throw new Error(`${kubeconfigFile} names no cluster`);
    this.#server = cluster.server;
    this.#token = config.users[0]?.user.token ?? '';
    const ca = Buffer.from(cluster['certificate-authority-data'], 'base64');
    this.#agent = new Agent({ connect: { ca }, allowH2: false, connections: 4 });
  }

  async send(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, object?: unknown): Promise<Answer> {
    const { statusCode, body } = await request(this.#server + path, {
      method,
      dispatcher: this.#agent,
      headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' },
      body: object === undefined ? null : JSON.stringify(object),
    });
    return { status: statusCode, body: await body.json() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.close();
  }
}

/** Text of a Status that refuses something. */
export function refusalOf(answer: Answer): string {
  return (answer.body as { readonly message?: string }).message ?? '';
}
