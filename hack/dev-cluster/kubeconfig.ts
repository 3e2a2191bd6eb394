/** Kubeconfig files for the development cluster. */

export interface KubeconfigOptions {
  readonly server: string;
  /** PEM certificates that the client trusts. */
  readonly authority: Buffer;
  readonly token: string;
}

/** A kubeconfig (JSON is YAML) with one cluster, one user and one context. */
export function kubeconfig({ server, authority, token }: KubeconfigOptions): string {
  const document = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'dev', cluster: { server, 'certificate-authority-data': authority.toString('base64') } },
    ],
    users: [{ name: 'dev', user: { token } }],
    contexts: [{ name: 'dev', context: { cluster: 'dev', user: 'dev' } }],
    'current-context': 'dev',
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}
