import type { Store } from './store.ts';

/** What a stub needs to answer one call. */
export interface Request {
  readonly argv: readonly string[];
  readonly stdin: string;
  readonly store: Store;
  /** Fails or waits, when FAULT asks for it. */
  readonly fail: () => Promise<void>;
}

/** The values behind every `--flag VALUE`. */
export const valuesOf = (argv: readonly string[], flag: string): string[] =>
  argv.flatMap((word, index) => (word === flag ? [argv[index + 1] ?? ''] : []));
