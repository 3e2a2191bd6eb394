import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  DEFAULT_REGISTRY,
  formatCanonical,
  formatFamiliar,
  formatReference,
  formatRepository,
  InvalidReferenceError,
  isValidReference,
  isValidTag,
  parseReference,
  parseRepository,
  validateReference,
  validateRepository,
  withRuntimeDefaults,
} from '../../src/domain/reference.ts';
import { readVectors } from '../support/vectors.ts';

const component = fc.stringMatching(/^[a-z0-9]{1,5}([._-][a-z0-9]{1,4})?$/);
const path = fc.array(component, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
const registry = fc.constantFrom('', 'ghcr.io/', 'localhost/', 'host:5000/', '[::1]:443/', '10.0.0.1/');
const tag = fc.option(fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}$/), { nil: undefined });
const digest = fc.option(fc.stringMatching(/^[0-9a-f]{64}$/), { nil: undefined });
/** Texts of the grammar. */
const references = fc
  .tuple(registry, path, tag, digest)
  .map(
    ([host, name, label, hex]) => `${host}${name}${label ? `:${label}` : ''}${hex ? `@sha256:${hex}` : ''}`,
  );

describe('references', () => {
  it.each(readVectors('reference_valid.txt'))('reads %s', (...fields) => {
    const [text = '', host, repository, label, content, canonical] = fields;
    const reference = parseReference(text);
    expect(reference).toEqual({
      registry: host,
      repository,
      ...(label !== '' && { tag: label }),
      ...(content !== '' && { digest: content }),
    });
    expect(formatReference(reference)).toBe(text);
    expect(formatCanonical(reference)).toBe(canonical);
    expect(isValidReference(text)).toBe(true);
  });

  it.each(readVectors('reference_invalid.txt'))('refuses %j at %s: %s', (text = '', position, message) => {
    const result = validateReference(text);
    expect(result).toMatchObject({ ok: false, error: { position: Number(position) } });
    expect(result.ok ? '' : result.error.message).toContain(message);
    expect(isValidReference(text)).toBe(false);
    expect(() => parseReference(text)).toThrow(InvalidReferenceError);
  });

  it('formats what it parsed, nothing added and nothing left out', () => {
    fc.assert(
      fc.property(references, (text) => {
        expect(formatReference(parseReference(text))).toBe(text);
      }),
    );
  });

  it('never throws from validate, and says a place inside the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        const result = validateReference(text);
        if (!result.ok) expect(result.error.position).toBeLessThanOrEqual(text.length);
      }),
    );
  });

  it('reads the canonical and the familiar form as the same image', () => {
    fc.assert(
      fc.property(references, (text) => {
        const canonical = formatCanonical(parseReference(text));
        expect(formatCanonical(parseReference(canonical))).toBe(canonical);
        expect(formatCanonical(parseReference(formatFamiliar(parseReference(text))))).toBe(canonical);
      }),
    );
  });

  it.each([
    ['docker.io/library/alpine:1', 'alpine:1'],
    ['docker.io/a/b', 'a/b'],
    ['alpine', 'alpine'],
    ['ghcr.io/a/b:1', 'ghcr.io/a/b:1'],
    ['docker.io/library/a/b', 'library/a/b'],
    ['docker.io/localhost/a', 'docker.io/localhost/a'],
    ['docker.io/a.b/c', 'docker.io/a.b/c'],
  ])('shows %s as %s', (text, familiar) => {
    expect(formatFamiliar(parseReference(text))).toBe(familiar);
  });

  it('says what, why and where in the message of a thrown error', () => {
    expect(() => parseReference('r.io/A')).toThrow(
      'parsing reference "r.io/A": capital letters are not allowed in a repository (at 5)',
    );
    expect(new InvalidReferenceError('x', { message: 'm', position: 3 })).toMatchObject({
      name: 'InvalidReferenceError',
      position: 3,
    });
  });
});

describe('repositories', () => {
  it('are references without tag and digest', () => {
    expect(parseRepository('ghcr.io/a/b')).toEqual({ registry: 'ghcr.io', repository: 'a/b' });
    expect(formatRepository({ registry: 'ghcr.io', repository: 'a/b' })).toBe('ghcr.io/a/b');
    expect(formatRepository({ registry: '', repository: 'a' })).toBe('a');
  });

  it.each(['ghcr.io/a:b', 'ghcr.io/a@sha256:00', 'docker://a', ''])('refuses %s', (text) => {
    expect(validateRepository(text).ok).toBe(false);
    expect(() => parseRepository(text)).toThrow(InvalidReferenceError);
  });

  it('take the defaults of a runtime only where asked', () => {
    expect(withRuntimeDefaults({ registry: '', repository: 'alpine' })).toEqual({
      registry: DEFAULT_REGISTRY,
      repository: 'library/alpine',
    });
    expect(withRuntimeDefaults({ registry: 'ghcr.io', repository: 'a' }).repository).toBe('a');
    expect(withRuntimeDefaults({ registry: '', repository: 'a', tag: 't' }).tag).toBe('t');
  });
});

describe('tags', () => {
  it.each(['a', '_', '1.2-3', 'A'])('accepts %s', (text) => {
    expect(isValidTag(text)).toBe(true);
  });

  it.each(['', '-a', '.a', 'a b', 'a'.repeat(129)])('refuses %s', (text) => {
    expect(isValidTag(text)).toBe(false);
  });
});
