/** A tag as a grammar read it; its name for people is made when somebody looks, because few are ever shown. */

import type { Integer } from '../integer.ts';
import type { Tag, TagType } from './tag.ts';
import type { Version } from './version.ts';

/** Everything but the name. */
export type TagFields = Omit<Tag, 'displayName'>;

/** One shape for every grammar, so that comparing tags stays fast. `displayName` is no own property: spreads lose it. */
export class ReadTag implements Tag {
  readonly tag: string;
  readonly type: TagType;
  readonly base: string | null;
  readonly version: Version | null;
  readonly semantic: boolean;
  readonly cycle: Integer | null;
  readonly cycleBuild: Integer | null;
  readonly rspBuild: Integer | null;
  readonly architecture: string | null;
  readonly extra: string | null;
  readonly dateMs: number | null;
  readonly #describe: (tag: TagFields) => string;

  /** @param describe makes the name for people out of the fields */
  constructor(fields: TagFields, describe: (tag: TagFields) => string) {
    this.tag = fields.tag;
    this.type = fields.type;
    this.base = fields.base;
    this.version = fields.version;
    this.semantic = fields.semantic;
    this.cycle = fields.cycle;
    this.cycleBuild = fields.cycleBuild;
    this.rspBuild = fields.rspBuild;
    this.architecture = fields.architecture;
    this.extra = fields.extra;
    this.dateMs = fields.dateMs;
    this.#describe = describe;
  }

  get displayName(): string {
    return this.#describe(this);
  }
}

/** Fields of a tag that says nothing but its name and maybe a version. */
export const BLANK: Omit<TagFields, 'tag' | 'type'> = {
  base: null,
  version: null,
  semantic: false,
  cycle: null,
  cycleBuild: null,
  rspBuild: null,
  architecture: null,
  extra: null,
  dateMs: null,
};
