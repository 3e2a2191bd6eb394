/** Reads regular files out of a small tar archive in memory (ustar, with GNU and pax long names). */

/** A regular file; other entries are not given out. */
export interface TarFile {
  /** Without leading "./" or "/". */
  readonly path: string;
  readonly content: Buffer;
}

const BLOCK = 512;
const MAX_ENTRIES = 10_000;

/** Files in archive order; stops at the first thing that is no tar header. */
export function* readTar(archive: Buffer): Generator<TarFile, void, void> {
  let longName = '';
  for (const { type, header, content } of readEntries(archive)) {
    if (type === 'L') longName = readText(content);
    else if (type === 'x') longName = paxPath(content) ?? longName;
    else {
      if (type === '0' || type === '\0') yield { path: cleanPath(longName || shortName(header)), content };
      longName = '';
    }
  }
}

interface TarEntry {
  readonly type: string;
  readonly header: Buffer;
  readonly content: Buffer;
}

function* readEntries(archive: Buffer): Generator<TarEntry, void, void> {
  let offset = 0;
  for (let count = 0; count < MAX_ENTRIES && offset + BLOCK <= archive.length; count++) {
    const header = archive.subarray(offset, offset + BLOCK);
    const size = readOctal(header.subarray(124, 136));
    if (header[0] === 0 || size === undefined) return;
    const start = offset + BLOCK;
    const content = archive.subarray(start, start + size);
    if (content.length < size) return;
    offset = start + Math.ceil(size / BLOCK) * BLOCK;
    yield { type: String.fromCharCode(header[156] ?? 0), header, content };
  }
}

function shortName(header: Buffer): string {
  const isUstar = header.toString('latin1', 257, 262) === 'ustar';
  const prefix = isUstar ? readText(header.subarray(345, 500)) : '';
  const name = readText(header.subarray(0, 100));
  return prefix === '' ? name : `${prefix}/${name}`;
}

/** `25 path=some/long/name\n`, the number counting the whole record. */
function paxPath(content: Buffer): string | undefined {
  return /(?:^|\n)[0-9]+ path=([^\n]*)\n/.exec(content.toString('utf8'))?.[1];
}

function cleanPath(path: string): string {
  return path.replace(/^(?:\.?\/)+/, '');
}

function readText(field: Buffer): string {
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end < 0 ? field.length : end);
}

/** undefined for binary sizes (above 8 GiB) and nonsense. */
function readOctal(field: Buffer): number | undefined {
  const text = readText(field).trim();
  return /^[0-7]{1,12}$/.test(text) ? Number.parseInt(text, 8) : undefined;
}
