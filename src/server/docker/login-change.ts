/** A change of a registry login that goes along with a change of its record: prepared before, completed after, or undone. */

import type { DockerImageRecord, DockerImageRecordSpec } from '../../api/docker-image-record.ts';
import { keyOf, type ObjectKey } from '../../kube/resource.ts';
import { type RegistryLogin, registryUrlOf } from './image-view.ts';
import type { LoginStore } from './login-store.ts';
import { changeSecret } from './record-spec.ts';

type MadeSecret = ObjectKey & { readonly uid: string | undefined };

/** Written once the record is as it shall be. */
type Then =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'write'; readonly login: RegistryLogin }
  | { readonly kind: 'remove'; readonly secret: ObjectKey };

/** For one record and one request. */
export class LoginChange {
  readonly #logins: LoginStore;
  readonly #signal: AbortSignal;
  #made: MadeSecret | undefined;
  #then: Then = { kind: 'nothing' };

  constructor(logins: LoginStore, signal: AbortSignal) {
    this.#logins = logins;
    this.#signal = signal;
  }

  /** Makes the Secret of a record that is about to be created under this key; its name, if one is needed. */
  async begin(record: ObjectKey, login: RegistryLogin, registryUrl: string): Promise<string | undefined> {
    if (isEmpty(login)) return undefined;
    return (await this.#make(record, login, registryUrl)).name;
  }

  /** The spec of `next` with the Secret that shall hold `login`; `current` is the record as it is. */
  async plan(
    next: DockerImageRecord,
    current: DockerImageRecord,
    login: RegistryLogin,
  ): Promise<DockerImageRecordSpec> {
    const { spec } = next;
    const before = await this.#logins.read(current, this.#signal);
    const isSame = isEqual(before, login);
    this.#then = { kind: 'nothing' };
    if (isSame && registryUrlOf(spec) === registryUrlOf(current.spec)) return spec;
    if (await this.#logins.isOurs(current, this.#signal)) return this.#changeOurs(next, login);
    // The Secret of somebody else stays as it is, and holds what it holds for the registries it names.
    if (isSame) return spec;
    if (isEmpty(login)) return changeSecret(spec, undefined);
    this.#made ??= await this.#make(keyOf(next), login, registryUrlOf(spec), current);
    return changeSecret(spec, this.#made.name);
  }

  #changeOurs(next: DockerImageRecord, login: RegistryLogin): DockerImageRecordSpec {
    if (!isEmpty(login)) {
      this.#then = { kind: 'write', login };
      return next.spec;
    }
    const name = next.spec.access.pullSecretRefs?.[0]?.name ?? '';
    this.#then = { kind: 'remove', secret: { namespace: next.metadata.namespace, name } };
    return changeSecret(next.spec, undefined);
  }

  /** After the record was written. */
  async complete(record: DockerImageRecord): Promise<void> {
    const isNamed = record.spec.access.pullSecretRefs?.some(({ name }) => name === this.#made?.name);
    // Another round of the change may have found that it was not needed.
    if (isNamed !== true) await this.undo();
    else if (this.#made !== undefined) await this.#logins.adopt(this.#made, record, this.#signal);
    this.#made = undefined;
    if (this.#then.kind === 'write') await this.#logins.write(record, this.#then.login, this.#signal);
    if (this.#then.kind === 'remove') await this.#logins.remove(this.#then.secret, this.#signal);
  }

  /** After the record could not be written: a Secret that nobody names must not stay. */
  async undo(): Promise<void> {
    if (this.#made !== undefined) await this.#logins.remove(this.#made, this.#signal);
    this.#made = undefined;
  }

  async #make(
    record: ObjectKey,
    login: RegistryLogin,
    registryUrl: string,
    owner?: DockerImageRecord,
  ): Promise<MadeSecret> {
    const options = { registryUrl, signal: this.#signal, ...(owner && { owner }) };
    this.#made = await this.#logins.create(record, login, options);
    return this.#made;
  }
}

function isEmpty({ username, password }: RegistryLogin): boolean {
  return username === null && password === null;
}

function isEqual(left: RegistryLogin, right: RegistryLogin): boolean {
  return left.username === right.username && left.password === right.password;
}
