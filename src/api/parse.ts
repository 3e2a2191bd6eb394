/** Reading an object that no API server has seen yet: the checks and defaults of kubectl and server, for people. */
import type * as z from 'zod';
import type { Result } from '../domain/result.ts';
import { isJsonObject } from '../json.ts';
import { type DockerImageRecord, dockerImageRecordSchema } from './docker-image-record.ts';
import { type ImageSource, imageSourceSchema } from './image-source.ts';
import { type PrepulledImage, prepulledImageSchema } from './prepulled-image.ts';

/** The object with all defaults, or one line a problem: `spec.image: image is registry/repository without a tag; …`. */
export function parseImageSource(object: unknown): Result<ImageSource, readonly string[]> {
  return parse<ImageSource>(imageSourceSchema, object);
}

/** As parseImageSource. */
export function parsePrepulledImage(object: unknown): Result<PrepulledImage, readonly string[]> {
  return parse<PrepulledImage>(prepulledImageSchema, object);
}

/** As parseImageSource. */
export function parseDockerImageRecord(object: unknown): Result<DockerImageRecord, readonly string[]> {
  return parse<DockerImageRecord>(dockerImageRecordSchema, object);
}

function parse<T>(schema: z.ZodType, object: unknown): Result<T, readonly string[]> {
  const given = withoutNulls(object);
  const parsed = schema.safeParse(given);
  if (!parsed.success) return { ok: false, error: parsed.error.issues.map(describe) };
  const unknown = unknownFields('spec', memberOf(given, 'spec'), memberOf(parsed.data, 'spec'));
  if (unknown.length === 0) return { ok: true, value: parsed.data as T };
  return { ok: false, error: unknown.map((field) => `${field}: there is no such field`) };
}

/** Paths of what reading has dropped: kubectl refuses it, so what is left would be another object than is meant. */
function unknownFields(path: string, given: unknown, read: unknown): readonly string[] {
  if (Array.isArray(given))
    return given.flatMap((item, index) =>
      unknownFields(`${path}[${index}]`, item, Array.isArray(read) ? read[index] : undefined),
    );
  if (!isJsonObject(given)) return [];
  return Object.entries(given).flatMap(([name, value]) =>
    isJsonObject(read) && Object.hasOwn(read, name)
      ? unknownFields(`${path}.${name}`, value, read[name])
      : [`${path}.${name}`],
  );
}

function memberOf(object: unknown, name: string): unknown {
  return isJsonObject(object) ? object[name] : undefined;
}

function describe({ path, message }: z.core.$ZodIssue): string {
  const where = path.reduce<string>(
    (text, part) =>
      typeof part === 'number' ? `${text}[${part}]` : text + (text === '' ? '' : '.') + String(part),
    '',
  );
  return where === '' ? message : `${where}: ${message}`;
}

/** The API server drops fields that are null; null entries of lists stay, and are refused. */
export function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).filter(([, field]) => field !== null);
  return Object.fromEntries(fields.map(([name, field]) => [name, withoutNulls(field)]));
}
