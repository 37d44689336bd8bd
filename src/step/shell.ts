/** A word as a POSIX shell reads it back: quoted only where it must be. */
export const quoteWord = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;

/** A command line that can be pasted into a shell. */
export const quoteArgv = (argv: readonly string[]): string => argv.map(quoteWord).join(' ');
