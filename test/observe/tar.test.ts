import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { firstFileOfTar } from '../../src/observe/tar.ts';

const dir = mkdtempSync(join(tmpdir(), 'lab-tar-'));
afterAll(() => rmSync(dir, { recursive: true }));

/** What `tar` writes, as the runner hands it on: as text. */
function archive(name: string, content: string, ...options: string[]): string {
  writeFileSync(join(dir, name), content);
  return execFileSync('tar', ['-c', '-C', dir, ...options, name]).toString('utf8');
}

describe('the first file of a tar archive', () => {
  it.each(['ustar', 'gnu', 'pax'])('is read from the format %s', (format) => {
    const content = `{"version":1,"lab":"${'x'.repeat(2000)}"}\n`;
    expect(firstFileOfTar(archive('cluster.json', content, `--format=${format}`))).toBe(content);
  });

  it('is the content to the byte: empty, as long as a block, and with characters of several bytes', () => {
    for (const content of ['', 'x', 'x'.repeat(511), 'x'.repeat(512), 'x'.repeat(513), 'grün – 緑\n'])
      expect(firstFileOfTar(archive('file', content))).toBe(content);
  });

  it('has a name that needs a header of its own, or comes after a folder', () => {
    const long = `${'n'.repeat(180)}.json`;
    for (const format of ['gnu', 'pax'])
      expect(firstFileOfTar(archive(long, 'content', `--format=${format}`))).toBe('content');
    mkdirSync(join(dir, 'folder'));
    writeFileSync(join(dir, 'folder', 'inside'), 'inside');
    expect(firstFileOfTar(execFileSync('tar', ['-c', '-C', dir, 'folder']).toString('utf8'))).toBe('inside');
  });

  it('is nothing where there is none', () => {
    mkdirSync(join(dir, 'empty'));
    expect(firstFileOfTar(execFileSync('tar', ['-c', '-C', dir, 'empty']).toString('utf8'))).toBeUndefined();
    expect(firstFileOfTar('')).toBeUndefined();
    expect(firstFileOfTar('Error: no such container')).toBeUndefined();
    expect(firstFileOfTar('\0'.repeat(10240))).toBeUndefined();
  });
});
