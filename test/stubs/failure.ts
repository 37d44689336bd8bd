/** Ends a stub as a failing command ends. */
export class Failure extends Error {
  readonly code: number;
  readonly stdout: string;
  constructor(message: string, code = 1, stdout = '') {
    super(message);
    this.code = code;
    this.stdout = stdout;
  }
}
