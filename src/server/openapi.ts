/** The OpenAPI document, made from the operations of all groups; no schema is written twice. */

import * as z from 'zod';
import { compareNames } from '../domain/sorted-names.ts';
import type { Answer, Operation } from './operation.ts';
import { PROBLEM_MEDIA_TYPE, PROBLEM_STATUS } from './problem.ts';

/** Answers that any route may give. */
const PROBLEMS = [
  'BadRequest',
  'Unauthorized',
  'Forbidden',
  'NotFound',
  'TooManyRequests',
  'Internal',
  'Unavailable',
] as const;

const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string(),
    instance: z.string().optional(),
    errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
  })
  .meta({ id: 'Problem' });

type Json = Readonly<Record<string, unknown>>;

/** What the document says of the whole API. */
export interface DocumentOptions {
  readonly version: string;
  readonly anonymousRead: boolean;
}

export function openApiDocument(operations: readonly Operation[], options: DocumentOptions): Json {
  const components = new Map<string, Json>();
  const paths: Record<string, Record<string, Json>> = {};
  for (const operation of operations) {
    paths[operation.path] ??= {};
    Object.assign(paths[operation.path] ?? {}, {
      [operation.method]: describe(operation, components, options),
    });
  }
  const problem = schemaOf(problemSchema, components);
  return {
    openapi: '3.1.0',
    info: {
      title: 'Larder',
      version: options.version,
      description:
        'Which container images matter, under which digest and aliases, and where they are present.',
    },
    paths,
    components: {
      schemas: Object.fromEntries([...components].toSorted(([left], [right]) => compareNames(left, right))),
      responses: Object.fromEntries(PROBLEMS.map((code) => [code, problemAnswer(code, problem)])),
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } },
    },
  };
}

function problemAnswer(code: (typeof PROBLEMS)[number], schema: Json): Json {
  return { description: code, content: { [PROBLEM_MEDIA_TYPE]: { schema } } };
}

function describe(operation: Operation, components: Map<string, Json>, options: DocumentOptions): Json {
  const { operationId, summary, tag, params, query, body, answers, method } = operation;
  const isOpen = options.anonymousRead && method === 'get' && operation.alwaysAuthenticated !== true;
  return {
    operationId,
    summary,
    tags: [tag],
    parameters: [...parametersOf(params, 'path', components), ...parametersOf(query, 'query', components)],
    ...(body !== undefined && {
      requestBody: {
        required: operation.bodyIsOptional !== true,
        content: { 'application/json': { schema: schemaOf(body, components, 'input') } },
      },
    }),
    responses: {
      ...Object.fromEntries(
        Object.entries(answers).map(([status, answer]) => [status, describeAnswer(answer, components)]),
      ),
      ...problemsBeside(answers),
    },
    security: isOpen ? [{}, { bearer: [] }] : [{ bearer: [] }],
  };
}

function describeAnswer(
  { description, schema, mediaType = 'application/json' }: Answer,
  components: Map<string, Json>,
): Json {
  if (schema === undefined) return { description };
  return { description, content: { [mediaType]: { schema: schemaOf(schema, components) } } };
}

/** Operations with an error format of their own list these statuses themselves. */
function problemsBeside(answers: Operation['answers']): Json {
  const open = PROBLEMS.filter((code) => answers[PROBLEM_STATUS[code]] === undefined);
  return Object.fromEntries(
    open.map((code) => [String(PROBLEM_STATUS[code]), { $ref: `#/components/responses/${code}` }]),
  );
}

function parametersOf(
  schema: z.ZodObject | undefined,
  place: 'path' | 'query',
  components: Map<string, Json>,
): readonly Json[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = schemaOf(schema, components, 'input') as {
    readonly properties?: Readonly<Record<string, Json>>;
    readonly required?: readonly string[];
  };
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name,
    in: place,
    required: required.includes(name),
    ...(description !== undefined && { description }),
    schema: rest,
  }));
}

/** Schemas with an id become components. */
function schemaOf(schema: z.ZodType, components: Map<string, Json>, io: 'input' | 'output' = 'output'): Json {
  const { $defs = {}, ...json } = z.toJSONSchema(schema, {
    io,
    target: 'draft-2020-12',
    override: ({ jsonSchema }) => {
      dropSafeBounds(jsonSchema);
    },
  }) as { readonly $defs?: Readonly<Record<string, Json>>; $schema?: string };
  delete json.$schema;
  for (const [id, definition] of Object.entries($defs)) components.set(id, referToComponents(definition));
  const { id, ...plain } = referToComponents(json) as Json & { readonly id?: string };
  if (typeof id !== 'string') return plain;
  components.set(id, plain);
  return { $ref: `#/components/schemas/${id}` };
}

/** zod adds ±(2⁵³ − 1) to every integer. */
function dropSafeBounds(json: { maximum?: number; minimum?: number }): void {
  if (json.maximum === Number.MAX_SAFE_INTEGER) delete json.maximum;
  if (json.minimum === Number.MIN_SAFE_INTEGER) delete json.minimum;
}

function referToComponents(json: Json): Json {
  const text = JSON.stringify(json).replaceAll('"#/$defs/', '"#/components/schemas/');
  return JSON.parse(text) as Json;
}
