import { describe, expect, it } from 'vitest';
import {
  childName,
  controllerOf,
  controllerReference,
  haveSameIdentity,
  isControlledBy,
} from '../../src/kube/owner-reference.ts';
import { WIDGETS } from './fixtures.ts';

describe('owner references', () => {
  const owner = { metadata: { name: 'o', uid: 'u1' } };

  it('make one owner the controller, without blocking its deletion', () => {
    const reference = controllerReference(WIDGETS, owner);
    expect(reference).toEqual({
      apiVersion: 'test.dev/v1',
      kind: 'Widget',
      name: 'o',
      uid: 'u1',
      controller: true,
    });
    const child = {
      metadata: { name: 'c', ownerReferences: [{ ...reference, controller: false, uid: 'x' }, reference] },
    };
    expect(controllerOf(child)?.uid).toBe('u1');
    expect(isControlledBy(child, owner)).toBe(true);
    expect(isControlledBy(child, { metadata: { name: 'o', uid: 'u2' } })).toBe(false);
    expect(isControlledBy(child, { metadata: { name: 'o' } })).toBe(false);
  });

  it('need an owner that exists', () => {
    expect(() => controllerReference(WIDGETS, { metadata: { name: 'o' } })).toThrow('has no uid');
  });

  it('go with names that are the same for the same identity', () => {
    expect(childName('Lab_Image.v1', 'a')).toMatch(/^lab-image-v1-[0-9a-f]{8}$/);
    expect(childName('lab', 'a')).toBe(childName('lab', 'a'));
    expect(childName('lab', 'a')).not.toBe(childName('lab', 'b'));
    expect(childName('x'.repeat(200), 'a')).toHaveLength(63);
    expect(childName('___', 'a')).toMatch(/^x-[0-9a-f]{8}$/);
    expect(haveSameIdentity(childName('lab', 'a'), childName('___', 'a'))).toBe(true);
    expect(haveSameIdentity(childName('lab', 'a'), childName('lab', 'b'))).toBe(false);
    expect(haveSameIdentity(childName('lab', 'a'), 'lab')).toBe(false);
  });
});
