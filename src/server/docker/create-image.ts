/** Creates a record and the Secret with its login, or neither. */

import type { DockerImageRecord, DockerImageRecordSpec } from '../../api/docker-image-record.ts';
import type { ImageInput } from './image-input.ts';
import { type RegistryLogin, registryUrlOf } from './image-view.ts';
import { LoginChange } from './login-change.ts';
import type { LoginStore } from './login-store.ts';
import { recordName } from './record-name.ts';
import { buildSpec } from './record-spec.ts';
import type { RecordStore } from './record-store.ts';

/** Where images are kept. */
export interface ImageStores {
  readonly records: RecordStore;
  readonly logins: LoginStore;
}

/**
 * The new record. `pk` is for images that bring their own; others get the next free one.
 * @throws RefusedRequest if there is an image of this name and version
 */
export async function createImage(
  { records, logins }: ImageStores,
  input: ImageInput,
  signal: AbortSignal,
  pk?: number,
): Promise<DockerImageRecord> {
  const change = new LoginChange(logins, signal);
  const spec = buildSpec(input, undefined);
  const key = { namespace: records.namespace, name: recordName(spec.name, spec.version) };
  const prepare = async (): Promise<DockerImageRecordSpec> =>
    buildSpec(input, await change.begin(key, loginOf(input), registryUrlOf(spec)));
  let record: DockerImageRecord | undefined;
  try {
    record = await records.create({ spec, prepare, ...(pk !== undefined && { pk }) }, signal);
    await change.complete(record);
    return record;
  } catch (error) {
    if (record !== undefined) await records.discard(record, signal);
    await change.undo();
    throw error;
  }
}

/** The login that a new image states. */
export function loginOf({
  registry_username: username,
  registry_password: password,
}: ImageInput): RegistryLogin {
  return { username: username ?? null, password: password ?? null };
}
