/** Read-only views of inferred types: API objects are shared between readers and never edited in place. */

/** Read-only all the way down; an optional field may be undefined, so that status is easy to write. */
export type Immutable<T> = T extends (infer Item)[]
  ? readonly Immutable<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Immutable<T[Key]> }
    : T;

/** The same, and an optional field that is there is never undefined: what a parsed spec looks like. */
export type Parsed<T> = T extends (infer Item)[]
  ? readonly Parsed<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Parsed<undefined extends T[Key] ? Exclude<T[Key], undefined> : T[Key]> }
    : T;
