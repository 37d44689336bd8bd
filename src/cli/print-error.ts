import { EXIT, explainError, InputError, LabError } from '../errors.ts';

/** What a person reads of a failure, and the exit code. A stack is shown only for a bug of ours. */
export function describeError(error: unknown): { readonly text: string; readonly exitCode: number } {
  if (error instanceof LabError) {
    const prefix = error instanceof InputError ? '' : 'lab: ';
    return { text: `${prefix}${explainError(error)}`, exitCode: error.exitCode };
  }
  const stack = error instanceof Error ? error.stack : String(error);
  return { text: `lab: this is a bug in lab, please report it:\n${stack}`, exitCode: EXIT.failed };
}
