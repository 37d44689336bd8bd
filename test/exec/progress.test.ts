import { Writable } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createProgress } from '../../src/exec/progress.ts';
import type { StepResult } from '../../src/exec/scheduler.ts';
import type { Step } from '../../src/step/step.ts';
import { planWith, runStep } from './steps.ts';

const ESCAPE = '\u001b';

/** What a person has on the screen at the end: a terminal that can go up and erase lines. */
function screenOf(output: string): string[] {
  const lines = [''];
  let row = 0;
  const print = (text: string) =>
    text.split('\n').forEach((part, index) => {
      if (index > 0) lines[++row] ??= '';
      lines[row] += part.replaceAll('\r', '');
    });
  for (const [index, part] of output.split(ESCAPE).entries()) {
    const [sequence = '', count, command] = (index > 0 && /^\[([?\d;]*)([A-Za-z])/.exec(part)) || [];
    if (command === 'A') row = Math.max(0, row - Number(count || 1));
    else if (command === 'K') lines[row] = '';
    else if (command === 'J') lines.splice(row + 1);
    print(part.slice(sequence.length));
  }
  return lines.map((line) => stripVTControlCharacters(line).trimEnd()).filter((line) => line !== '');
}

/** A stream that keeps what is written. */
function makeStream(isTTY: boolean) {
  let text = '';
  const stream = new Writable({
    write(chunk, _, done) {
      text += chunk;
      done();
    },
  });
  const terminal = Object.assign(stream, { isTTY, columns: 100, rows: 30 }) as unknown as NodeJS.WriteStream;
  return { stream: terminal, text: () => text };
}

const [network, a1, a2, b1] = [
  runStep('network', { clusters: [], title: 'create the network' }),
  runStep('alpha/one', { title: 'create the nodes' }),
  runStep('alpha/two', { title: 'wait for the node' }),
  runStep('b/one', { title: 'create the nodes' }),
];
const PLAN = planWith([network, a1, a2, b1]);

async function show(isTTY: boolean, results: readonly (readonly [Step, StepResult])[]): Promise<string> {
  const { stream, text } = makeStream(isTTY);
  const progress = await createProgress(PLAN, stream);
  for (const [step, result] of results) {
    if (result !== 'blocked') progress.start(step);
    progress.end(step, { id: step.id, result, seconds: 0 });
  }
  await progress.close();
  return text();
}

const ALL_DONE = [network, a1, a2, b1].map((step) => [step, 'done'] as const);
const ONE_FAILS = [
  [network, 'done'],
  [a1, 'failed'],
  [a2, 'blocked'],
  [b1, 'cancelled'],
] as const;

beforeEach(() => {
  vi.stubEnv('CI', '');
  vi.stubEnv('TERM', 'xterm');
});
afterEach(() => vi.unstubAllEnvs());

describe('progress in plain lines', () => {
  it('is a line a step, and one at the end of each cluster', async () => {
    expect((await show(false, ALL_DONE)).trimEnd().split('\n')).toEqual([
      'lab    create the network',
      'lab    ✔ done in 0 s',
      'alpha  create the nodes',
      'alpha  wait for the node',
      'alpha  ✔ done in 0 s',
      'b      create the nodes',
      'b      ✔ done in 0 s',
    ]);
  });

  it('says what failed, and what was not done for it', async () => {
    expect((await show(false, ONE_FAILS)).trimEnd().split('\n').slice(2)).toEqual([
      'alpha  create the nodes',
      'alpha  failed: create the nodes',
      'alpha  ✖ could not create the nodes (0 s)',
      'b      create the nodes',
      'b      ✖ stopped (0 s)',
    ]);
  });

  it.each([
    ['CI', 'true'],
    ['TERM', 'dumb'],
  ])('is also on a terminal with %s=%s', async (name, value) => {
    vi.stubEnv(name, value);
    expect(await show(true, ALL_DONE)).not.toContain('\u001b');
  });
});

describe('progress on a terminal', () => {
  it('ends with one line a cluster, although all was over before the first frame', async () => {
    const screen = screenOf(await show(true, ALL_DONE));
    expect(screen.map((line) => line.replace(/^\S+ /, ''))).toEqual([
      'lab    done in 0 s',
      'alpha  done in 0 s',
      'b      done in 0 s',
    ]);
  });

  it('ends with one line a cluster when some failed', async () => {
    const screen = screenOf(await show(true, ONE_FAILS));
    expect(screen.map((line) => line.replace(/^\S+ /, ''))).toEqual([
      'lab    done in 0 s',
      'alpha  could not create the nodes (0 s)',
      'b      stopped (0 s)',
    ]);
  });

  it('says at once that it is being stopped, and ends when it is closed before all is over', async () => {
    const { stream, text } = makeStream(true);
    const progress = await createProgress(PLAN, stream);
    progress.start(a1);
    progress.stopping();
    await vi.waitFor(() =>
      expect(screenOf(text()).join('\n')).toContain('alpha  stopping: running commands are asked'),
    );
    await progress.close();
    expect(screenOf(text()).map((line) => line.replace(/^\S+ /, ''))).toEqual([
      'lab    stopped',
      'alpha  stopped',
      'b      stopped',
    ]);
  });

  it('shows what runs, and how many more', async () => {
    const { stream, text } = makeStream(true);
    const progress = await createProgress(PLAN, stream);
    progress.start(a1);
    progress.start(a2);
    await vi.waitFor(() => expect(screenOf(text()).join('\n')).toContain('alpha  wait for the node and 1 more'));
    progress.end(a2, { id: a2.id, result: 'done', seconds: 0 });
    await vi.waitFor(() => expect(screenOf(text()).join('\n')).toMatch(/alpha {2}create the nodes$/m));
    for (const step of [a1, network, b1]) progress.end(step, { id: step.id, result: 'done', seconds: 0 });
    await progress.close();
    expect(screenOf(text())).toHaveLength(3);
  });
});
