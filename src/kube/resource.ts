/** What every Kubernetes object has in common, and how the API addresses it. */

/** As stored in `metadata.ownerReferences`. */
export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean | undefined;
  readonly blockOwnerDeletion?: boolean | undefined;
}

/** Metadata as the server returns it; times are RFC 3339 strings. */
export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string | undefined;
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
  readonly generation?: number | undefined;
  readonly creationTimestamp?: string | undefined;
  readonly deletionTimestamp?: string | undefined;
  readonly deletionGracePeriodSeconds?: number | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  readonly finalizers?: readonly string[] | undefined;
  readonly ownerReferences?: readonly OwnerReference[] | undefined;
}

/** Members of list items come without apiVersion and kind: rely on the resource type instead. */
export interface KubeObject {
  readonly apiVersion?: string | undefined;
  readonly kind?: string | undefined;
  readonly metadata: ObjectMeta;
}

/** An object as it came off the wire, before projection: nothing beyond the metadata is known. */
export interface RawObject extends KubeObject {
  readonly [field: string]: unknown;
}

declare const objectShape: unique symbol;

/** One resource of the API; the type parameter says what its objects look like. */
export interface ResourceType<T extends KubeObject = KubeObject> {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
  /** Carries `T` for the compiler only; never set. */
  readonly [objectShape]?: T;
}

/** Address of one object; `namespace` is absent for cluster-scoped kinds. */
export interface ObjectKey {
  readonly namespace?: string | undefined;
  readonly name: string;
}

/** `namespace/name`, or `name` for cluster-scoped objects: unique within one kind, stable, fit for map keys and logs. */
export function formatKey(key: ObjectKey): string {
  return key.namespace === undefined || key.namespace === '' ? key.name : `${key.namespace}/${key.name}`;
}

/** The inverse of `formatKey`. */
export function parseKey(text: string): ObjectKey {
  const slash = text.indexOf('/');
  return slash === -1 ? { name: text } : { namespace: text.slice(0, slash), name: text.slice(slash + 1) };
}

/** The address of an object that was read. */
export function keyOf(object: KubeObject): ObjectKey {
  const { namespace, name } = object.metadata;
  return namespace === undefined ? { name } : { namespace, name };
}

/** `group/version`, or `version` in the core group, as written in an object's `apiVersion`. */
export function apiVersionOf(type: ResourceType): string {
  return type.group === '' ? type.version : `${type.group}/${type.version}`;
}

/** The object with `apiVersion` and `kind`, as every body that is sent must have them. */
export function typedObject(type: ResourceType, object: object): object {
  return { ...object, apiVersion: apiVersionOf(type), kind: type.kind };
}

/** What a path may address below a resource type. */
export interface ResourceAddress {
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  readonly subresource?: string | undefined;
}

/** URL path of a resource, collection or subresource. Segments are escaped: names may come from users. */
export function resourcePath(type: ResourceType, address: ResourceAddress = {}): string {
  const segments = type.group === '' ? ['api', type.version] : ['apis', type.group, type.version];
  if (type.namespaced && address.namespace !== undefined) segments.push('namespaces', address.namespace);
  segments.push(type.plural);
  if (address.name !== undefined) segments.push(address.name);
  if (address.subresource !== undefined) segments.push(address.subresource);
  return `/${segments.map(encodeURIComponent).join('/')}`;
}
