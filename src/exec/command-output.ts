import { stripVTControlCharacters } from 'node:util';

/** Keeps chunks up to `limit` bytes; nothing once there was more, because half an answer is a wrong one. */
export function collectWhole(limit: number) {
  let chunks: Buffer[] = [];
  let size = 0;
  return {
    /** False when this chunk went over the limit. */
    add(chunk: Buffer): boolean {
      size += chunk.length;
      if (size <= limit) chunks.push(chunk);
      else chunks = [];
      return size <= limit;
    },
    text: (): string => Buffer.concat(chunks).toString(),
  };
}

/** Keeps the last `limit` bytes. */
export function collectEnd(limit: number) {
  const chunks: Buffer[] = [];
  let size = 0;
  return {
    add(chunk: Buffer): void {
      chunks.push(chunk);
      size += chunk.length;
      for (let first = chunks[0]; first !== undefined && size - first.length >= limit; first = chunks[0]) {
        chunks.shift();
        size -= first.length;
      }
    },
    text: (): string => clean(Buffer.concat(chunks).subarray(-limit)),
  };
}

/** Text for a terminal: no colours, no cursor movements, the states of a progress bar as lines. */
export function clean(bytes: Buffer): string {
  const text = stripVTControlCharacters(bytes.toString()).replace(/\r+\n?/g, '\n');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what goes
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '');
}
