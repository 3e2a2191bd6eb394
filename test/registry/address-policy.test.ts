import { describe, expect, it } from 'vitest';
import {
  type AddressClass,
  AddressPolicy,
  classifyAddress,
  REGISTRY_CLASSES,
} from '../../src/registry/address-policy.ts';

const PUBLIC: ReadonlySet<AddressClass> = new Set(['public']);

describe('classifyAddress', () => {
  it.each([
    ['8.8.8.8', 'public'],
    ['2606:4700::1', 'public'],
    ['10.1.2.3', 'private'],
    ['172.31.255.255', 'private'],
    ['172.32.0.0', 'public'],
    ['192.168.0.1', 'private'],
    ['100.64.0.1', 'private'],
    ['fd12::1', 'private'],
    ['127.0.0.1', 'loopback'],
    ['127.8.8.8', 'loopback'],
    ['::1', 'loopback'],
    ['[::1]', 'loopback'],
    ['169.254.169.254', 'forbidden'],
    ['100.100.100.200', 'forbidden'],
    ['168.63.129.16', 'forbidden'],
    ['fd00:ec2::254', 'forbidden'],
    ['fe80::1', 'forbidden'],
    ['fe80::1%eth0', 'forbidden'],
    ['0.0.0.0', 'forbidden'],
    ['::', 'forbidden'],
    ['224.0.0.1', 'forbidden'],
    ['255.255.255.255', 'forbidden'],
    ['::ffff:169.254.169.254', 'forbidden'],
    ['::ffff:a9fe:a9fe', 'forbidden'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['::ffff:10.0.0.1', 'private'],
    ['::ffff:8.8.8.8', 'public'],
    ['64:ff9b::169.254.169.254', 'forbidden'],
    ['2002:a9fe:a9fe::', 'forbidden'],
    ['not an address', 'forbidden'],
    ['', 'forbidden'],
  ])('%s is %s', (address, expected) => {
    expect(classifyAddress(address)).toBe(expected);
  });
});

describe('AddressPolicy', () => {
  it('lets a registry be private, but not link-local', () => {
    const policy = new AddressPolicy();
    expect(policy.allows('10.0.0.1', REGISTRY_CLASSES)).toBe(true);
    expect(policy.allows('127.0.0.1', REGISTRY_CLASSES)).toBe(true);
    expect(policy.allows('169.254.169.254', REGISTRY_CLASSES)).toBe(false);
  });

  it('allows listed networks beside what is granted', () => {
    const policy = new AddressPolicy(['10.1.0.0/16', 'fe80::/64']);
    expect(policy.allows('10.1.2.3', PUBLIC)).toBe(true);
    expect(policy.allows('::ffff:10.1.2.3', PUBLIC)).toBe(true);
    expect(policy.allows('10.2.2.3', PUBLIC)).toBe(false);
    expect(policy.allows('fe80::1', PUBLIC)).toBe(true);
    expect(policy.allows('nonsense', PUBLIC)).toBe(false);
  });

  it.each(['', '10.0.0.0', '10.0.0.0/33', '10.0.0.0/', '::/129', 'host/8', '10.0.0.0/-1'])(
    'refuses the network %j',
    (text) => {
      expect(() => new AddressPolicy([text])).toThrow(RangeError);
    },
  );
});
