/** What a command may touch of the process it runs in: passed in, so that tests can pass their own. */
export interface Io {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
}

export type Format = 'text' | 'wide' | 'json' | 'yaml' | 'name' | 'script';

/** Flags that every verb has. */
export interface Flags {
  /** The command line as it can be typed again. */
  readonly line: string;
  readonly words: readonly string[];
  readonly output: Format;
  readonly kubeconfig: string | undefined;
  readonly defaults: string | undefined;
  readonly jobs: number | undefined;
  readonly wait: number | undefined;
  /** Seconds for each step, in place of its own limit. */
  readonly timeout: number | undefined;
  /** Whether the first failure stops everything. */
  readonly failFast: boolean;
}

/** Prints a result on standard output. */
export const print = (io: Io, text: string): void => {
  io.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
};

/** Prints everything else on standard error. */
export const note = (io: Io, text: string): void => {
  io.stderr.write(`${text}\n`);
};
