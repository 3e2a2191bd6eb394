/** From a request to the spec of a record. */

import type { Catalogue } from '../../api/catalogue.ts';
import { type DockerImageRecordSpec, dockerImageRecordSpecSchema } from '../../api/docker-image-record.ts';
import { refuseFields } from './answer.ts';
import type { ImageInput, PresentImage } from './image-input.ts';
import { NO_CUDA, type RegistryLogin } from './image-view.ts';

/** What the rules across fields ask of a record that is there. */
export function presentOf(spec: DockerImageRecordSpec, login: RegistryLogin): PresentImage {
  // Source images run nowhere: the rules about hardware are not for them.
  const isSource = spec.contentKind === 'Source';
  return {
    cpu: spec.cpu,
    hasGeneration: isSource || spec.minHardwareGeneration !== undefined,
    hasCuda: isSource || (spec.cuda !== undefined && spec.cuda.version !== NO_CUDA),
    hasUsername: login.username !== null,
  };
}

/** A complete spec. @throws RefusedRequest with what only the rules of the kind find */
export function buildSpec(input: ImageInput, secretName: string | undefined): DockerImageRecordSpec {
  const fields = {
    ...changedFields(input),
    ...(secretName !== undefined && { access: { pullSecretRefs: [{ name: secretName }] } }),
  };
  return checked(fields);
}

/** The spec with the fields that the request states replaced. @throws RefusedRequest as `buildSpec` */
export function changeSpec(
  spec: DockerImageRecordSpec,
  input: ImageInput,
  catalogue: Catalogue,
): DockerImageRecordSpec {
  const changed = changedFields(input);
  const tasks = input.tasks && keepOrder(spec.tasks ?? [], input.tasks, catalogue);
  const registry =
    input.registry_url === undefined ? spec.registry : { ...spec.registry, url: input.registry_url };
  const next: Record<string, unknown> = {
    ...spec,
    ...changed,
    ...(tasks && { tasks }),
    ...(registry && { registry }),
  };
  if (input.cuda_version?.version === NO_CUDA) delete next['cuda'];
  if (input.min_hardware_generation === null) delete next['minHardwareGeneration'];
  return checked(next);
}

/** With this Secret in place of the first one; without a name the first one goes. */
export function changeSecret(
  spec: DockerImageRecordSpec,
  secretName: string | undefined,
): DockerImageRecordSpec {
  const rest = (spec.access.pullSecretRefs ?? []).slice(1);
  const pullSecretRefs = [...(secretName === undefined ? [] : [{ name: secretName }]), ...rest];
  const access = { ...spec.access, pullSecretRefs };
  if (pullSecretRefs.length === 0) Reflect.deleteProperty(access, 'pullSecretRefs');
  return { ...spec, access };
}

function changedFields(input: ImageInput): Readonly<Record<string, unknown>> {
  const { url: image, framework, domain } = input;
  const cuda = input.cuda_version;
  const generation = input.min_hardware_generation;
  const stated = {
    name: input.name,
    version: input.version,
    image,
    registry: input.registry_url && { url: input.registry_url },
    cuda: cuda === undefined || cuda.version === NO_CUDA ? undefined : { version: cuda.version },
    framework: framework && { name: framework.name, version: framework.version },
    domain: domain?.name,
    tasks: input.tasks,
    minHardwareGeneration: generation ?? undefined,
    cpu: input.cpu,
    licence: input.licence,
  };
  return Object.fromEntries(Object.entries(stated).filter(([, value]) => value !== undefined));
}

/** Tasks that stay keep their places; new ones follow in the order of the catalogue. */
function keepOrder(
  before: readonly string[],
  wanted: readonly string[],
  catalogue: Catalogue,
): readonly string[] {
  const kept = before.filter((task) => wanted.includes(task));
  const added = catalogue.tasks
    .map(({ name }) => name)
    .filter((name) => wanted.includes(name) && !kept.includes(name));
  return [...kept, ...added];
}

function checked(fields: Readonly<Record<string, unknown>>): DockerImageRecordSpec {
  const parsed = dockerImageRecordSpecSchema.safeParse(fields);
  if (parsed.success) return parsed.data as DockerImageRecordSpec;
  throw refuseFields({ non_field_errors: [...new Set(parsed.error.issues.map(({ message }) => message))] });
}
