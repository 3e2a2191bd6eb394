/** Command lines of the control plane's processes. */

import { join } from 'node:path';

/** What is on in every development cluster; each controller costs start-up time. */
const CONTROLLERS = [
  'garbage-collector-controller',
  'namespace-controller',
  'serviceaccount-controller',
  'serviceaccount-token-controller',
  'pod-garbage-collector-controller',
  'resourcequota-controller',
  'taint-eviction-controller',
  'node-lifecycle-controller',
  'validatingadmissionpolicy-status-controller',
];

/** What a Deployment needs besides, and its pods to trust the API server. */
const DEPLOYMENT_CONTROLLERS = [
  'deployment-controller',
  'replicaset-controller',
  'disruption-controller',
  'endpointslice-controller',
  'root-ca-certificate-publisher-controller',
];

export function etcdArgs(folder: string, url: string, peer: string): readonly string[] {
  return [
    `--data-dir=${join(folder, 'etcd')}`,
    `--listen-client-urls=${url}`,
    `--advertise-client-urls=${url}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
    '--unsafe-no-fsync',
    '--log-level=warn',
  ];
}

export interface ApiServerSettings {
  readonly folder: string;
  readonly port: number;
  /** URL of etcd. */
  readonly etcd: string;
  /** Path of an audit policy; with it, `audit.log` in the folder records every request the policy names. */
  readonly auditPolicy?: string | undefined;
}

export function apiServerArgs({ folder, port, etcd, auditPolicy }: ApiServerSettings): readonly string[] {
  return [
    `--etcd-servers=${etcd}`,
    `--cert-dir=${join(folder, 'certs')}`,
    `--secure-port=${port}`,
    '--bind-address=127.0.0.1',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${join(folder, 'sa.pub')}`,
    `--service-account-signing-key-file=${join(folder, 'sa.key')}`,
    `--token-auth-file=${join(folder, 'tokens.csv')}`,
    '--authorization-mode=Node,RBAC',
    '--service-cluster-ip-range=10.0.0.0/24',
    '--allow-privileged=true',
    ...(auditPolicy === undefined
      ? []
      : [`--audit-policy-file=${auditPolicy}`, `--audit-log-path=${auditLog(folder)}`]),
  ];
}

/** Where the API server writes what the audit policy asks for: one JSON object a line. */
export function auditLog(folder: string): string {
  return join(folder, 'audit.log');
}

export interface ControllerManagerSettings {
  readonly folder: string;
  readonly port: number;
  readonly kubeconfig: string;
  /** Deployments work, and every namespace gets the certificate of the API server. */
  readonly deployments: boolean;
}

export function controllerManagerArgs(settings: ControllerManagerSettings): readonly string[] {
  const { folder, port, kubeconfig, deployments } = settings;
  const controllers = deployments ? [...CONTROLLERS, ...DEPLOYMENT_CONTROLLERS] : CONTROLLERS;
  return [
    `--kubeconfig=${kubeconfig}`,
    `--controllers=${controllers.join(',')}`,
    '--leader-elect=false',
    '--use-service-account-credentials=true',
    `--service-account-private-key-file=${join(folder, 'sa.key')}`,
    `--secure-port=${port}`,
    '--bind-address=127.0.0.1',
    `--cert-dir=${join(folder, 'controller-manager')}`,
    ...(deployments ? [`--root-ca-file=${join(folder, 'certs', 'apiserver.crt')}`] : []),
  ];
}

export function schedulerArgs(folder: string, port: number, kubeconfig: string): readonly string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    '--leader-elect=false',
    `--secure-port=${port}`,
    '--bind-address=127.0.0.1',
    `--cert-dir=${join(folder, 'scheduler')}`,
  ];
}
