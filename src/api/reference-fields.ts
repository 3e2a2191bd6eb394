/** Text fields that name images: bounded, and refused at admission with a sentence instead of a regular expression. */
import type * as z from 'zod';
import { celString, matching, type Rule, text, withRules } from './fields.ts';

/** Longest tag (distribution specification). */
export const TAG_MAX = 128;
/** Longest digest text we take: `sha512:` and 128 hexadecimal digits. */
export const DIGEST_MAX = 135;
/** Longest `registry/repository` of an ImageSource; its status repeats it for each image. */
export const REPOSITORY_REFERENCE_MAX = 200;
/** Longest `registry/repository` that Docker and the kubelet take. */
const NAME_MAX = 255;
/** Longest full reference: name, tag and digest. */
export const REFERENCE_MAX = NAME_MAX + 1 + TAG_MAX + 1 + DIGEST_MAX;

const PORT = '(:[0-9]{1,5})?';
const LABEL = '[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?';
const DOTTED_HOST = `${LABEL}(\\.${LABEL})+${PORT}`;
/** As Docker and the kubelet read it: a first part without dot, port or "localhost" is no host. */
const HOST = `(${DOTTED_HOST}|localhost${PORT}|${LABEL}:[0-9]{1,5}|\\[[0-9A-Fa-f:]+\\]${PORT})`;
const PATH = '(/[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*)+';
const TAG = '[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}';
const DIGEST = '(sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128})';

/** Whole text is a reference with a tag (and maybe a digest). */
export const HAS_TAG_PATTERN = `^[^@]*:${TAG}(@.*)?$`;

/** A tag. */
export function tag(): z.ZodString {
  return matching(`^${TAG}$`, 'must be a tag: letters, digits, "_", "." and "-", at most 128', TAG_MAX);
}

/** A digest such as `sha256:…`. */
export function digest(): z.ZodString {
  return matching(`^${DIGEST}$`, 'must be a digest: sha256: and 64 hexadecimal digits', DIGEST_MAX);
}

/** A rule about one pattern, which holds its tongue where another rule has spoken already. */
interface PatternRule {
  /** The value must match this … */
  readonly pattern: string;
  readonly message: string;
  /** … unless it matches this, */
  readonly unless: string;
  /** and only if it matches this. */
  readonly onlyIf?: string;
}

function patternRule({ pattern, message, unless, onlyIf = '' }: PatternRule): Rule<string> {
  const [wanted, reported, applies] = [pattern, unless, onlyIf].map((source) => new RegExp(source, 'u'));
  const guard = onlyIf === '' ? '' : ` || !self.matches(${celString(onlyIf)})`;
  return {
    rule: `self.matches(${celString(unless)})${guard} || self.matches(${celString(pattern)})`,
    message,
    check: (value) =>
      reported?.test(value) === true || applies?.test(value) !== true || wanted?.test(value) === true,
  };
}

const NO_SCHEME: Rule<string> = {
  rule: "!self.contains('://')",
  message: 'image is a reference, not a URL: remove the scheme',
  check: (value) => !value.includes('://'),
};

const HOST_FIRST = patternRule({
  pattern: `^${HOST}/`,
  message: "image must begin with the registry's host, such as docker.io/library/nginx instead of nginx",
  unless: '://',
});

/** `registry/repository` without tag, digest or scheme. */
export function repositoryReference(): z.ZodString {
  return withRules(text(REPOSITORY_REFERENCE_MAX), [
    NO_SCHEME,
    {
      rule: "!self.contains('@')",
      message: 'image is registry/repository without a digest; choose tags with spec.select',
      check: (value) => !value.includes('@'),
    },
    patternRule({
      pattern: '(^[^/:]*(:[0-9]+)?|/[^:]*)$',
      message: 'image is registry/repository without a tag; choose tags with spec.select',
      unless: '://|@',
    }),
    HOST_FIRST,
    patternRule({
      pattern: `^${HOST}${PATH}$`,
      message: 'image must be registry/repository in lower case, such as registry.example.org/team/app',
      unless: '://|@|:[^/]*$',
      onlyIf: `^${HOST}/`,
    }),
  ]);
}

/** A reference with a tag, a digest or both. */
export function imageReference(): z.ZodString {
  return withRules(text(REFERENCE_MAX), [
    NO_SCHEME,
    HOST_FIRST,
    patternRule({
      pattern: `^[^@]{1,${NAME_MAX}}(:${TAG})?(@.*)?$`,
      message: `registry and repository together have at most ${NAME_MAX} characters`,
      unless: '://',
    }),
    patternRule({
      pattern: '[:@][^/]*$',
      message: 'image needs a tag, a digest or both, such as registry.example.org/team/app:1.2',
      unless: '://',
    }),
    patternRule({
      pattern: `^${HOST}${PATH}(:${TAG})?(@${DIGEST})?$`,
      message: 'image must be registry/repository:tag, registry/repository@sha256:<64 hex digits>, or both',
      unless: '://',
      onlyIf: `^${HOST}/`,
    }),
  ]);
}
