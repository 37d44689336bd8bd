const LIMIT = 100;

/** Text of somebody else's, fit for one line of a terminal: no control characters. */
export const printable = (text: string): string => text.replace(/\p{Cc}/gu, '?');

/** As {@link printable}, and not endless. */
export const shorten = (text: string): string => printable(text.length > LIMIT ? `${text.slice(0, LIMIT)}…` : text);

/** A value as a message names it: what the user wrote, if it is short. */
export function show(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  return typeof value === 'string' ? `"${shorten(value)}"` : `${typeof value} ${shorten(String(value))}`;
}

/** `a`, `a or b`, `a, b or c`. */
export function listChoices(choices: readonly string[]): string {
  return choices.length < 2 ? choices.join('') : `${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}`;
}
