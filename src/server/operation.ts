/** One operation of the API: its schemas are what requests are read with, what tests hold answers to, and the OpenAPI document. */

import type * as z from 'zod';
import { ProblemError, type ProblemField } from './problem.ts';
import type { ServerContext } from './route-group.ts';

/** One way in which an operation answers. */
export interface Answer {
  readonly description: string;
  readonly schema?: z.ZodType;
  /** Default: application/json. */
  readonly mediaType?: string;
}

/** A route as the OpenAPI document describes it; its schemas also check requests. */
export interface Operation {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** Whole path in OpenAPI's form: `/v1/sources/{namespace}/{name}`. */
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  readonly tag: string;
  /** One property a path parameter. */
  readonly params?: z.ZodObject;
  /** One property a query parameter; values are text. */
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /** Default false. */
  readonly bodyIsOptional?: boolean;
  /** By HTTP status, besides the problems that any route may answer. */
  readonly answers: Readonly<Record<number, Answer>>;
  /** Whether a caller without token is refused whatever the flags say; default false. */
  readonly alwaysAuthenticated?: boolean;
}

/** Path parameters by their schema. @throws ProblemError BadRequest naming each that is refused */
export function readParams<T extends z.ZodType>(context: ServerContext, schema: T): z.output<T> {
  return parse(schema, context.req.param(), 'path');
}

/** Query parameters by their schema; one that is given twice, or unknown, is refused. */
export function readQuery<T extends z.ZodType>(context: ServerContext, schema: T): z.output<T> {
  const values = Object.entries(context.req.queries());
  const repeated = values.filter(([, given]) => given.length > 1);
  if (repeated.length > 0) {
    const errors = repeated.map(([field]) => ({
      field: `query.${field}`,
      message: 'is given more than once',
    }));
    throw new ProblemError('BadRequest', 'a query parameter is given more than once', { errors });
  }
  return parse(schema, Object.fromEntries(values.map(([field, [value]]) => [field, value])), 'query');
}

const MAX_ERRORS = 16;

function parse<T extends z.ZodType>(schema: T, value: unknown, place: 'path' | 'query'): z.output<T> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const errors: readonly ProblemField[] = result.error.issues.slice(0, MAX_ERRORS).map((issue) => ({
    field: [place, ...issue.path.map(String)].join('.'),
    message: issue.message,
  }));
  const [first] = errors;
  throw new ProblemError('BadRequest', `${first?.field ?? place}: ${first?.message ?? 'is not valid'}`, {
    errors,
  });
}
