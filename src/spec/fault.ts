import * as z from 'zod/mini';

/** What is wrong with a text, before it is known where it stands. */
export interface Fault {
  readonly message: string;
  readonly hint?: string;
}

/** Text that `find` finds no fault with; the hint travels in the issue's `params`. */
export const checkedText = (find: (text: string) => Fault | undefined) =>
  z.string().check(({ value, issues }) => {
    const fault = find(value);
    if (fault) issues.push({ code: 'custom', input: value, message: fault.message, params: { hint: fault.hint } });
  });
