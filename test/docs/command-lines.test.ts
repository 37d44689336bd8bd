/** Command lines of the README and the workshops: their verbs, folders and clusters are there. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadLab } from '../../src/spec/load.ts';

const ROOT = join(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

const PAGES = ['README.md', ...readdirSync(join(ROOT, 'docs/workshops')).map((name) => `docs/workshops/${name}`)];
/** Rows of the README's table of commands. */
const VERBS = [...read('README.md').matchAll(/^\| `([^|]+)` \| [^|]+ \|$/gm)].flatMap(([, cell = '']) =>
  cell.split('`, `').filter((word) => /^[a-z]+$/.test(word)),
);
/** Flags that take a word. */
const TAKING = ['-o', '--output', '--recreate', '--rotate', '--jobs', '--timeout', '--wait', '--image', '--bundle'];

/** In code, or on lines of their own, as far as they have a folder. */
const linesOf = (page: string): string[] =>
  [...read(page).matchAll(/(?:`|^ {4}|^)lab ([a-z]+ [^`#|]*?)(?=`| {2}|\s*#|\s*$|\s*\|)/gm)].map(
    ([, line = '']) => line,
  );

/** What is no flag, nor the word that one takes. */
const plain = (words: readonly string[]): string[] =>
  words.filter((word, index) => !word.startsWith('-') && !TAKING.includes(words[index - 1] ?? ''));

describe.each(PAGES)('%s', (page) => {
  it.each([...new Set(linesOf(page))])('lab %s', (line) => {
    const [verb = '', ...words] = line.split(/\s+/);
    expect(VERBS).toContain(verb);
    const [dir, ...names] = plain(words).filter((word) => /^[\w./-]+$/.test(word));
    if (dir === undefined || dir === 'lab.yaml') return;
    expect(statSync(join(ROOT, dir)).isDirectory()).toBe(true);
    const known = loadLab({ dir, cwd: ROOT }).lab.clusters.map(({ name }) => name);
    for (const name of names) expect(known).toContain(name);
    const recreated = words[words.indexOf('--recreate') + 1];
    if (words.includes('--recreate')) expect(known).toContain(recreated);
    if (words.includes('--rotate')) expect(['issuer', 'anchor']).toContain(words[words.indexOf('--rotate') + 1]);
  });
});

it('finds lines on every page', () => {
  for (const page of PAGES) expect(linesOf(page).length, page).toBeGreaterThan(2);
});
