import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a program printed once, such as `docker-28.5/info.json`. */
export const toolOutput = (name: string): string =>
  readFileSync(join(import.meta.dirname, '../fixtures/tool-output', name), 'utf8');
