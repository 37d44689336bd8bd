import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { InputError } from '../../src/errors.ts';
import { load } from './spec-folder.ts';

const WORKSHOP = join(import.meta.dirname, '../../clusters');
const PIECES = [
  ...[
    '\t',
    '\n',
    ' ',
    '  ',
    ': ',
    '- ',
    '[',
    ']',
    '{',
    '}',
    '&a ',
    '*a',
    '!x ',
    '"',
    "'",
    '#',
    '|',
    '>',
    '?',
    '%',
    '<<: ',
    '---\n',
    '...\n',
  ],
  ...[
    '~',
    '0x10',
    '-1',
    '1e999',
    'true',
    '__proto__: 1\n',
    'constructor: {}\n',
    '\0',
    '\u001b',
    '\uFFFF',
    '😀',
    '\r',
    '[]',
    '{}',
    'spec:\n',
  ],
];

/** The same numbers for the same seed (mulberry32). */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

function mutate(text: string, random: (below: number) => number): string {
  let mutated = text;
  for (let n = random(3); n >= 0; n--) {
    const at = random(mutated.length + 1);
    const piece = PIECES[random(PIECES.length)] ?? '';
    const length = random(2) * random(12);
    mutated = mutated.slice(0, at) + (random(3) === 0 ? '' : piece) + mutated.slice(at + length);
  }
  return mutated;
}

test('500 mutations of the workshop load, or say what is wrong where', async () => {
  const files = Object.fromEntries(
    // Folders below it are other labs.
    readdirSync(WORKSHOP)
      .filter((name) => name.endsWith('.yaml'))
      .map((name) => [name, readFileSync(join(WORKSHOP, name), 'utf8')]),
  );
  const names = Object.keys(files);
  let refused = 0;
  for (let seed = 0; seed < 500; seed++) {
    const random = randomFrom(seed);
    const name = names[random(names.length)] ?? '';
    const text = mutate(files[name] ?? '', random);
    const error = await load({ ...files, [name]: text }).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (error === undefined) continue;
    refused++;
    if (!(error instanceof InputError)) throw new Error(`seed ${seed}`, { cause: error });
    expect(error.problems.length).toBeGreaterThan(0);
    for (const { at, message } of error.problems)
      expect(`${seed} ${at} ${message}`).toMatch(/^\d+ labs\/[a-z-]+\.yaml:\d+:\d+ ./);
  }
  expect(refused).toBeGreaterThan(100);
}, 60_000);
