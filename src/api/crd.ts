/** The CustomResourceDefinition of each kind, made from its definition. */
import * as z from 'zod';
import type { KindDefinition } from './crd-definition.ts';
import { dockerImageRecordDefinition } from './docker-image-record.ts';
import { API_VERSION, CATEGORY, GROUP, PLURALS, VERSION } from './group-version.ts';
import { imageSourceDefinition } from './image-source.ts';
import { prepulledImageDefinition } from './prepulled-image.ts';
import { type StructuralSchema, toStructural } from './structural.ts';

/** All kinds of Larder, in the order people meet them. */
export const DEFINITIONS: readonly KindDefinition[] = [
  imageSourceDefinition,
  prepulledImageDefinition,
  dockerImageRecordDefinition,
];

/** A CustomResourceDefinition, as far as we write one. */
export interface CustomResourceDefinition {
  readonly apiVersion: 'apiextensions.k8s.io/v1';
  readonly kind: 'CustomResourceDefinition';
  readonly metadata: { readonly name: string };
  readonly spec: Readonly<Record<string, unknown>>;
}

/** The definition to apply for one kind; throws if its schema cannot be a CRD. */
export function buildCustomResourceDefinition(definition: KindDefinition): CustomResourceDefinition {
  const plural = PLURALS[definition.kind];
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${GROUP}` },
    spec: {
      group: GROUP,
      scope: 'Namespaced',
      names: {
        kind: definition.kind,
        listKind: `${definition.kind}List`,
        plural,
        singular: definition.singular,
        shortNames: [definition.shortName],
        categories: [CATEGORY],
      },
      versions: [buildVersion(definition)],
    },
  };
}

function buildVersion(definition: KindDefinition): Readonly<Record<string, unknown>> {
  return {
    name: VERSION,
    served: true,
    storage: true,
    subresources: { status: {} },
    additionalPrinterColumns: definition.printerColumns,
    ...(definition.selectableFields.length > 0 && {
      selectableFields: definition.selectableFields.map((jsonPath) => ({ jsonPath })),
    }),
    schema: { openAPIV3Schema: rootSchema(definition) },
  };
}

/** The whole object's schema; apiVersion, kind and metadata are the API server's own business. */
export function rootSchema({ description, schema }: KindDefinition): StructuralSchema {
  const root = toStructural(withoutMetadata(schema));
  const { properties = {}, ...rest } = root;
  return {
    description,
    ...rest,
    required: ['spec'],
    properties: {
      apiVersion: { description: `Always ${API_VERSION}.`, type: 'string' },
      kind: { description: 'Kind of the object.', type: 'string' },
      metadata: { type: 'object' },
      ...properties,
    },
  };
}

/** Only spec and status: a CRD may say nothing about metadata but its name. */
function withoutMetadata(schema: z.ZodType): z.ZodType {
  const object = schema as z.ZodObject;
  const rules = object.meta()?.['x-kubernetes-validations'];
  const { spec, status } = object.shape as Record<string, z.ZodType>;
  if (spec === undefined || status === undefined) throw new Error('a kind needs spec and status');
  return z.object({ spec, status }).meta(rules === undefined ? {} : { 'x-kubernetes-validations': rules });
}
