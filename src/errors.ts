/** Exit codes of `lab`, one table for README, tests and code. */
export const EXIT = {
  done: 0,
  failed: 1,
  input: 2,
  environment: 3,
  locked: 4,
  drift: 5,
  interrupted: 130,
} as const;

/** A problem in something that the user wrote; `at` is `file:line:col`, or just a file or `command line`. */
export interface Problem {
  readonly at: string;
  readonly message: string;
  readonly hint?: string;
}

/** Any failure that is not a bug: printed as one message with a hint, never as a stack trace. */
export class LabError extends Error {
  readonly exitCode: number;
  readonly hint: string | undefined;
  constructor(message: string, exitCode: number, hint?: string) {
    super(message);
    this.name = new.target.name;
    this.exitCode = exitCode;
    this.hint = hint;
  }
}

/** Wrong input (exit 2): all problems of all files at once. */
export class InputError extends LabError {
  readonly problems: readonly Problem[];
  constructor(problems: readonly Problem[]) {
    super(problems.map((p) => `${p.at}: ${p.message}`).join('\n'), EXIT.input);
    this.problems = problems;
  }
}

/** The machine lacks something (exit 3): no engine, no kind, too few inotify instances. */
export class EnvironmentError extends LabError {
  constructor(message: string, hint?: string) {
    super(message, EXIT.environment, hint);
  }
}

/** Another run holds the lock (exit 4). */
export class LockedError extends LabError {
  constructor(message: string, hint?: string) {
    super(message, EXIT.locked, hint);
  }
}

/** A step failed (exit 1). */
export class FailedError extends LabError {
  constructor(message: string, hint?: string) {
    super(message, EXIT.failed, hint);
  }
}

const indent = (text: string): string => text.replaceAll('\n', '\n  ');

/** A failure that is not a bug as a person reads it: each message, and its hint in indented lines behind it. */
export function explainError(error: LabError): string {
  const said = error instanceof InputError ? error.problems : [{ message: error.message, hint: error.hint }];
  return said
    .map(({ message, hint, ...problem }) => {
      const at = 'at' in problem ? `${problem.at}: ` : '';
      return `${at}${message}${hint ? `\n  ${indent(hint)}` : ''}`;
    })
    .join('\n');
}
