/** Container push items of pushsource, from a JSON list or one object a line; each is read or refused by itself. */

import type { PullInfo } from '../domain/pull-spec.ts';
import { type PushItem, readPushItem } from '../domain/push-item.ts';
import { err, ok, type Result } from '../domain/result.ts';
import { isJsonObject, parseJSON } from '../json.ts';
import { badInput, parseInput } from './io.ts';

/** An image, and its place among all items, from 0. */
export interface ImageItem extends PushItem {
  readonly index: number;
  readonly pullInfo: PullInfo;
}

/** Items of which no record is made, in one sentence that begins with the field. */
export interface Refusal {
  /** In ascending order, never empty. */
  readonly indexes: readonly number[];
  readonly reason: string;
}

/** What a file holds. */
export interface PushItems {
  readonly total: number;
  readonly images: readonly ImageItem[];
  readonly refusals: readonly Refusal[];
  /** How many items are no container images, by type. */
  readonly others: ReadonlyMap<string, number>;
}

/** Bounds of the input, in UTF-16 units and items. */
const MAX_LENGTH = 32 * 1024 * 1024;
const MAX_ITEMS = 20_000;

/** pushsource's own classes of container images. */
export const SOURCE_TYPE = 'SourceContainerImagePushItem';
const IMAGE_TYPES: readonly string[] = ['ContainerImagePushItem', SOURCE_TYPE];

/** pushsource found no content for these. */
const FAILED_STATES: readonly string[] = ['NOTFOUND', 'INVALIDFILE'];

/** @throws CliError naming `path` if it holds too much, or is no JSON at all */
export function readPushItems(text: string, path: string): PushItems {
  if (text.length > MAX_LENGTH) throw badInput(path, `more than ${MAX_LENGTH} characters`);
  const values = splitItems(text, path);
  const images: ImageItem[] = [];
  const refusals: Refusal[] = [];
  const others = new Map<string, number>();
  for (const [index, value] of values.entries()) {
    const other = otherType(value);
    if (other !== undefined) {
      others.set(other, (others.get(other) ?? 0) + 1);
      continue;
    }
    const image = readImage(value, index);
    if (image.ok) images.push(image.value);
    else refusals.push({ indexes: [index], reason: image.error });
  }
  return { total: values.length, images, refusals, others };
}

/** One value an item; a line that is no JSON is undefined. */
function splitItems(text: string, path: string): readonly unknown[] {
  const start = text.trimStart().charAt(0);
  if (start === '') return [];
  if (start === '[') return requireFew(parseInput(path, text) as readonly unknown[], path);
  const whole = parseJSON(text);
  if (isJsonObject(whole)) return [whole];
  if (start !== '{') throw badInput(path, 'neither a JSON list of push items nor one object a line');
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  return requireFew(lines, path).map((line) => parseJSON(line));
}

function requireFew<T>(items: readonly T[], path: string): readonly T[] {
  if (items.length > MAX_ITEMS) throw badInput(path, `more than ${MAX_ITEMS} items`);
  return items;
}

/** Files, RPMs and the like: a source gives them among the images. */
function otherType(value: unknown): string | undefined {
  const type = isJsonObject(value) ? value['type'] : undefined;
  return typeof type === 'string' && !IMAGE_TYPES.includes(type) ? type.slice(0, 64) : undefined;
}

function readImage(value: unknown, index: number): Result<ImageItem> {
  if (!isJsonObject(value)) return err('it is not a JSON object');
  const item = readPushItem(value);
  if (!item.ok) return item;
  const { state, pullInfo } = item.value;
  if (FAILED_STATES.includes(state)) return err(`state is ${state}: there is no such image`);
  if (pullInfo === undefined) return err('pull_info is missing');
  return ok({ ...item.value, index, pullInfo });
}
