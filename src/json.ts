/** JSON that somebody else wrote: read without an exception, and without the parser's message, which quotes the text. */

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
