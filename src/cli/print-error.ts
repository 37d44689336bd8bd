import { EXIT, InputError, LabError } from '../errors.ts';

const indent = (text: string): string => text.replaceAll('\n', '\n  ');

/** What a person reads of a failure, and the exit code. A stack is shown only for a bug of ours. */
export function describeError(error: unknown): { readonly text: string; readonly exitCode: number } {
  if (error instanceof InputError) {
    const lines = error.problems.map(
      ({ at, message, hint }) => `${at}: ${message}${hint ? `\n  ${indent(hint)}` : ''}`,
    );
    return { text: lines.join('\n'), exitCode: error.exitCode };
  }
  if (error instanceof LabError) {
    return { text: `lab: ${error.message}${error.hint ? `\n  ${indent(error.hint)}` : ''}`, exitCode: error.exitCode };
  }
  const stack = error instanceof Error ? error.stack : String(error);
  return { text: `lab: this is a bug in lab, please report it:\n${stack}`, exitCode: EXIT.failed };
}
