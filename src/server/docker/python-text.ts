/** How Python prints JSON values: the error texts of the original quote them this way. */

import { JsonNumber, type JsonValue } from './json-text.ts';

/** As `str()`: text as it is, everything else as `repr()`. */
export function pythonText(value: JsonValue): string {
  return typeof value === 'string' ? value : pythonRepr(value);
}

/** As `type(value).__name__`. */
export function pythonType(value: JsonValue): string {
  if (value === null) return 'NoneType';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'string') return 'str';
  if (value instanceof JsonNumber) return value.isInteger ? 'int' : 'float';
  return Array.isArray(value) ? 'list' : 'dict';
}

function pythonRepr(value: JsonValue): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'string') return quoted(value);
  if (value instanceof JsonNumber) return value.isInteger ? integerText(value.text) : floatText(value.value);
  if (value instanceof Map) {
    const members = [...(value as ReadonlyMap<string, JsonValue>)];
    return `{${members.map(([name, member]) => `${quoted(name)}: ${pythonRepr(member)}`).join(', ')}}`;
  }
  return `[${(value as readonly JsonValue[]).map(pythonRepr).join(', ')}]`;
}

/** Single quotes, unless only those occur within. */
function quoted(text: string): string {
  const mark = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = text.replace(/[\\\n\r\t]|\p{Cc}/gu, escapeCharacter);
  return `${mark}${mark === "'" ? escaped.replaceAll("'", "\\'") : escaped}${mark}`;
}

const NAMED: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function escapeCharacter(character: string): string {
  return NAMED[character] ?? `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
}

function integerText(text: string): string {
  return text === '-0' ? '0' : text;
}

/** Shortest digits that read back the same; exponents from 1e16 on and below 1e-4, with two digits at least. */
function floatText(value: number): string {
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e16 || size < 1e-4)) {
    return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
  }
  if (Object.is(value, -0)) return '-0.0';
  return Number.isInteger(value) ? `${value}.0` : String(value);
}
