/** Which nodes want an image, in the words of core/v1. */
import * as z from 'zod';
import type { SelectorOperator, TaintEffect } from '../domain/node.ts';
import { integer, list, map, matching, type Rule, text, withRules } from './fields.ts';
import type { Parsed } from './immutable.ts';

/** A label or taint key, with an optional DNS prefix. */
const LABEL_KEY = '^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$';
const LABEL_VALUE = '^([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$';

function labelKey(): z.ZodString {
  return matching(LABEL_KEY, 'must be a label key such as node.kubernetes.io/pool', 317);
}

const OPERATORS = [
  'In',
  'NotIn',
  'Exists',
  'DoesNotExist',
  'Gt',
  'Lt',
] as const satisfies readonly SelectorOperator[];
const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'] as const satisfies readonly TaintEffect[];

interface Requirement {
  readonly operator: (typeof OPERATORS)[number];
  readonly values?: readonly string[] | undefined;
}

const INTEGER = '^-?[0-9]{1,18}$';

const requirementRules: readonly Rule<Requirement>[] = [
  {
    rule: "!(self.operator in ['In', 'NotIn']) || (has(self.values) && size(self.values) > 0)",
    message: 'operators In and NotIn need at least one value',
    check: ({ operator, values }) =>
      !(operator === 'In' || operator === 'NotIn') || (values !== undefined && values.length > 0),
  },
  {
    rule: "!(self.operator in ['Exists', 'DoesNotExist']) || !has(self.values) || size(self.values) == 0",
    message: 'operators Exists and DoesNotExist take no values',
    check: ({ operator, values }) =>
      !(operator === 'Exists' || operator === 'DoesNotExist') || values === undefined || values.length === 0,
  },
  {
    rule: `!(self.operator in ['Gt', 'Lt']) || (has(self.values) && size(self.values) == 1 && self.values[0].matches('${INTEGER}'))`,
    message: 'operators Gt and Lt need exactly one value, a whole number in quotes',
    check: ({ operator, values }) =>
      !(operator === 'Gt' || operator === 'Lt') ||
      (values?.length === 1 && new RegExp(INTEGER, 'u').test(values[0] ?? '')),
  },
];

function requirement(key: z.ZodString): z.ZodObject<{
  key: z.ZodString;
  operator: z.ZodEnum<{ [Operator in (typeof OPERATORS)[number]]: Operator }>;
  values: z.ZodOptional<z.ZodArray<z.ZodString>>;
}> {
  return withRules(
    z.object({
      key: key.describe('Label that is looked at.'),
      operator: z.enum(OPERATORS).describe('How it is compared.'),
      values: list(text(253), 16).optional().describe('What it is compared with.'),
    }),
    requirementRules,
  );
}

/** A core/v1 NodeSelectorTerm: all of its requirements must hold. */
export const nodeSelectorTermSchema = withRules(
  z.object({
    matchExpressions: list(requirement(labelKey()), 16).optional().describe('Requirements on labels.'),
    matchFields: list(requirement(matching('^metadata\\.name$', 'the only field is metadata.name', 64)), 2)
      .optional()
      .describe('Requirements on metadata.name.'),
  }),
  [
    {
      rule: '(has(self.matchExpressions) && size(self.matchExpressions) > 0) || (has(self.matchFields) && size(self.matchFields) > 0)',
      message: 'a term without requirements matches no node: add matchExpressions, or remove the term',
      check: ({ matchExpressions, matchFields }) =>
        (matchExpressions?.length ?? 0) > 0 || (matchFields?.length ?? 0) > 0,
    },
  ],
);

const tolerationFields = z.object({
  key: labelKey().optional().describe('Taint key; without it, with operator Exists, every taint.'),
  operator: z.enum(['Exists', 'Equal']).optional().describe('Without: Equal.'),
  value: matching(LABEL_VALUE, 'must be a label value', 63).optional().describe('Taint value, for Equal.'),
  effect: z.enum(EFFECTS).optional().describe('Taint effect; without it, every effect.'),
  tolerationSeconds: integer(-(2 ** 31), 2 ** 31 - 1)
    .optional()
    .describe('Such a toleration never counts for NoExecute: the image must stay.'),
});

/** A core/v1 Toleration. */
export const tolerationSchema = withRules(tolerationFields, [
  {
    rule: "has(self.key) || (has(self.operator) && self.operator == 'Exists')",
    message: 'a toleration without key needs operator Exists',
    check: ({ key, operator }) => key !== undefined || operator === 'Exists',
  },
  {
    rule: "!has(self.operator) || self.operator != 'Exists' || !has(self.value) || self.value == ''",
    message: 'a toleration with operator Exists has no value',
    check: ({ operator, value }) => operator !== 'Exists' || value === undefined || value === '',
  },
]);

/** The nodes that want an image; without any of it, every node without taints. */
export const nodesSchema = z.object({
  nodeSelector: map(matching(LABEL_VALUE, 'must be a label value', 63), 16, 317)
    .optional()
    .describe('Labels that a node must have.'),
  nodeSelectorTerms: list(nodeSelectorTermSchema, 32)
    .optional()
    .describe('Terms as in node affinity (Gt and Lt included); one of them must hold.'),
  tolerations: list(tolerationSchema, 16)
    .optional()
    .describe('Taints that do not keep the image away. larder.dev/not-stocked is always tolerated.'),
});

/** One of spec.nodes.nodeSelectorTerms. */
export type NodeSelectorTerm = Parsed<z.output<typeof nodeSelectorTermSchema>>;
/** One of spec.nodes.tolerations. */
export type Toleration = Parsed<z.output<typeof tolerationSchema>>;
