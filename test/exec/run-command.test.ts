import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { identify } from '../../src/exec/process-identity.ts';
import { createRunner, describeFailure } from '../../src/exec/run-command.ts';
import type { Command, Outcome } from '../../src/step/runner.ts';
import { eventually, makeTemporaryDirectory } from './real-process.ts';

const node = (code: string, more: Partial<Command> = {}): Command => ({
  argv: [process.execPath, '-e', code],
  ...more,
});
const shell = (code: string, more: Partial<Command> = {}): Command => ({ argv: ['sh', '-c', code], ...more });

/** A parent that waits for a child of its own, which writes its number to a file. */
function family(dir: string, trap = ''): { command: string; grandchild: () => number } {
  const file = join(dir, 'pid');
  return {
    command: `${trap} (${trap} sh -c 'echo $$ > ${file}.new; mv ${file}.new ${file}; ${trap} while :; do sleep 0.1; done') & wait`,
    grandchild: () => (existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0),
  };
}

describe('run', () => {
  it('gives the output, the exit code and the number of the process', async () => {
    let started = 0;
    const outcome = await createRunner().run(
      shell('cat; echo "$LAB_TEST" >&2; exit 3', {
        stdin: 'in',
        env: { LAB_TEST: 'env' },
        onStart: (pid) => {
          started = pid;
        },
      }),
    );
    expect(outcome).toEqual({ exitCode: 3, stdout: 'in', stderr: 'env' });
    expect(started).toBeGreaterThan(1);
  });

  it('keeps the environment, passes arguments as they are, and gives no standard input', async () => {
    const code =
      'process.stdout.write(JSON.stringify([process.argv[1], Boolean(process.env.PATH)])); process.stdin.resume()';
    const outcome = await createRunner().run({ argv: [process.execPath, '-e', code, '$(id) "; rm\n\''] });
    expect(JSON.parse(outcome.stdout)).toEqual(['$(id) "; rm\n\'', true]);
  });

  it('does not mind a command that ignores its standard input', async () => {
    const outcome = await createRunner().run(shell('exit 0', { stdin: 'x'.repeat(1_000_000) }));
    expect(outcome).toMatchObject({ exitCode: 0 });
    expect(outcome.failure).toBeUndefined();
  });

  it.each([
    [['lab-no-such-program'], 'missing'],
    [['/etc/passwd'], 'missing'],
    [['echo', 'a\0b'], 'signal'],
    [[], 'signal'],
    [['sh', '-c', 'kill -9 $$'], 'signal'],
  ] as const)('never throws: %j is %s', async (argv, failure) => {
    expect(await createRunner().run({ argv })).toMatchObject({ exitCode: undefined, failure });
  });

  it('ends a command whose start could not be noted', async () => {
    let pid = 0;
    const onStart = (started: number) => {
      pid = started;
      throw new Error('no room for the journal');
    };
    const outcome = await createRunner().run(shell('sleep 60', { onStart }));
    expect(outcome).toMatchObject({ failure: 'signal', stderr: 'no room for the journal' });
    await eventually(() => identify(pid) === undefined);
  });
});

describe('output', () => {
  it('keeps the end of a flood on standard error', async () => {
    const outcome = await createRunner().run(
      node(`const mib = 'x'.repeat(1 << 20);
        let left = 200;
        const more = () => left-- > 0 ? process.stderr.write(mib, more) : process.stderr.write('the end');
        more();`),
    );
    expect(outcome.stderr).toHaveLength(64 * 1024);
    expect(outcome.stderr.endsWith('xthe end')).toBe(true);
    expect(outcome.exitCode).toBe(0);
  }, 20_000);

  it('ends a command that floods standard output, and holds none of it', async () => {
    const before = process.memoryUsage().rss;
    const outcome = await createRunner().run(
      node(`const mib = 'x'.repeat(1 << 20);
        const more = () => process.stdout.write(mib, more);
        more();`),
    );
    expect(outcome).toEqual({
      exitCode: undefined,
      stdout: '',
      stderr: 'more than 64 MiB of output',
      failure: 'signal',
    });
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1024 * 1024);
  }, 20_000);

  it('keeps a large answer whole', async () => {
    const outcome = await createRunner().run(node(`process.stdout.write('x'.repeat(5_000_000) + 'é')`));
    expect(outcome.stdout).toHaveLength(5_000_001);
  });

  it('takes colours, control characters and broken UTF-8', async () => {
    const outcome = await createRunner().run(
      shell(`printf '\\033[31mred\\033[0m \\377\\007\\tend 10%%\\r20%%\\r\\nlast\\n' >&2`),
    );
    expect(outcome.stderr).toBe('red \ufffd\tend 10%\n20%\nlast');
  });
});

describe('ending', () => {
  it('ends the whole group at the timeout', async () => {
    const { command, grandchild } = family(makeTemporaryDirectory());
    const outcome = await createRunner().run(shell(command, { timeout: 0.5 }));
    expect(outcome).toMatchObject({ exitCode: undefined, failure: 'timeout', stderr: '' });
    expect(grandchild()).toBeGreaterThan(1);
    await eventually(() => identify(grandchild()) === undefined);
  });

  it('kills what ignores the interrupt, on the second one', async () => {
    const { command, grandchild } = family(makeTemporaryDirectory(), 'trap "" INT TERM;');
    const runner = createRunner();
    const running = runner.run(shell(command));
    await eventually(() => grandchild() > 1);
    runner.interrupt();
    expect(await Promise.race([running, new Promise((done) => setTimeout(done, 300, 'still there'))])).toBe(
      'still there',
    );
    runner.kill();
    expect(await running).toMatchObject({ failure: 'interrupted' });
    await eventually(() => identify(grandchild()) === undefined);
  });

  it('interrupts every command, waits for them, and starts no more', async () => {
    const up = join(makeTemporaryDirectory(), 'up');
    const runner = createRunner();
    let started = 0;
    const onStart = () => {
      started += 1;
    };
    const ended = [
      shell('sleep 60', { onStart }),
      node(`process.on('SIGINT', () => process.exit(0)); setTimeout(() => {}, 1e5); fs.writeFileSync('${up}', '')`, {
        onStart,
      }),
    ];
    const running = ended.map((command) => runner.run(command));
    await eventually(() => existsSync(up) && started === 2);
    runner.interrupt();
    await runner.idle();
    expect(await Promise.all(running)).toMatchObject([
      { failure: 'interrupted' },
      { failure: 'interrupted', exitCode: 0 },
    ]);
    expect(await runner.run(shell('true', { onStart }))).toMatchObject({ failure: 'interrupted', stdout: '' });
    expect(started).toBe(2);
  });
});

describe('describeFailure', () => {
  const command: Command = { argv: ['docker', 'run', 'a b'], timeout: 30 };
  const outcome = (more: Partial<Outcome>): Outcome => ({ exitCode: undefined, stdout: '', stderr: '', ...more });

  it('shows the command, its end and the last lines that it said', () => {
    const stderr = Array.from({ length: 30 }, (_, i) => `line ${i}`).join('\n');
    const lines = describeFailure(command, outcome({ exitCode: 1, stdout: 'no', stderr })).split('\n');
    expect(lines[0]).toBe("docker run 'a b': exit code 1");
    expect(lines.slice(1)).toHaveLength(20);
    expect(lines.at(-1)).toBe('  line 29');
  });

  it.each([
    [outcome({ failure: 'missing' }), 'no such program'],
    [outcome({ failure: 'timeout' }), 'not done after 30 s (--timeout gives more)'],
    [outcome({ failure: 'interrupted' }), 'interrupted'],
    [outcome({ failure: 'signal' }), 'ended early'],
    [outcome({ exitCode: 2, stdout: 'bad\n' }), 'exit code 2\n  bad'],
  ])('names the reason %#', (ended, text) => {
    expect(describeFailure(command, ended)).toBe(`docker run 'a b': ${text}`);
  });
});
