import { describe, expect, it } from 'vitest';

import {
  formatPlatform,
  InvalidPlatformError,
  isValidPlatform,
  normalisePlatform,
  parsePlatform,
  platformMatches,
  validatePlatform,
} from '../../src/domain/platform.ts';
import { readVectors } from '../support/vectors.ts';

describe('platforms', () => {
  it.each(readVectors('platform_valid.txt'))('reads %s as %s', (text = '', normal = '') => {
    expect(formatPlatform(parsePlatform(text))).toBe(normal);
    expect(formatPlatform(parsePlatform(normal))).toBe(normal);
    expect(isValidPlatform(text)).toBe(true);
  });

  it.each(readVectors('platform_invalid.txt'))('refuses %s', (text = '') => {
    expect(isValidPlatform(text)).toBe(false);
    expect(() => parsePlatform(text)).toThrow(InvalidPlatformError);
    expect(() => parsePlatform(text)).toThrow(`parsing platform ${JSON.stringify(text)}: a platform is`);
  });

  it('points at the first character no platform can hold', () => {
    expect(validatePlatform('linux amd64')).toMatchObject({ error: { position: 5 } });
    expect(validatePlatform('linux')).toMatchObject({ error: { position: 0 } });
    expect(new InvalidPlatformError('x').name).toBe('InvalidPlatformError');
  });

  it('normalises capitals and leaves out what is empty', () => {
    expect(normalisePlatform({ os: 'Linux', architecture: 'AMD64', variant: 'V1', osVersion: '' })).toEqual({
      os: 'linux',
      architecture: 'amd64',
    });
    expect(normalisePlatform({ os: 'linux', architecture: 'armhf', variant: 'v6' })).toMatchObject({
      variant: 'v6',
    });
  });

  it.each([
    ['linux/amd64', 'linux/amd64', true],
    ['linux/amd64', 'linux/arm64', false],
    ['linux/amd64', 'windows/amd64', false],
    ['linux/arm64', 'linux/arm64/v8', true],
    ['linux/arm64/v8', 'linux/arm64', true],
    ['linux/arm64', 'linux/arm64/v9', false],
    ['linux/amd64', 'linux/amd64/v3', false],
    ['linux/amd64/v3', 'linux/amd64', true],
    ['linux/amd64/v3', 'linux/amd64/v2', true],
    ['linux/amd64/v2', 'linux/amd64/v3', false],
    ['linux/arm', 'linux/arm/v7', true],
    ['linux/arm', 'linux/arm/v6', true],
    ['linux/arm/v6', 'linux/arm/v7', false],
    ['linux/arm/v6', 'linux/arm', false],
    ['linux/arm/v7', 'linux/arm', true],
    ['linux/riscv64', 'linux/riscv64', true],
    ['windows(10.0.20348.1)/amd64', 'windows(10.0.20348.9)/amd64', true],
    ['windows(10.0.20348.1)/amd64', 'windows(10.0.17763.1)/amd64', false],
    ['windows/amd64', 'windows(10.0.17763.1)/amd64', true],
    ['windows(10.0.17763.1)/amd64', 'windows/amd64', true],
  ])('says of node %s and image %s: %s', (node, image, fits) => {
    expect(platformMatches(parsePlatform(node), parsePlatform(image))).toBe(fits);
  });
});
