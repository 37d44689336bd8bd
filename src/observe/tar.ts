const BLOCK = 512;

/**
 * The content of the first regular file in a tar archive, as `docker cp CONTAINER:FILE -` streams it; undefined
 * when there is none. Only the fields that this needs are read: type, size and content.
 */
export function firstFileOfTar(archive: string): string | undefined {
  const bytes = Buffer.from(archive, 'utf8');
  for (let at = 0; at + BLOCK <= bytes.length; ) {
    const header = bytes.subarray(at, at + BLOCK);
    const size = Number.parseInt(header.subarray(124, 136).toString('ascii').replace(/\0.*$/, '').trim() || '0', 8);
    const type = String.fromCharCode(header[156] ?? 0);
    at += BLOCK;
    if (type === '0' || type === '\0')
      return header[0] === 0 ? undefined : bytes.subarray(at, at + size).toString('utf8');
    at += Math.ceil(size / BLOCK) * BLOCK;
  }
  return undefined;
}
