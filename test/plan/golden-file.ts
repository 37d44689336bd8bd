import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';

/**
 * Compares a text with a file of test/golden; with UPDATE_GOLDEN=1 it is written instead, and the change is then
 * read in the diff.
 */
export function expectGolden(name: string, text: string): void {
  const path = join(import.meta.dirname, '../golden', name);
  if (process.env.UPDATE_GOLDEN) writeFileSync(path, text);
  expect(text, `${name}: UPDATE_GOLDEN=1 npx vitest run --project unit test/plan/golden`).toBe(
    readFileSync(path, 'utf8'),
  );
}
