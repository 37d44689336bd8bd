import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quoteArgv, quoteWord } from '../../src/step/shell.ts';

/** The words that a shell reads; there is always one word after them, so that an empty last one is seen too. */
function wordsOf(shell: string, line: string): string[] {
  const output = execFileSync(shell, ['-c', `printf '%s\\0' ${line} end`]).toString('utf8');
  return output.split('\0').slice(0, -2);
}

const words = fc.array(
  fc.oneof(
    fc.string({ unit: fc.constantFrom(...'\'"\\$`!*?~#&|;<>(){}[] \t\n=%^-aA0é') }),
    fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\0', '')),
  ),
  { minLength: 1, maxLength: 40 },
);

describe('a quoted word', () => {
  it.each(['sh', 'bash'])('is read back by %s as it was, whatever is in it', (shell) => {
    fc.assert(
      fc.property(words, (list) => {
        // An unpaired surrogate is no text that a process could be given.
        const argv = list.map((word) => Buffer.from(word).toString());
        expect(wordsOf(shell, quoteArgv(argv))).toEqual(argv);
      }),
      { numRuns: 60 },
    );
  });

  it('is not quoted where it need not be', () => {
    for (const word of ['kind', '--name=a', '/a/b.yaml', '10.0.0.0/16,fd00::/56', 'a@sha256:0', '100%', '-'])
      expect(quoteWord(word)).toBe(word);
    expect(quoteWord('')).toBe("''");
    expect(quoteWord("it's")).toBe("'it'\\''s'");
    expect(quoteWord('~/x')).toBe("'~/x'");
    expect(quoteWord('{{.ID}}')).toBe("'{{.ID}}'");
  });
});
