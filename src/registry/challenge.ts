/**
 * The WWW-Authenticate header of a registry (RFC 9110 section 11.6.1): `Bearer realm="…",service="…",scope="…"`, or Basic.
 * Values may be unquoted although they hold "/" and ":" (seen in the wild); several challenges may share a header.
 */

/** One challenge of a WWW-Authenticate header (RFC 9110, 11.6.1). */
export interface Challenge {
  /** Lower case. */
  readonly scheme: string;
  /** Names in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** Longer headers are not worth reading. */
const MAX_HEADER_LENGTH = 8192;

const SCHEME = /^[\s,]*([A-Za-z][\w!#$%&'*+.^`|~-]*)(?=$|[\s,])/;
const PARAMETER = /^[\s,]*([\w!#$%&'*+.^`|~-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))/;

/** All challenges in order; an empty list if the header is none. */
export function parseChallenges(header: string): readonly Challenge[] {
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  let rest = header.slice(0, MAX_HEADER_LENGTH);
  while (rest !== '') {
    const current = challenges.at(-1);
    const parameter = current && PARAMETER.exec(rest);
    const match = parameter ?? SCHEME.exec(rest);
    if (match === null) break;
    if (parameter) current.parameters.set((match[1] ?? '').toLowerCase(), parameterValue(match));
    else challenges.push({ scheme: (match[1] ?? '').toLowerCase(), parameters: new Map() });
    rest = rest.slice(match[0].length);
  }
  return challenges;
}

function parameterValue(match: RegExpExecArray): string {
  return match[2]?.replace(/\\(.)/g, '$1') ?? match[3] ?? '';
}

/** The challenge to answer: Bearer before Basic; undefined if neither is offered. */
export function selectChallenge(header: string): Challenge | undefined {
  const challenges = parseChallenges(header);
  return (
    challenges.find((challenge) => challenge.scheme === 'bearer') ??
    challenges.find((challenge) => challenge.scheme === 'basic')
  );
}
