/** Argo CD's health check in a real Lua: the script of config/argocd on one object. */

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';

const run = promisify(execFile);
const SCRIPT = new URL('../../config/argocd/health/larder.lua', import.meta.url);

/** Why there is no Lua; undefined if there is. */
export async function whyNoLua(): Promise<string | undefined> {
  return run('lua5.4', ['-v']).then(
    () => undefined,
    () => 'lua5.4 is not installed',
  );
}

export interface Health {
  readonly status: string;
  readonly message: string;
}

/** What Argo CD would say of the object. @throws Error with Lua's own words if the script fails */
export async function healthOf(object: object): Promise<Health> {
  const script = readFileSync(SCRIPT, 'utf8');
  const program = `obj = ${literal(object)}\nlocal hs = (function()\n${script}\nend)()\nprint(hs.status)\nprint(hs.message)`;
  const { stdout } = await run('lua5.4', ['-e', program]);
  const [status = '', ...message] = stdout.trimEnd().split('\n');
  return { status, message: message.join('\n') };
}

/** A value as Lua writes it; null is absent, as for Argo CD. */
function literal(value: unknown): string {
  if (value === null || value === undefined) return 'nil';
  if (Array.isArray(value)) return `{${value.map(literal).join(', ')}}`;
  if (typeof value === 'object') {
    return `{${Object.entries(value)
      .map(([name, field]) => `[${quoted(name)}] = ${literal(field)}`)
      .join(', ')}}`;
  }
  return typeof value === 'string' ? quoted(value) : JSON.stringify(value);
}

/** Every byte that is not plain is written as a decimal escape. */
function quoted(text: string): string {
  const bytes = [...Buffer.from(text)];
  const escaped = bytes.map((byte) =>
    byte >= 32 && byte < 127 && byte !== 34 && byte !== 92
      ? String.fromCharCode(byte)
      : `\\${String(byte).padStart(3, '0')}`,
  );
  return `"${escaped.join('')}"`;
}
