/** The Secrets with the registry logins of records. Nothing of them is ever in an error or a log. */

import { randomBytes } from 'node:crypto';
import type { DockerImageRecord } from '../../api/docker-image-record.ts';
import { LABELS } from '../../api/group-version.ts';
import { ApiError, isConflict } from '../../kube/api-error.ts';
import type { KubeClient } from '../../kube/client.ts';
import { type Secret, secretType } from '../../kube/core-types.ts';
import type { ObjectKey, OwnerReference, ResourceType } from '../../kube/resource.ts';
import { refuse } from './answer.ts';
import { NO_LOGIN, type RegistryLogin, registryUrlOf } from './image-view.ts';
import { loginData, readLogin, SECRET_TYPE } from './login-secret.ts';

const MAX_ROUNDS = 5;

/** `type` is that of records, which own the Secrets. */
export interface LoginStoreOptions {
  readonly client: KubeClient;
  readonly type: ResourceType<DockerImageRecord>;
}

/** Keeps nothing between calls. */
export class LoginStore {
  readonly #client: KubeClient;
  readonly #type: ResourceType<DockerImageRecord>;

  constructor({ client, type }: LoginStoreOptions) {
    this.#client = client;
    this.#type = type;
  }

  /** The login that the first pull secret of the record holds; none if there is no such Secret. */
  async read(record: DockerImageRecord, signal: AbortSignal): Promise<RegistryLogin> {
    const secret = await this.#find(record, signal);
    return secret === undefined ? NO_LOGIN : readLogin(secret, registryUrlOf(record.spec));
  }

  /** Whether the first pull secret is one of ours: others are never changed. */
  async isOurs(record: DockerImageRecord, signal: AbortSignal): Promise<boolean> {
    const secret = await this.#find(record, signal);
    return secret !== undefined && isOwnedBy(secret, record);
  }

  /** A Secret that nobody owns yet; `name` is that of the record. */
  async create(
    { namespace, name }: ObjectKey,
    login: RegistryLogin,
    options: {
      readonly registryUrl: string;
      readonly owner?: DockerImageRecord;
      readonly signal: AbortSignal;
    },
  ): Promise<ObjectKey & { readonly uid: string | undefined }> {
    const { registryUrl, owner, signal } = options;
    const metadata = {
      namespace,
      // Two writers of one record must not meet here: each has a Secret of its own, and the loser drops his.
      name: `${name}-login-${randomBytes(4).toString('hex')}`,
      labels: { [LABELS.record]: labelOf(name) },
      ...(owner !== undefined && { ownerReferences: [this.#reference(owner)] }),
    };
    const secret = { metadata, type: SECRET_TYPE, data: loginData(login, registryUrl) };
    const created = await harmless('create', this.#client.create<Secret>(secretType, secret, { signal }));
    return { namespace, name: created.metadata.name, uid: created.metadata.uid };
  }

  /** From now on the Secret goes with the record. */
  async adopt(secret: ObjectKey, record: DockerImageRecord, signal: AbortSignal): Promise<void> {
    const patch = { metadata: { ownerReferences: [this.#reference(record)] } };
    await harmless('adopt', this.#client.patch(secretType, secret, patch, { signal }));
  }

  /** Writes another login, or the same for another registry, into the Secret of the record. */
  async write(record: DockerImageRecord, login: RegistryLogin, signal: AbortSignal): Promise<void> {
    for (let round = 1; ; round += 1) {
      const secret = await this.#find(record, signal);
      if (secret === undefined) return;
      const data = loginData(login, registryUrlOf(record.spec));
      try {
        await this.#client.update(secretType, { ...secret, data }, { signal });
        return;
      } catch (error) {
        if (!isConflict(error) || round >= MAX_ROUNDS) throw withoutWords('update', error);
      }
    }
  }

  async remove(
    { uid, ...key }: ObjectKey & { readonly uid?: string | undefined },
    signal: AbortSignal,
  ): Promise<void> {
    const preconditions = uid === undefined ? {} : { preconditions: { uid } };
    await harmless('delete', this.#client.delete(secretType, key, { ...preconditions, signal }));
  }

  async #find({ metadata, spec }: DockerImageRecord, signal: AbortSignal): Promise<Secret | undefined> {
    const name = spec.access.pullSecretRefs?.[0]?.name;
    if (name === undefined) return undefined;
    return harmless('get', this.#client.get(secretType, { namespace: metadata.namespace, name }, { signal }));
  }

  #reference({ metadata }: DockerImageRecord): OwnerReference {
    const { group, version, kind } = this.#type;
    return { apiVersion: `${group}/${version}`, kind, name: metadata.name, uid: metadata.uid ?? '' };
  }
}

/** Owned by the record, or made for one and not adopted before its writer died. */
function isOwnedBy({ metadata }: Secret, record: DockerImageRecord): boolean {
  const { ownerReferences: owners = [], labels = {} } = metadata;
  if (owners.length === 0) return labels[LABELS.record] === labelOf(record.metadata.name);
  return owners.some(({ uid }) => uid === record.metadata.uid);
}

/** Values of labels have at most 63 characters. */
function labelOf(name: string): string {
  return name.slice(0, 63).replace(/[-.]+$/, '');
}

/** What the API server says about a Secret stays here: it might quote it. */
async function harmless<T>(verb: string, call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw withoutWords(verb, error);
  }
}

function withoutWords(verb: string, error: unknown): unknown {
  if (!(error instanceof ApiError)) return error;
  const hint = error.status === 403 ? '; install the component records-facade for this namespace' : '';
  return refuse(503, `The API server refused to ${verb} the Secret of the image: ${error.reason}${hint}.`, {
    'Retry-After': '1',
  });
}
