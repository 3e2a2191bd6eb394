/** DockerImageRecord: a catalogue entry, what a job launcher may run, on which hardware, under which licence. */
import * as z from 'zod';
import { commonSpecFields } from './common-fields.ts';
import { AGE_COLUMN, conditionPath, type KindDefinition } from './crd-definition.ts';
import { list, map, matching, objectName, type Rule, set, text, withRules } from './fields.ts';
import { API_VERSION } from './group-version.ts';
import type { Immutable, Parsed } from './immutable.ts';
import { metadataSchema } from './metadata.ts';
import { prepullTemplateSchema } from './prepull.ts';
import { recordStatusSchema } from './record-status.ts';
import { imageReference } from './reference-fields.ts';

const CONTENT_KINDS = ['Runnable', 'Source'] as const;
const DELETION_POLICIES = ['Protect', 'Orphan'] as const;

/** Anything but white space; spelt out, because \S means ASCII to RE2 and Unicode to JavaScript. */
const NOT_BLANK = '[^\\t\\n\\v\\f\\r\\p{Z}]';

function named(max: number): z.ZodString {
  return matching(NOT_BLANK, 'must not be blank', max);
}

const platformFilterSchema = z.object({
  os: text(32, 1).default('linux').describe('Operating system.'),
  architecture: text(32, 1).describe('Architecture, in the words of kubernetes.io/arch.'),
  variant: text(32, 1).optional().describe('Variant, such as v7.'),
});

const signingSchema = z.object({
  keys: list(
    withRules(text(64, 1), [
      {
        rule: 'self == self.lowerAscii()',
        message: 'signing keys are lower case',
        check: (key) => !/[A-Z]/.test(key),
      },
    ]),
    8,
    1,
  ).describe('Keys whose signatures should exist, lower case. They are looked for, not verified.'),
});

const specFields = z.object({
  name: named(64).describe('Name of the image in the catalogue; metadata.name is only a handle.'),
  version: named(32).describe('Version of it; name and version together are unique in the namespace.'),
  image: imageReference().describe('Reference with a tag, a digest or both; no scheme.'),
  registry: z
    .object({
      url: text(200, 1).optional().describe('What clients log in to. Without: the registry of image.'),
    })
    .optional()
    .describe('How clients outside of the cluster reach the registry.'),
  ...commonSpecFields,
  cuda: z
    .object({
      version: matching(
        '^(0|[1-9][0-9]{0,7})\\.[0-9]{1,8}$',
        'must be a CUDA version such as "11.1", in quotes',
        17,
      ).describe('CUDA version of the image, compared as numbers: 9.2 is below 10.1.'),
    })
    .optional()
    .describe('CUDA that the image was built with. Without: none (0.0).'),
  framework: z
    .object({
      name: named(32).describe('Name of the framework.'),
      version: named(32).describe('Its version.'),
    })
    .optional()
    .describe('Framework that the image brings, from the catalogue.'),
  domain: matching('^[a-z]{2}$', 'must be the two-letter code of a domain, such as od', 2)
    .optional()
    .describe('Two-letter code of the domain, from the catalogue.'),
  tasks: set(text(64, 1), 16)
    .optional()
    .describe('Job contracts that the image can be used with, such as Train.'),
  minHardwareGeneration: named(32)
    .optional()
    .describe('Oldest GPU generation that runs it, from the catalogue.'),
  cpu: z.boolean().default(false).describe('The image uses no GPU at all.'),
  licence: named(100).optional().describe('Name of the licence, from the catalogue.'),
  contentKind: z
    .enum(CONTENT_KINDS)
    .default('Runnable')
    .describe('Source: the image holds source code, is listed, and never prepulled. Immutable.'),
  platforms: list(platformFilterSchema, 16, 1)
    .optional()
    .describe('Only these platforms of the image count. Without: all.'),
  signing: signingSchema.optional().describe('Signatures that should exist.'),
  deletionPolicy: z
    .enum(DELETION_POLICIES)
    .default('Protect')
    .describe('Protect: the record stays as long as something refers to it.'),
  matchByImage: z
    .boolean()
    .default(false)
    .describe('Pods whose image equals the tag or digest of the record count as references.'),
  sourceFor: objectName()
    .optional()
    .describe('Source images: metadata.name of the record whose source code this is.'),
  provenance: map(text(256), 16, 64)
    .optional()
    .describe('Free text about where it comes from, such as dest, origin, product, build, sourceTags.'),
  prepull: prepullTemplateSchema
    .optional()
    .describe('Template of a PrepulledImage on the nodes whose hardware fits. Without: none is made.'),
});

type SpecFields = z.output<typeof specFields>;

/** A source image runs nowhere, so the catalogue need not say how. */
function catalogued(field: 'framework' | 'domain' | 'licence'): Rule<SpecFields> {
  return {
    rule: `self.contentKind == 'Source' || has(self.${field})`,
    message: `${field} is required unless contentKind is Source`,
    check: (spec) => spec.contentKind === 'Source' || spec[field] !== undefined,
  };
}

const specRules: readonly Rule<SpecFields>[] = [
  {
    rule: "self.cpu || self.contentKind == 'Source' || has(self.minHardwareGeneration)",
    message: 'minHardwareGeneration is required unless cpu is true',
    check: (spec) => spec.cpu || spec.contentKind === 'Source' || spec.minHardwareGeneration !== undefined,
  },
  {
    rule: "self.cpu || self.contentKind == 'Source' || (has(self.cuda) && !self.cuda.version.matches('^0\\\\.0+$'))",
    message: 'a GPU image needs a CUDA version',
    check: (spec) =>
      spec.cpu ||
      spec.contentKind === 'Source' ||
      (spec.cuda !== undefined && !/^0\.0+$/.test(spec.cuda.version)),
  },
  catalogued('framework'),
  catalogued('domain'),
  catalogued('licence'),
  { rule: 'self.contentKind == oldSelf.contentKind', message: 'contentKind is immutable' },
  {
    rule: "self.contentKind == 'Source' || !has(self.sourceFor)",
    message: 'sourceFor only applies to contentKind Source',
    check: (spec) => spec.contentKind === 'Source' || spec.sourceFor === undefined,
  },
  {
    rule: "self.contentKind == 'Runnable' || !has(self.prepull)",
    message: 'a source image runs nowhere: remove prepull',
    check: (spec) => spec.contentKind === 'Runnable' || spec.prepull === undefined,
  },
];

export const dockerImageRecordSpecSchema = withRules(specFields, specRules);

export const dockerImageRecordSchema = withRules(
  z.object({
    apiVersion: z.literal(API_VERSION),
    kind: z.literal('DockerImageRecord'),
    metadata: metadataSchema,
    spec: dockerImageRecordSpecSchema.describe('What a person states about the image.'),
    status: recordStatusSchema.optional().describe('What was learned about it; written by Larder only.'),
  }),
  [
    {
      rule: '!has(oldSelf.status) || !has(oldSelf.status.pk) || (has(self.status) && has(self.status.pk) && self.status.pk == oldSelf.status.pk)',
      message: 'status.pk is immutable',
    },
  ],
);

/** A DockerImageRecord with all defaults filled in, as the API server returns it. */
export interface DockerImageRecord extends Immutable<Omit<z.output<typeof dockerImageRecordSchema>, 'spec'>> {
  readonly spec: DockerImageRecordSpec;
}
/** Defaults filled in, as the API server returns it. */
export type DockerImageRecordSpec = Parsed<z.output<typeof dockerImageRecordSpecSchema>>;
/** Absent as a whole until the first pass. */
export type DockerImageRecordStatus = Immutable<z.output<typeof recordStatusSchema>>;
/** A DockerImageRecord as a person writes it, defaults left out. */
export type DockerImageRecordManifest = Immutable<z.input<typeof dockerImageRecordSchema>>;

export const dockerImageRecordDefinition: KindDefinition = {
  kind: 'DockerImageRecord',
  singular: 'dockerimagerecord',
  shortName: 'dir',
  description:
    'DockerImageRecord is a catalogue entry: what may run, on which hardware, under which licence.',
  schema: dockerImageRecordSchema,
  printerColumns: [
    { name: 'Name', type: 'string', jsonPath: '.spec.name', description: 'Name in the catalogue.' },
    { name: 'Version', type: 'string', jsonPath: '.spec.version', description: 'Version in the catalogue.' },
    { name: 'Domain', type: 'string', jsonPath: '.spec.domain', description: 'Domain.' },
    { name: 'CUDA', type: 'string', jsonPath: '.spec.cuda.version', description: 'CUDA version.' },
    {
      name: 'MinHW',
      type: 'string',
      jsonPath: '.spec.minHardwareGeneration',
      description: 'Oldest GPU generation.',
    },
    { name: 'CPU', type: 'boolean', jsonPath: '.spec.cpu', description: 'Whether it uses no GPU at all.' },
    {
      name: 'InUse',
      type: 'string',
      jsonPath: conditionPath('InUse', 'status'),
      description: 'Whether something refers to it.',
    },
    {
      name: 'Available',
      type: 'string',
      jsonPath: conditionPath('Available', 'status'),
      description: 'Whether the registry has it.',
    },
    AGE_COLUMN,
    { name: 'PK', type: 'integer', jsonPath: '.status.pk', description: 'Primary key.', priority: 1 },
    {
      name: 'Framework',
      type: 'string',
      jsonPath: '.spec.framework.name',
      description: 'Framework.',
      priority: 1,
    },
    { name: 'Licence', type: 'string', jsonPath: '.spec.licence', description: 'Licence.', priority: 1 },
    {
      name: 'Eligible',
      type: 'integer',
      jsonPath: '.status.nodes.eligible',
      description: 'Nodes whose hardware fits.',
      priority: 1,
    },
    {
      name: 'Status',
      type: 'string',
      jsonPath: conditionPath('Ready', 'message'),
      description: 'Why it is ready or not.',
      priority: 1,
    },
  ],
  selectableFields: [
    '.spec.name',
    '.spec.version',
    '.spec.domain',
    '.spec.cpu',
    '.spec.cuda.version',
    '.spec.framework.name',
    '.spec.framework.version',
    '.spec.licence',
  ],
};
