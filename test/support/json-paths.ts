/** Plain JSON trees and paths into them, for tests that change one place of an object. */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

export type Path = readonly (string | number)[];

/** The value at `path`, or undefined. */
export function valueAt(tree: Json, path: Path): Json | undefined {
  let value: Json | undefined = tree;
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Readonly<Record<string | number, Json>>)[step];
  }
  return value;
}

/** A copy of `tree` with `value` at `path`; undefined removes the field. */
export function withValue(tree: Json, path: Path, value: Json | undefined): Json {
  const [step, ...rest] = path;
  if (step === undefined) return value ?? null;
  const copy = Array.isArray(tree) ? [...(tree as readonly Json[])] : { ...(tree as Record<string, Json>) };
  const fields = copy as Record<string | number, Json>;
  if (rest.length === 0 && value === undefined) Reflect.deleteProperty(fields, step);
  else fields[step] = withValue(fields[step] ?? {}, rest, value);
  return fields;
}

/** Every path of the tree, objects and lists included, the root excluded. */
export function allPaths(tree: Json, below: Path = []): readonly Path[] {
  if (typeof tree !== 'object' || tree === null) return [];
  const steps = Array.isArray(tree) ? tree.map((_, index) => index) : Object.keys(tree);
  return steps.flatMap((step) => {
    const path = [...below, step];
    return [path, ...allPaths(valueAt(tree, [step]) ?? null, path)];
  });
}
