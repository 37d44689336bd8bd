/** One command: never a shell string. */
export interface Command {
  readonly argv: readonly string[];
  readonly stdin?: string;
  /** Added to the environment of `lab` itself. */
  readonly env?: Readonly<Record<string, string>>;
  /** Seconds; the process group gets SIGTERM, and SIGKILL ten seconds later. */
  readonly timeout?: number;
  /** Told once the process runs, so that a later run can find an orphan. */
  readonly onStart?: (pid: number) => void;
}

/** How a command ended. Output is bounded: a flood keeps its end. */
export interface Outcome {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  /** `missing`: no such program. */
  readonly failure?: 'missing' | 'timeout' | 'interrupted' | 'signal';
}

/** The only way to start a process. Never throws: a failure is an outcome. */
export interface Runner {
  run(command: Command): Promise<Outcome>;
}

export const succeeded = (outcome: Outcome): boolean => outcome.exitCode === 0 && outcome.failure === undefined;
