import { readFileSync, statSync } from 'node:fs';

export type ReadFile = { readonly bytes: Buffer } | { readonly failure: string };

/** Reads a regular file of at most `limit` bytes, which is checked before it is opened. */
export function readBounded(path: string, limit: number): ReadFile {
  try {
    const type = statSync(path);
    if (!type.isFile()) return { failure: 'not a regular file' };
    if (type.size > limit) return { failure: `larger than ${formatSize(limit)}` };
    return { bytes: readFileSync(path) };
  } catch (error) {
    return { failure: describeError(error) };
  }
}

/** What a failed system call means to the user. */
export function describeError(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'no such file';
  if (code === 'ELOOP') return 'a loop of symbolic links';
  return `cannot be read: ${code === 'EACCES' ? 'permission denied' : (code ?? message)}`;
}

const formatSize = (bytes: number): string =>
  bytes >= 1024 * 1024 ? `${bytes / 1024 / 1024} MiB` : `${bytes / 1024} KiB`;
