/** Builds small tar archives. */

export function buildTar(files: Readonly<Record<string, string>>): Buffer {
  const parts = Object.entries(files).flatMap(([path, content]) => buildEntry(path, Buffer.from(content)));
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}

/** One entry; names above 100 bytes get a GNU long-name entry before them. */
function buildEntry(path: string, content: Buffer, type = '0'): readonly Buffer[] {
  const long =
    Buffer.byteLength(path) > 100 ? buildEntry('././@LongLink', Buffer.from(`${path}\0`), 'L') : [];
  const header = Buffer.alloc(512);
  header.write(path.slice(0, 100), 0);
  header.write('0000644\0', 100);
  header.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124);
  header.write('        ', 148);
  header.write(type, 156);
  header.write('ustar\0', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return [...long, header, content, Buffer.alloc((512 - (content.length % 512)) % 512)];
}
