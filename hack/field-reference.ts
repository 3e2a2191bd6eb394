/** Markdown of everything the schemas say: one table of fields a kind, and the tables of reasons. */

import { rootSchema } from '../src/api/crd.ts';
import type { KindDefinition } from '../src/api/crd-definition.ts';
import {
  ACCESS_REASONS,
  CONDITIONS,
  IMAGE_SOURCE_REASONS,
  NODE_REASONS,
  PREPULLED_IMAGE_REASONS,
  RECONCILE_REASONS,
  RECORD_REASONS,
  REGISTRY_REASONS,
  type ReasonDoc,
} from '../src/api/reasons.ts';
import type { StructuralSchema } from '../src/api/structural.ts';

const GENERATED = '<!-- Generated from src/api by `make generate`. Do not edit. -->\n';

/** docs/spec/fields/<kind>.md */
export function fieldReference(definition: KindDefinition): string {
  const { properties = {} } = rootSchema(definition);
  const sections = ['spec', 'status'].map((part) => {
    const schema = properties[part];
    return schema === undefined ? '' : section(part, schema);
  });
  const title = `# Fields of ${definition.kind}\n\n${definition.description}\n`;
  return [GENERATED, title, ...sections].join('\n');
}

/** A place in the tree of fields. */
interface Row {
  readonly path: string;
  readonly schema: StructuralSchema;
  readonly required: boolean;
}

function section(part: string, schema: StructuralSchema): string {
  const rows = [...rowsBelow(part, schema)];
  const table = rows.map(
    ({ path, schema: field, required }) =>
      `| \`${path}\`${required ? ' **required**' : ''} | ${typeOf(field)} | ${limitsOf(field)} | ${cell(field.description ?? '')} |`,
  );
  const header = `## ${part}\n\n| field | type | limits | meaning |\n| --- | --- | --- | --- |\n`;
  return `${header}${table.join('\n')}\n${rules(part, schema, rows)}`;
}

function* rowsBelow(path: string, schema: StructuralSchema): Generator<Row> {
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    const required = schema.required?.includes(name) ?? false;
    const below = `${path}.${name}`;
    yield { path: below, schema: field, required };
    yield* rowsBelow(field.items === undefined ? below : `${below}[]`, field.items ?? field);
  }
}

function typeOf(schema: StructuralSchema): string {
  if (schema.items !== undefined) return `list of ${typeOf(schema.items)}`;
  if (schema.additionalProperties !== undefined) return `map of ${typeOf(schema.additionalProperties)}`;
  const names = schema['enum'] as readonly string[] | undefined;
  return names === undefined ? schema.type : names.map((name) => `\`${name}\``).join(', ');
}

const LIMITS: readonly (readonly [keyword: string, text: (value: string) => string])[] = [
  ['minLength', (value) => `≥ ${value} characters`],
  ['maxLength', (value) => `≤ ${value} characters`],
  ['minimum', (value) => `≥ ${value}`],
  ['maximum', (value) => (value === String(Number.MAX_SAFE_INTEGER) ? '' : `≤ ${value}`)],
  ['minItems', (value) => `≥ ${value} entries`],
  ['maxItems', (value) => `≤ ${value} entries`],
  ['maxProperties', (value) => `≤ ${value} entries`],
];

function limitsOf(schema: StructuralSchema): string {
  const own = LIMITS.flatMap(([keyword, text]) =>
    typeof schema[keyword] === 'number' ? [text(String(schema[keyword]))] : [],
  );
  const inner = schema.items ?? schema.additionalProperties;
  const each = inner?.type === 'string' ? limitsOf(inner) : '';
  return [...own, ...(each === '' ? [] : [`each ${each}`])].filter((text) => text !== '').join(', ');
}

function rules(part: string, schema: StructuralSchema, rows: readonly Row[]): string {
  const places = [{ path: part, schema, required: true }, ...rows, ...rows.flatMap(itemsOf)];
  const byMessage = Map.groupBy(
    places.flatMap(({ path, schema: place }) => messagesOf(place).map((message) => ({ path, message }))),
    ({ message }) => message,
  );
  if (byMessage.size === 0) return '';
  const lines = [...byMessage].map(
    ([message, at]) =>
      `| ${cell(message)} | ${[...new Set(at.map(({ path }) => `\`${path}\``))].join(', ')} |`,
  );
  return `\nChecked by the API server:\n\n| rule | applies to |\n| --- | --- |\n${lines.join('\n')}\n`;
}

function itemsOf({ path, schema }: Row): readonly Row[] {
  const inner = schema.items ?? schema.additionalProperties;
  return inner === undefined ? [] : [{ path: `${path}[]`, schema: inner, required: false }];
}

function messagesOf(schema: StructuralSchema): readonly string[] {
  const validations = (schema['x-kubernetes-validations'] ?? []) as readonly { readonly message: string }[];
  return validations.map(({ message }) => message);
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}

/** docs/spec/fields/reasons.md */
export function reasonReference(): string {
  const kinds = Object.entries(CONDITIONS).map(
    ([kind, types]) => `| ${kind} | ${types.map((type) => `\`${type}\``).join(', ')} |`,
  );
  return [
    GENERATED,
    '# Conditions and reasons\n',
    '| kind | conditions |\n| --- | --- |',
    `${kinds.join('\n')}\n`,
    reasonTable('Any kind', 'Ready, Reconciling and Stalled.', RECONCILE_REASONS),
    reasonTable(
      'The registry',
      'Ready, Resolved and Available, when a registry did not answer as wished.',
      REGISTRY_REASONS,
    ),
    reasonTable('Access', 'CredentialsReady, and Ready where nothing works without.', ACCESS_REASONS),
    reasonTable('ImageSource', 'Ready and WebhookReady; those of events say so.', IMAGE_SOURCE_REASONS),
    reasonTable(
      'PrepulledImage',
      'Ready, Prepulled and Resolved; those of events say so.',
      PREPULLED_IMAGE_REASONS,
    ),
    reasonTable('Nodes of a PrepulledImage', 'Entries of status.notPresent.', NODE_REASONS),
    reasonTable(
      'DockerImageRecord',
      'Accepted, Resolved, Available, InUse, DeletionBlocked and Schedulable.',
      RECORD_REASONS,
    ),
  ].join('\n');
}

function reasonTable(title: string, where: string, reasons: readonly ReasonDoc[]): string {
  const rows = reasons.map(({ reason, doc }) => `| \`${reason}\` | ${cell(doc)} |`);
  return `## ${title}\n\n${where}\n\n| reason | meaning |\n| --- | --- |\n${rows.join('\n')}\n`;
}
