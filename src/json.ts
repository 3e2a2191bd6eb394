/** JSON: what somebody else wrote is read without an exception, and without the parser's message, which quotes the text; and compared. */

/** An object as JSON has it; nothing is known of its members. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** The value, or undefined if the text is no JSON (JSON itself knows no undefined). */
export function parseJSON(text: string | Buffer): unknown {
  try {
    return JSON.parse(text.toString('utf8'));
  } catch {
    return undefined;
  }
}

/** Whether a value is an object with members: neither null nor an array. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Deep equality of JSON values; members that are undefined count as absent, as they do on the wire. */
export function isEqual(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false;
  if (Array.isArray(left) !== Array.isArray(right)) return false;
  const [before, after] = [left as JsonObject, right as JsonObject];
  const names = definedIn(before);
  return (
    names.length === definedIn(after).length &&
    names.every((name) => Object.hasOwn(after, name) && isEqual(before[name], after[name]))
  );
}

function definedIn(fields: JsonObject): readonly string[] {
  return Object.keys(fields).filter((name) => fields[name] !== undefined);
}
