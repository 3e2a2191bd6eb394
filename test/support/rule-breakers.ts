/** For the message of each rule: how to turn a valid value into one that this rule refuses. */
import type { Json } from './json-paths.ts';

/** A rule about a change needs an old object; those have tests of their own. */
export type Breaker = ((value: Json) => Json) | 'transition';

type Fields = Readonly<Record<string, Json>>;

function set(fields: Readonly<Record<string, Json>>): Breaker {
  return (value) => ({ ...(value as Fields), ...fields });
}

function without(...names: readonly string[]): Breaker {
  return (value) =>
    Object.fromEntries(Object.entries(value as Fields).filter(([name]) => !names.includes(name)));
}

function always(value: Json): Breaker {
  return () => value;
}

/** A rule of select with one more field. */
function selectRule(fields: Fields): Breaker {
  return always({ name: 'broken', ...fields });
}

const tooLate = (field: string, value: Json): Breaker => selectRule({ tags: ['a'], [field]: value });

export const RULE_BREAKERS: Readonly<Record<string, Breaker>> = {
  // access
  'plainHTTP uses no certificates: remove caBundleRef and clientCertSecretRef, or plainHTTP': set({
    plainHTTP: true,
  }),
  'must be the name of a Kubernetes object: lower-case letters, digits, "-" and "."': always('No_Such.Name-'),
  // text
  'must be CamelCase': always('not camel'),
  'must not be blank': always('  '),
  'must be a duration such as "90s", "5m" or "1h30m", at least 0s': always('1 hour'),
  'must be a duration such as "90s", "5m" or "1h30m", at least 1s': always('999ms'),
  'must be a duration such as "90s", "5m" or "1h30m", at least 10s': always('9.9s'),
  'must be a duration such as "90s", "5m" or "1h30m", at least 1m': always('59s'),
  'must be a tag: letters, digits, "_", "." and "-", at most 128': always('a tag'),
  'must be a digest: sha256: and 64 hexadecimal digits': always('sha256:123'),
  'must be a label key such as node.kubernetes.io/pool': always('/pool'),
  'must be a label value': always('-'),
  'must be a percentage from "0%" to "100%"': always('101%'),
  'must be the name of a PriorityClass: lower-case letters, digits, "-" and "."': always('High_Priority'),
  'system priority classes are not for pull pods; they would evict workloads': always('system-node-critical'),
  // references
  'image is a reference, not a URL: remove the scheme': always('https://registry.example.org/a:1'),
  "image must begin with the registry's host, such as docker.io/library/nginx instead of nginx":
    always('library/nginx'),
  'image is registry/repository without a digest; choose tags with spec.select': always(
    `registry.example.org/a@sha256:${'a'.repeat(64)}`,
  ),
  'image is registry/repository without a tag; choose tags with spec.select':
    always('registry.example.org/a:1'),
  'image must be registry/repository in lower case, such as registry.example.org/team/app': always(
    'registry.example.org/Team/app',
  ),
  'registry and repository together have at most 255 characters': always(`a.b/${'c'.repeat(252)}:1`),
  'image needs a tag, a digest or both, such as registry.example.org/team/app:1.2': always(
    'registry.example.org/team/app',
  ),
  'image must be registry/repository:tag, registry/repository@sha256:<64 hex digits>, or both': always(
    'registry.example.org/team/app@sha256:abc',
  ),
  // tags and select
  'must be a regular expression in RE2 syntax (no look-ahead, no back-references)': always('a(?=b)'),
  'must be a date such as 2026-01-31 or 2026-01-31T12:00:00Z': always('2026-02-30'),
  'must be an instant such as 2026-01-31T12:00:00Z': always('2026-01-31'),
  'must be a version such as 22.0.0': always('22.x'),
  'since needs a date, a version or a build': always({}),
  'must be a short name: lower-case letters, digits and "-", at most 32': always('Weeklies'),
  'must be the variant part of a tag, such as alpine': always('al pine'),
  'must be the name of a group': always('1st'),
  'must be an ending such as amd64': always('-amd64'),
  'give exactly one of type, semver, pattern and tags': selectRule({ type: 'weekly', semver: '>=1' }),
  'dialect only applies to a rule with semver': selectRule({ type: 'release', dialect: 'npm' }),
  'prereleases only applies to a rule with semver': selectRule({ type: 'release', prereleases: true }),
  'variant only applies to a rule with semver': selectRule({ type: 'release', variant: 'alpine' }),
  'orderBy only applies to a rule with pattern': selectRule({ type: 'release', orderBy: { capture: 'd' } }),
  'orderBy.capture must be a named group of pattern, such as (?<d>\\d{8})': selectRule({
    pattern: '^nightly-(?<date>.*)$',
    orderBy: { capture: 'd' },
  }),
  'newest does not apply to a rule with tags: named tags are always selected': tooLate('newest', 1),
  'maxAge does not apply to a rule with tags: named tags are always selected': tooLate('maxAge', '1h'),
  'minAge does not apply to a rule with tags: named tags are always selected': tooLate('minAge', '1h'),
  'since does not apply to a rule with tags: named tags are always selected': tooLate('since', { build: 1 }),
  'rules must have different names': always([
    { name: 'same', type: 'release' },
    { name: 'same', type: 'weekly' },
  ]),
  'cycle only applies to grammar RSP': always({ grammar: 'SemVer', cycle: 45 }),
  'architectures only applies to grammar RSP': always({ grammar: 'Docker', architectures: ['amd64'] }),
  // nodes
  'operators In and NotIn need at least one value': set({ operator: 'In', values: [] }),
  'operators Exists and DoesNotExist take no values': set({ operator: 'Exists', values: ['a'] }),
  'operators Gt and Lt need exactly one value, a whole number in quotes': set({
    operator: 'Gt',
    values: ['7.5'],
  }),
  'the only field is metadata.name': always('spec.podCIDR'),
  'a term without requirements matches no node: add matchExpressions, or remove the term': always({}),
  'a toleration without key needs operator Exists': without('key', 'operator'),
  'a toleration with operator Exists has no value': set({ operator: 'Exists', value: 'yes' }),
  'pull.by Tag and Both need a tag in image': set({
    image: `registry.example.org/sciplat/lab@sha256:${'a'.repeat(64)}`,
    pull: { by: 'Tag' },
  }),
  'keys must have at most 317 characters': always({ ['k'.repeat(318)]: 'v' }),
  'keys must have at most 128 characters': always({ ['k'.repeat(129)]: 'v' }),
  'keys must have at most 64 characters': always({ ['k'.repeat(65)]: 'v' }),
  // records
  'must be a CUDA version such as "11.1", in quotes': always('00.0'),
  'must be the two-letter code of a domain, such as od': always('OD'),
  'signing keys are lower case': always('ABCDEF'),
  'minHardwareGeneration is required unless cpu is true': without('minHardwareGeneration'),
  'a GPU image needs a CUDA version': set({ cuda: { version: '0.0' } }),
  'framework is required unless contentKind is Source': without('framework'),
  'domain is required unless contentKind is Source': without('domain'),
  'licence is required unless contentKind is Source': without('licence'),
  'sourceFor only applies to contentKind Source': set({ sourceFor: 'yolo-v4' }),
  'a source image runs nowhere: remove prepull': set({ contentKind: 'Source' }),
  'contentKind is immutable': 'transition',
  'status.pk is immutable': 'transition',
};
