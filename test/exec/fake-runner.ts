import type { Command, Outcome, Runner } from '../../src/step/runner.ts';

export const says = (stdout: string): Outcome => ({ exitCode: 0, stdout, stderr: '' });
export const fails = (stderr: string, exitCode = 1): Outcome => ({ exitCode, stdout: '', stderr });

/** A runner that starts nothing: it records each command, and answers as it is told. */
export function fakeRunner(answer: (argv: string, command: Command) => Outcome | undefined = () => undefined) {
  const commands: Command[] = [];
  const runner: Runner = {
    run: async (command) => {
      commands.push(command);
      command.onStart?.(commands.length);
      return answer(command.argv.join(' '), command) ?? says('');
    },
  };
  return { runner, commands, lines: () => commands.map(({ argv }) => argv.join(' ')) };
}
