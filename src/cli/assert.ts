/**
 * Takes the place of `node:assert` in the bundle: at every start yargs asserts something that is not so, and catches
 * it. Node's own takes 5 ms to load and to find words for that.
 */
export function strictEqual(actual: unknown, expected: unknown, message?: string): void {
  if (!Object.is(actual, expected)) throw new TypeError(message);
}

export function notStrictEqual(actual: unknown, expected: unknown, message?: string): void {
  if (Object.is(actual, expected)) throw new TypeError(message);
}
