import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { chmod, lstat, mkdir, open, readlink, realpath, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { FailedError } from '../errors.ts';

export interface WriteOptions {
  readonly mode: number;
  /** Write the file that a link leads to, and keep the link. Without it a link is refused. */
  readonly followSymlink?: boolean;
}

/**
 * Replaces a file as a whole: a reader, or a machine that loses power, sees the old content or the new, never a part.
 *
 * @throws FailedError naming the path and the system's code; the old file is then untouched.
 */
export async function writeFileAtomically(path: string, content: string, options: WriteOptions): Promise<void> {
  let temporary: string | undefined;
  try {
    const target = await findTarget(path, options.followSymlink === true);
    const name = join(dirname(target), `.${basename(target)}.${randomUUID()}`);
    const before = await lstat(target).catch(() => undefined);
    const file = await open(name, 'wx', options.mode);
    temporary = name;
    try {
      // The umask took bits from the mode of the open, and root must not take a user's file.
      await file.chmod(options.mode);
      if (before !== undefined && before.uid !== process.getuid?.()) await file.chown(before.uid, before.gid);
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, target);
    await syncDirectory(dirname(target));
  } catch (error) {
    if (temporary !== undefined) await rm(temporary, { force: true });
    throw asFailure(`cannot write ${path}`, error);
  }
}

/**
 * Makes sure that a directory exists and that only its owner can look into it; one of ours that is open is closed.
 *
 * @throws FailedError when it is a link or no directory, or when somebody else's and open to others.
 */
export async function ensurePrivateDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    const found = await lstat(path);
    if (!found.isDirectory()) throw new FailedError(`${path} is a link, not a directory`, 'remove it and try again');
    if (found.uid === process.getuid?.()) {
      if ((found.mode & 0o777) !== 0o700) await chmod(path, 0o700);
    } else if ((found.mode & 0o022) !== 0) {
      throw new FailedError(`${path} belongs to another user and is open to others`, `chmod 700 ${path}`);
    }
  } catch (error) {
    throw asFailure(`cannot use the directory ${path}`, error);
  }
}

async function findTarget(path: string, followSymlink: boolean): Promise<string> {
  const found = await lstat(path).catch(() => undefined);
  if (!found?.isSymbolicLink()) return path;
  if (!followSymlink) throw new FailedError(`${path} is a symbolic link`, 'remove it and try again');
  try {
    return await realpath(path);
  } catch {
    // It leads to a file that does not exist yet.
    return resolve(dirname(path), await readlink(path));
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, constants.O_RDONLY);
  try {
    await directory.sync();
  } catch {
    // Some file systems cannot; the file is in place all the same.
  } finally {
    await directory.close();
  }
}

function asFailure(what: string, error: unknown): Error {
  if (error instanceof FailedError || !(error instanceof Error)) return error as Error;
  const { code } = error as NodeJS.ErrnoException;
  return new FailedError(`${what}: ${code ?? error.message}${code === 'ENOSPC' ? ', the disk is full' : ''}`);
}
