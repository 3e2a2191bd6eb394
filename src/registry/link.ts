/**
 * The Link header of a tag list (RFC 8288), read as generously as registries write it.
 *
 *   Link: </v2/a/b/tags/list?n=2&last=x>; rel="next", <…>; rel=prev
 *
 * Also seen: no "<>" (old Quay), `rel=next` without quotes, several relations in one `rel`.
 */

/** The target of the first link whose relations include "next", as written; undefined if there is none. */
export function findNextLink(header: string): string | undefined {
  let rest = header;
  while (rest.trim() !== '') {
    const link = readLink(rest.trimStart());
    if (link.relations.includes('next')) return link.target;
    rest = link.rest;
  }
  return undefined;
}

interface Link {
  readonly target: string;
  readonly relations: readonly string[];
  readonly rest: string;
}

/** One link and what follows its comma. */
function readLink(text: string): Link {
  const bracketed = text.startsWith('<');
  const close = bracketed ? text.indexOf('>') : text.search(/[;,]/);
  const end = close < 0 ? text.length : close;
  const target = bracketed ? text.slice(1, end) : text.slice(0, end);
  const parameters = text.slice(bracketed ? end + 1 : end);
  const comma = endOfParameters(parameters);
  return {
    target: target.trim(),
    relations: readRelations(parameters.slice(0, comma)),
    rest: parameters.slice(comma + 1),
  };
}

/** Index of the first comma outside quotes, or the length. */
function endOfParameters(text: string): number {
  let quoted = false;
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    if (character === '"') quoted = !quoted;
    else if (character === ',' && !quoted) return index;
  }
  return text.length;
}

function readRelations(parameters: string): readonly string[] {
  for (const parameter of parameters.split(';')) {
    const equals = parameter.indexOf('=');
    if (equals < 0 || parameter.slice(0, equals).trim().toLowerCase() !== 'rel') continue;
    const value = parameter
      .slice(equals + 1)
      .trim()
      .replaceAll('"', '');
    return value.toLowerCase().split(/\s+/);
  }
  return [];
}
