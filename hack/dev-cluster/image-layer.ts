/** An uncompressed layer: a tar archive whose digest is also its diff id. */

const BLOCK = 512;

export interface LayerFile {
  /** At most 100 bytes, without a leading slash. */
  readonly path: string;
  readonly content?: Buffer;
  /** Default 0644. */
  readonly mode?: number;
  /** Makes a symbolic link to this path. */
  readonly linkTo?: string;
}

/** The archive; two empty blocks end it. Same files, same bytes. */
export function buildLayer(files: readonly LayerFile[]): Buffer {
  return Buffer.concat([...files.flatMap(buildEntry), Buffer.alloc(2 * BLOCK)]);
}

function buildEntry({ path, content = Buffer.alloc(0), mode = 0o644, linkTo }: LayerFile): readonly Buffer[] {
  const header = Buffer.alloc(BLOCK);
  header.write(path, 0);
  header.write(octal(mode, 7), 100);
  header.write(octal(content.length, 11), 124);
  header.write(' '.repeat(8), 148);
  header.write(linkTo === undefined ? '0' : '2', 156);
  header.write(linkTo ?? '', 157);
  header.write('ustar\u000000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${octal(sum, 6)}\0 `, 148);
  const padding = Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK);
  return [header, content, padding];
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}
