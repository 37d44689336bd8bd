import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadLab } from '../../src/spec/load.ts';
import { clusterText, makeFolder, problemsOf } from './spec-folder.ts';

const A = { 'labs/a.yaml': clusterText('a') };
const problems = (cwd: string, dir = 'labs') => problemsOf((async () => loadLab({ dir, cwd }))());
const names = (cwd: string) => loadLab({ dir: 'labs', cwd }).lab.clusters.map(({ name }) => name);

describe('the folder', () => {
  test('does not exist', async () => {
    expect(await problems(makeFolder(), 'nope')).toEqual([
      'nope: no such directory (a lab is a folder with a file NAME.yaml for each cluster)',
    ]);
    expect(await problems(makeFolder(A), 'labs/a.yaml/b')).toEqual([
      'labs/a.yaml/b: no such directory (a lab is a folder with a file NAME.yaml for each cluster)',
    ]);
  });

  test('is a file', async () => {
    expect(await problems(makeFolder(A), 'labs/a.yaml')).toEqual([
      'labs/a.yaml: not a directory (a lab is a folder of specs)',
    ]);
  });

  test('has no cluster', async () => {
    const empty = [
      expect.stringMatching(/^labs: no cluster in this folder \(.*kind: Cluster and metadata: {name: NAME}\)$/),
    ];
    expect(await problems(makeFolder({ 'labs/README.md': '' }))).toEqual(empty);
    expect(await problems(makeFolder({ 'labs/lab.yaml': 'kind: Lab\n' }))).toEqual(empty);
  });

  test('is a loop of links', async () => {
    const cwd = makeFolder();
    symlinkSync('labs', join(cwd, 'labs'));
    expect(await problems(cwd)).toEqual(['labs: a loop of symbolic links']);
  });

  test('may be a link', async () => {
    const cwd = makeFolder({ 'real/a.yaml': clusterText('a') });
    symlinkSync('real', join(cwd, 'labs'));
    expect(names(cwd)).toEqual(['a']);
  });

  test('has too many entries', async () => {
    const cwd = makeFolder(A);
    for (let n = 0; n < 20_000; n++) writeFileSync(join(cwd, 'labs', `${n}.txt`), '');
    expect(await problems(cwd)).toEqual(['labs: more than 20000 entries: not the folder of a lab']);
  }, 30_000);
});

describe('a file that is not read', () => {
  test('a FIFO', async () => {
    const cwd = makeFolder(A);
    execFileSync('mkfifo', [join(cwd, 'labs/b.yaml')]);
    expect(await problems(cwd)).toEqual(['labs/b.yaml: not a regular file']);
  });

  test('a device behind a link', async () => {
    const cwd = makeFolder(A);
    symlinkSync('/dev/zero', join(cwd, 'labs/b.yaml'));
    expect(await problems(cwd)).toEqual([
      'labs/b.yaml: a symbolic link that leaves the folder of the lab (copy the file)',
    ]);
  });

  test('links: out of the folder, to nothing, in a loop', async () => {
    const cwd = makeFolder({ ...A, 'b.yaml': clusterText('b'), 'c/cluster.yaml': clusterText('c') });
    symlinkSync('../b.yaml', join(cwd, 'labs/b.yaml'));
    symlinkSync('../c', join(cwd, 'labs/c'));
    symlinkSync('nothing', join(cwd, 'labs/d.yaml'));
    symlinkSync('e.yaml', join(cwd, 'labs/e.yaml'));
    expect(await problems(cwd)).toEqual([
      'labs/b.yaml: a symbolic link that leaves the folder of the lab (copy the file)',
      'labs/c/cluster.yaml: a symbolic link that leaves the folder of the lab (copy the file)',
      'labs/d.yaml: a symbolic link to nothing',
      'labs/e.yaml: a loop of symbolic links',
    ]);
  });

  test('larger than 256 KiB', async () => {
    const cwd = makeFolder({ ...A, 'labs/b.yaml': '#'.repeat(256 * 1024 + 1) });
    expect(await problems(cwd)).toEqual(['labs/b.yaml: larger than 256 KiB']);
  });

  test.skipIf(process.getuid?.() === 0)('without permission', async () => {
    const cwd = makeFolder({ ...A, 'labs/b.yaml': '', 'labs/c/cluster.yaml': '' });
    chmodSync(join(cwd, 'labs/b.yaml'), 0);
    chmodSync(join(cwd, 'labs/c'), 0);
    expect(await problems(cwd)).toEqual([
      'labs/b.yaml: cannot be read: permission denied',
      'labs/c: cannot be read: permission denied',
    ]);
  });

  test('not UTF-8', async () => {
    const cwd = makeFolder(A);
    writeFileSync(join(cwd, 'labs/b.yaml'), Buffer.from([0xff, 0xfe, 0x61]));
    expect(await problems(cwd)).toEqual(['labs/b.yaml:1:1: not UTF-8 text']);
  });
});

test('a link to a file of the lab is that file', async () => {
  const cwd = makeFolder({ ...A, 'labs/parts/b.yaml': clusterText('b') });
  symlinkSync('a.yaml', join(cwd, 'labs/again.yaml'));
  symlinkSync('parts/b.yaml', join(cwd, 'labs/b.yaml'));
  expect(names(cwd)).toEqual(['a', 'b']);
});

test('what editors and users leave there does not matter', async () => {
  const cwd = makeFolder({ ...A, 'labs/notes.txt': '' });
  symlinkSync('user@host.1', join(cwd, 'labs/.#a.yaml'));
  symlinkSync('/tmp', join(cwd, 'labs/shared'));
  mkdirSync(join(cwd, 'labs/folder.yaml'));
  expect(names(cwd)).toEqual(['a']);
});

describe('the kind of a document', () => {
  const kinds: readonly (readonly [string, string])[] = [
    ['kind: Deployment', '1:7: unknown kind "Deployment" (a manifest goes into a folder of its own below this one)'],
    ['kind: cluster', '1:7: unknown kind "cluster" (did you mean "Cluster"?)'],
    ['kind: 5', '1:7: unknown kind number 5 (a manifest goes into a folder of its own below this one)'],
    ['kind: Lab', '1:7: kind Lab belongs in lab.yaml'],
    ['kind: {toString: 1}', '1:7: unknown kind a map (a manifest goes into a folder of its own below this one)'],
    ['kind:', '1:6: kind is missing (kind: Cluster; a manifest goes into a folder of its own below this one)'],
    ['a: 1', '1:1: kind is missing (kind: Cluster; a manifest goes into a folder of its own below this one)'],
    ['text', '1:1: expected a map with kind: Cluster, found "text"'],
    ['# nothing', '1:1: an empty file'],
  ];
  test.each(kinds)('%s', async (text, problem) => {
    expect(await problems(makeFolder({ ...A, 'labs/b.yaml': text }))).toEqual([`labs/b.yaml:${problem}`]);
  });

  test('lab.yaml is one Lab', async () => {
    expect(await problems(makeFolder({ ...A, 'labs/lab.yaml': 'kind: Cluster' }))).toEqual([
      'labs/lab.yaml:1:7: kind: expected Lab, found "Cluster" (a cluster has a file of its own)',
    ]);
    expect(await problems(makeFolder({ ...A, 'labs/lab.yaml': 'kind: Lab\n---\nkind: Lab\n' }))).toEqual([
      'labs/lab.yaml:3:1: a second kind: Lab in one file',
    ]);
    expect(await problems(makeFolder({ ...A, 'labs/lab.yaml': 'kind: Lab', 'labs/lab.yml': 'kind: Lab' }))).toEqual([
      "labs/lab.yml: labs/lab.yaml is the lab's file already",
    ]);
  });
});
