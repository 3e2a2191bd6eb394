/** What a CustomResourceDefinition needs beside the schema of its objects. */
import type * as z from 'zod';
import type { Kind } from './group-version.ts';

/** A column of `kubectl get`. */
export interface PrinterColumn {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'boolean' | 'date';
  readonly jsonPath: string;
  readonly description: string;
  /** 1 shows the column only with `-o wide`. */
  readonly priority?: 1;
}

/** One kind: its names, its schema value and how kubectl shows it. */
export interface KindDefinition {
  readonly kind: Kind;
  readonly singular: string;
  readonly shortName: string;
  readonly description: string;
  readonly schema: z.ZodType;
  readonly printerColumns: readonly PrinterColumn[];
  /** At most 8; strings, booleans and integers only. */
  readonly selectableFields: readonly string[];
}

/** The last default column of every kind. */
export const AGE_COLUMN: PrinterColumn = {
  name: 'Age',
  type: 'date',
  jsonPath: '.metadata.creationTimestamp',
  description: 'Time since the object was created.',
};

/** A field of the condition `type`, as a printer column reads it. */
export function conditionPath(type: string, field: 'status' | 'reason' | 'message'): string {
  return `.status.conditions[?(@.type=="${type}")].${field}`;
}
