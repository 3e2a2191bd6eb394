/** Expected failure as a value: what can go wrong with input is returned, only bugs are thrown. */

export type Result<T, E = string> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: E };

/** What is wrong with a text, and where: `position` counts UTF-16 units from 0. */
export interface Problem {
  readonly message: string;
  readonly position: number;
}

export function ok<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value };
}

export function err<E>(error: E): { readonly ok: false; readonly error: E } {
  return { ok: false, error };
}

/** A failed result that says what is wrong and where. */
export function refuse(message: string, position = 0): { readonly ok: false; readonly error: Problem } {
  return err({ message, position });
}
