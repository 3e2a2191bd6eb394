/** What the OpenAPI document says of the facade; the schemas are those that requests are read with, where zod reads them. */

import * as z from 'zod';
import type { Answer, Operation } from '../operation.ts';
import type { ServedTable } from './catalogue-tables.ts';
import { filterSchema } from './filter-schema.ts';
import { hardwareViewSchema, imageViewSchema } from './image-view.ts';

const detailSchema = z.looseObject({ detail: z.string() });
const fieldErrorsSchema = z.record(z.string(), z.union([z.array(z.string()), z.string()]));

const REFUSALS: Readonly<Record<number, Answer>> = {
  400: { description: 'What is wrong, by field, or under detail.', schema: fieldErrorsSchema },
  401: { description: 'No token, or one that the API server does not know.', schema: detailSchema },
  404: { description: 'There is no such object.', schema: detailSchema },
  413: { description: 'The body is too long.', schema: detailSchema },
  415: { description: 'The body is not JSON.', schema: detailSchema },
  429: { description: 'Too many requests of one client.', schema: detailSchema },
  503: { description: 'Not now; Retry-After says when.', schema: detailSchema },
};
const WRITE_REFUSALS: Readonly<Record<number, Answer>> = {
  ...REFUSALS,
  403: { description: 'The right to change DockerImageRecords is missing.', schema: detailSchema },
  409: { description: 'Somebody else is changing it, or it is in use.', schema: detailSchema },
};

const number = z.string().regex(/^[0-9]{1,9}$/);
const pkParams = z.object({ pk: number.describe('Number of the object.').meta({ examples: ['12'] }) });

/** The reader of bodies is `image-input.ts`, for its words; this says the same to programs. */
function words(max: number): z.ZodType {
  return z.union([z.string().min(1).max(max), z.number()]);
}

const inputFields = {
  name: words(64),
  version: words(32),
  url: z.string().min(1).max(200).describe('Image reference with a tag, a digest or both, without scheme.'),
  registry_url: words(200).describe('What clients log in to.'),
  registry_username: z.union([z.string().min(1).max(64), z.number(), z.null()]).optional(),
  registry_password: z.union([z.string().min(1).max(64), z.number(), z.null()]).optional(),
  cuda_version: z
    .union([z.string(), z.number()])
    .describe('Version from the catalogue; 0.0 for images without CUDA.'),
  framework: z.union([z.int(), z.string()]).describe('Number from the catalogue.'),
  domain: z.string().describe('Two-letter code from the catalogue.'),
  tasks: z.array(z.string()).describe('Names of job contracts.'),
  min_hardware_generation: z.string().nullable().optional().describe('Required unless cpu is true.'),
  cpu: z
    .union([z.boolean(), z.string(), z.number()])
    .optional()
    .describe('The image uses no GPU at all; default false.'),
  licence: z.string().describe('Name from the catalogue.'),
};

const example = {
  name: 'yolo',
  version: 'v5_2022-11-05_cuda11.1',
  url: 'registry.example.org/pytorch-yolov5:2022-11-05_cuda11.1',
  registry_url: 'registry.example.org',
  registry_username: 'robot',
  registry_password: 'change-me',
  cuda_version: '11.1',
  framework: 11,
  domain: 'od',
  tasks: ['Train', 'Predict'],
  min_hardware_generation: 'Pascal',
  cpu: false,
  licence: 'GPL3',
};

const createSchema = z.looseObject(inputFields).meta({ id: 'DockerImageInput', examples: [example] });
const patchSchema = z
  .looseObject(inputFields)
  .partial()
  .meta({ id: 'DockerImagePatch', examples: [{ tasks: ['Train'], registry_password: null }, {}] });
const imageSchema = imageViewSchema.meta({ id: 'DockerImage' });
/** Nothing, null and an empty list filter nothing. */
const listBody = z.union([filterSchema.meta({ id: 'Filter' }), z.null(), z.array(z.unknown()).max(0)]);

const TAG = 'docker';

/** Those of /v1/docker. */
export const IMAGE_OPERATIONS: readonly Operation[] = [
  {
    method: 'post',
    path: '/v1/docker/list',
    operationId: 'listDockerImages',
    summary: 'The images that a filter selects.',
    tag: TAG,
    body: listBody,
    bodyIsOptional: true,
    answers: { 200: { description: 'The images.', schema: z.array(imageSchema) }, ...REFUSALS },
    alwaysAuthenticated: true,
  },
  {
    method: 'post',
    path: '/v1/docker/create',
    operationId: 'createDockerImage',
    summary: 'A new image; a login goes into a Secret.',
    tag: TAG,
    body: createSchema,
    answers: { 201: { description: 'The new image.', schema: imageSchema }, ...WRITE_REFUSALS },
    alwaysAuthenticated: true,
  },
  {
    method: 'get',
    path: '/v1/docker/{pk}',
    operationId: 'getDockerImage',
    summary: 'One image.',
    tag: TAG,
    params: pkParams,
    answers: { 200: { description: 'The image.', schema: imageSchema }, ...REFUSALS },
    alwaysAuthenticated: true,
  },
  {
    method: 'put',
    path: '/v1/docker/{pk}',
    operationId: 'replaceDockerImage',
    summary: 'Other values for an image; username, password and cpu stay if they are left out.',
    tag: TAG,
    params: pkParams,
    body: createSchema,
    answers: { 200: { description: 'The image as it is now.', schema: imageSchema }, ...WRITE_REFUSALS },
    alwaysAuthenticated: true,
  },
  {
    method: 'patch',
    path: '/v1/docker/{pk}',
    operationId: 'changeDockerImage',
    summary: 'Some other values for an image; null clears username and password.',
    tag: TAG,
    params: pkParams,
    body: patchSchema,
    // Nothing sent changes nothing, as with {}.
    bodyIsOptional: true,
    answers: { 200: { description: 'The image as it is now.', schema: imageSchema }, ...WRITE_REFUSALS },
    alwaysAuthenticated: true,
  },
  {
    method: 'delete',
    path: '/v1/docker/{pk}',
    operationId: 'deleteDockerImage',
    summary: 'Deletes an image that nothing refers to; with Prefer: handling=strict, 409 otherwise.',
    tag: TAG,
    params: pkParams,
    answers: {
      204: { description: 'Deleted, or, with a Warning header, in use and still there.' },
      ...WRITE_REFUSALS,
    },
    alwaysAuthenticated: true,
  },
];

/** Those of one table of the catalogue. */
export function catalogueOperations({ path, model, schema }: ServedTable): readonly Operation[] {
  const row = schema.meta({ id: model });
  const lookup: Operation = {
    method: 'get',
    path: '/v1/hardware/get-hardware-generation/{compute}',
    operationId: 'getHardwareGeneration',
    summary: 'The generation of GPUs that a compute capability belongs to.',
    tag: TAG,
    params: z.object({
      compute: z
        .string()
        .min(1)
        .describe('Such as 6.1.')
        .meta({ examples: ['6.1'] }),
    }),
    answers: { 200: { description: 'The generation.', schema: hardwareViewSchema }, ...REFUSALS },
    alwaysAuthenticated: true,
  };
  return [
    {
      method: 'post',
      path: `/v1/${path}/list`,
      operationId: `list${model}`,
      summary: `Rows of ${model} in the catalogue that a filter selects.`,
      tag: TAG,
      body: listBody,
      bodyIsOptional: true,
      answers: { 200: { description: 'The rows.', schema: z.array(row) }, ...REFUSALS },
      alwaysAuthenticated: true,
    },
    {
      method: 'get',
      path: `/v1/${path}/{pk}`,
      operationId: `get${model}`,
      summary: `One row of ${model} in the catalogue.`,
      tag: TAG,
      params: pkParams,
      answers: { 200: { description: 'The row.', schema: row }, ...REFUSALS },
      alwaysAuthenticated: true,
    },
    ...(path === 'hardware' ? [lookup] : []),
  ];
}
