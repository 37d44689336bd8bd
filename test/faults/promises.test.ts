import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

/** `file`: words that a test in it has. */
const NAMED = /\| `(test\/\S+\.ts)`: ([^|]+) \|$/gm;

it.each([
  ['README.md', 10],
  ['docs/faults.md', 28],
])('every promise of %s names a test that there is', (page, count) => {
  const named = [...readFileSync(page, 'utf8').matchAll(NAMED)];
  expect(named).toHaveLength(count);
  for (const [, file = '', title = ''] of named)
    expect(readFileSync(file, 'utf8').includes(title), `${file}: ${title}`).toBe(true);
});
