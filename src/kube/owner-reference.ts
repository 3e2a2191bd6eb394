/** Owner references and the names of owned objects. */

import { createHash } from 'node:crypto';
import { apiVersionOf, type KubeObject, type OwnerReference, type ResourceType } from './resource.ts';

/**
 * Reference that makes `owner` the controller of an object. It does not block the owner's deletion, which would
 * need the right to update the owner's finalizers.
 * @throws Error if the owner has no uid: it was never stored.
 */
export function controllerReference(type: ResourceType, owner: KubeObject): OwnerReference {
  const { name, uid } = owner.metadata;
  if (uid === undefined) throw new Error(`${type.kind} ${name} has no uid and cannot own anything`);
  return { apiVersion: apiVersionOf(type), kind: type.kind, name, uid, controller: true };
}

/** The reference marked as controller, if any; the API allows one. */
export function controllerOf(object: KubeObject): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find((reference) => reference.controller === true);
}

/** Kind and name of the controller, for messages; "somebody else" where there is none. */
export function ownerName(object: KubeObject): string {
  const { kind, name } = controllerOf(object) ?? {};
  return kind === undefined || name === undefined ? 'somebody else' : `${kind} ${name}`;
}

/** By uid: a successor of the same name is somebody else. */
export function isControlledBy(object: KubeObject, owner: KubeObject): boolean {
  const { uid } = owner.metadata;
  return uid !== undefined && controllerOf(object)?.uid === uid;
}

/** Longest name the API takes for most kinds; labels and pod host names end at 63. */
const NAME_LIMIT = 63;
const HASH_LENGTH = 8;

/**
 * Deterministic DNS-1123 name `prefix-<8 hex>`: the same identity always yields the same name, so that a second
 * create is a conflict instead of a duplicate. The prefix is shortened to fit.
 */
export function childName(prefix: string, identity: string): string {
  const hash = createHash('sha256').update(identity).digest('hex').slice(0, HASH_LENGTH);
  const room = NAME_LIMIT - HASH_LENGTH - 1;
  const readable = prefix
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .slice(0, room)
    .replace(/^-+|-+$/g, '');
  return readable === '' ? `x-${hash}` : `${readable}-${hash}`;
}

/** Whether two names that `childName` has made stand for the same identity, however they begin. */
export function haveSameIdentity(name: string, other: string): boolean {
  return name.slice(-HASH_LENGTH - 1) === other.slice(-HASH_LENGTH - 1);
}
