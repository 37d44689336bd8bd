import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { FailedError } from '../../src/errors.ts';
import { ensurePrivateDirectory, writeFileAtomically } from '../../src/exec/atomic-file.ts';
import { makeTemporaryDirectory } from './real-process.ts';

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

/** Makes the next `method` of any file handle fail like a full disk. */
async function fillDisk(method: 'writeFile' | 'sync'): Promise<void> {
  const handle = await open(import.meta.filename);
  const prototype = Object.getPrototypeOf(handle);
  await handle.close();
  vi.spyOn(prototype, method).mockRejectedValueOnce(Object.assign(new Error('full'), { code: 'ENOSPC' }));
}

afterEach(() => void vi.restoreAllMocks());

describe('writeFileAtomically', () => {
  it.each([0, 0o022, 0o777])('gives the file exactly its mode under umask %o', async (mask) => {
    const path = join(makeTemporaryDirectory(), 'file');
    const before = process.umask(mask);
    await writeFileAtomically(path, 'new', { mode: 0o640 }).finally(() => process.umask(before));
    expect([readFileSync(path, 'utf8'), modeOf(path)]).toEqual(['new', '640']);
  });

  it.each(['writeFile', 'sync'] as const)('leaves the old file when %s finds the disk full', async (method) => {
    const dir = makeTemporaryDirectory();
    const path = join(dir, 'file');
    writeFileSync(path, 'old');
    await fillDisk(method);
    const writing = writeFileAtomically(path, 'new', { mode: 0o600 });
    await expect(writing).rejects.toThrow(new FailedError(`cannot write ${path}: ENOSPC, the disk is full`));
    expect([readFileSync(path, 'utf8'), readdirSync(dir)]).toEqual(['old', ['file']]);
  });

  it('names the path and the code when the directory is missing', async () => {
    const path = join(makeTemporaryDirectory(), 'none', 'file');
    await expect(writeFileAtomically(path, '', { mode: 0o600 })).rejects.toThrow(`cannot write ${path}: ENOENT`);
  });

  it('refuses a link, or writes what it leads to', async () => {
    const dir = makeTemporaryDirectory();
    const [target, link] = [join(dir, 'target'), join(dir, 'link')];
    writeFileSync(target, 'old');
    symlinkSync('target', link);
    await expect(writeFileAtomically(link, 'new', { mode: 0o600 })).rejects.toThrow(`${link} is a symbolic link`);
    expect(readFileSync(target, 'utf8')).toBe('old');
    await writeFileAtomically(link, 'new', { mode: 0o600, followSymlink: true });
    expect([readlinkSync(link), readFileSync(target, 'utf8')]).toEqual(['target', 'new']);
  });

  it('makes the file that a link leads to', async () => {
    const dir = makeTemporaryDirectory();
    symlinkSync('target', join(dir, 'link'));
    await writeFileAtomically(join(dir, 'link'), 'new', { mode: 0o600, followSymlink: true });
    expect(readFileSync(join(dir, 'target'), 'utf8')).toBe('new');
  });
});

describe('ensurePrivateDirectory', () => {
  it('makes a directory, and closes one of ours that is open', async () => {
    const path = join(makeTemporaryDirectory(), 'a', 'b');
    await ensurePrivateDirectory(path);
    expect(modeOf(path)).toBe('700');
    chmodSync(path, 0o777);
    await ensurePrivateDirectory(path);
    expect(modeOf(path)).toBe('700');
  });

  it('refuses a link and a file', async () => {
    const dir = makeTemporaryDirectory();
    mkdirSync(join(dir, 'real'), { mode: 0o755 });
    symlinkSync('real', join(dir, 'link'));
    writeFileSync(join(dir, 'file'), '');
    await expect(ensurePrivateDirectory(join(dir, 'link'))).rejects.toThrow('is a link, not a directory');
    await expect(ensurePrivateDirectory(join(dir, 'file'))).rejects.toThrow(FailedError);
    expect([lstatSync(join(dir, 'link')).isSymbolicLink(), modeOf(join(dir, 'real'))]).toEqual([true, '755']);
  });

  it.runIf(process.getuid?.() === 0)("refuses somebody else's that others can write", async () => {
    const dir = makeTemporaryDirectory();
    const path = join(dir, 'theirs');
    mkdirSync(path);
    chmodSync(path, 0o777);
    const { chownSync } = await import('node:fs');
    chownSync(path, 65534, 65534);
    await expect(ensurePrivateDirectory(path)).rejects.toThrow('belongs to another user');
    expect(existsSync(path)).toBe(true);
  });
});
