import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FailedError } from '../../src/errors.ts';
import { runSteps, type ScheduleOptions } from '../../src/exec/scheduler.ts';
import type { Step } from '../../src/step/step.ts';
import { runStep } from './steps.ts';

const step = (id: string, needs: readonly string[] = [], kind: 'run' | 'wait' = 'run'): Step =>
  kind === 'run'
    ? runStep(id, { needs })
    : {
        ...{ id, needs, title: id, clusters: [], timeout: 5, kind: 'wait' },
        ...{ kubeconfig: { file: 'x' }, for: { resource: 'nodes', count: 1 } },
      };

type Ending = 'done' | 'skipped' | 'failed';

/** Steps that end when they are told to, and a record of what happened. */
class Stage {
  readonly log: string[] = [];
  readonly ended = new Map<string, Ending>();
  readonly running = new Map<string, (ending: Ending) => void>();
  most = 0;
  private readonly kinds = new Map<string, Step['kind']>();

  run(steps: readonly Step[], options: Partial<ScheduleOptions> = {}) {
    return runSteps(steps, {
      jobs: 2,
      signal: new AbortController().signal,
      perform: (one) => this.perform(one),
      onStart: ({ id }) => this.log.push(`+${id}`),
      onEnd: ({ id }, { result }) => this.log.push(`-${id} ${result}`),
      ...options,
    });
  }

  perform(one: Step): Promise<string | undefined> {
    this.kinds.set(one.id, one.kind);
    return new Promise((resolve, reject) => {
      this.running.set(one.id, (ending) => {
        this.running.delete(one.id);
        this.ended.set(one.id, ending);
        if (ending === 'failed') reject(new FailedError(`${one.id} broke`));
        else resolve(ending === 'skipped' ? 'somebody did it' : undefined);
      });
      this.most = Math.max(this.most, [...this.running.keys()].filter((id) => this.kinds.get(id) !== 'wait').length);
    });
  }

  /** Ends one, and lets everything happen that follows from it. */
  async end(id: string, ending: Ending = 'done'): Promise<void> {
    const finish = this.running.get(id);
    if (!finish) throw new Error(`${id} does not run: ${[...this.running.keys()]}`);
    finish(ending);
    await settle();
  }
}

/** Until nothing is left to do but to wait for a step. */
const settle = () => new Promise<void>((done) => setImmediate(done));

describe('the scheduler', () => {
  it('starts each step when everything it needs is done, in the order of the plan', async () => {
    const stage = new Stage();
    const reports = stage.run([step('a'), step('b', ['a']), step('c'), step('d', ['b', 'c'])]);
    expect([...stage.running.keys()]).toEqual(['a', 'c']);
    await stage.end('c');
    expect([...stage.running.keys()]).toEqual(['a']);
    await stage.end('a');
    await stage.end('b');
    await stage.end('d');
    expect(stage.log).toEqual(['+a', '+c', '-c done', '-a done', '+b', '-b done', '+d', '-d done']);
    expect((await reports).map(({ id, result }) => `${id} ${result}`)).toEqual([
      'a done',
      'b done',
      'c done',
      'd done',
    ]);
  });

  it('runs what is light beside what fills the slots', async () => {
    const stage = new Stage();
    const light = ['x', 'y'].map((id) => runStep(id, { light: true }));
    const reports = stage.run([step('a'), step('b'), ...light], { jobs: 1 });
    expect([...stage.running.keys()]).toEqual(['a', 'x', 'y']);
    for (const id of ['a', 'b', 'x', 'y']) await stage.end(id);
    expect((await reports).every(({ result }) => result === 'done')).toBe(true);
  });

  it('runs no more than it may at the same time; a wait takes no slot', async () => {
    const stage = new Stage();
    const ids = ['a', 'b', 'c', 'd'];
    const reports = stage.run([...ids.map((id) => step(id)), step('w', [], 'wait'), step('v', ['a'], 'wait')], {
      jobs: 1,
    });
    expect([...stage.running.keys()]).toEqual(['a', 'w']);
    await stage.end('a');
    expect([...stage.running.keys()]).toEqual(['w', 'b', 'v']);
    for (const id of ['b', 'c', 'd', 'v', 'w']) await stage.end(id);
    expect(stage.most).toBe(1);
    expect((await reports).every(({ result }) => result === 'done')).toBe(true);
  });

  it('blocks only what needs a step that failed, and ends when nothing else is left', async () => {
    const stage = new Stage();
    const reports = stage.run([step('a'), step('b', ['a']), step('c', ['b']), step('x'), step('y', ['x'])]);
    await stage.end('a', 'failed');
    await stage.end('x', 'skipped');
    await stage.end('y');
    expect((await reports).map(({ seconds: _, ...report }) => report)).toEqual([
      { id: 'a', result: 'failed', detail: 'a broke' },
      { id: 'b', result: 'blocked', detail: 'needs a' },
      { id: 'c', result: 'blocked', detail: 'needs b' },
      { id: 'x', result: 'skipped', detail: 'somebody did it' },
      { id: 'y', result: 'done' },
    ]);
  });

  it('ends also when the very last thing it does is to give up', async () => {
    const stage = new Stage();
    const reports = stage.run([step('a'), step('b', ['a'])]);
    await stage.end('a', 'failed');
    expect((await reports).map(({ result }) => result)).toEqual(['failed', 'blocked']);
    expect(await new Stage().run([])).toEqual([]);
  });

  it('says the hint of a failure, and the message of anything else', async () => {
    const detail = async (error: unknown) => {
      const [report] = await new Stage().run([step('a')], { perform: () => Promise.reject(error) });
      return report?.detail;
    };
    expect(await detail(new FailedError('broke', 'mend it'))).toBe('broke\n  mend it');
    expect(await detail(new TypeError('oops'))).toBe('oops');
    expect(await detail('plain')).toBe('plain');
  });

  it('starts nothing new once it is stopped, and waits for what runs', async () => {
    const stage = new Stage();
    const stop = new AbortController();
    let over = false;
    const reports = stage.run([step('a'), step('b'), step('c', ['a']), step('d')], { signal: stop.signal });
    void reports.then(() => {
      over = true;
    });
    stop.abort();
    await stage.end('a');
    expect(over).toBe(false);
    await stage.end('b', 'failed');
    expect((await reports).map(({ id, result }) => `${id} ${result}`)).toEqual([
      ...['a done', 'b cancelled', 'c cancelled', 'd cancelled'],
    ]);
    const never = await new Stage().run([step('a')], { signal: AbortSignal.abort() });
    expect(never.map(({ result }) => result)).toEqual(['cancelled']);
  });

  it.each([
    ['of each other', [step('a', ['b']), step('b', ['a']), step('c')]],
    ['of nothing', [step('a', ['gone']), step('c')]],
  ])('does not hang on steps that are in need %s', async (_, steps) => {
    await expect(new Stage().run(steps, { perform: async () => undefined })).rejects.toThrow(
      /^steps that wait for each other: a/,
    );
  });

  /** Graphs in which a step needs only earlier ones; each step with how it ends, and in what turn. */
  const graphs = fc
    .array(
      fc.record({
        needs: fc.array(fc.nat(), { maxLength: 3 }),
        kind: fc.constantFrom('run' as const, 'run' as const, 'wait' as const),
        ending: fc.constantFrom<Ending>('done', 'done', 'done', 'skipped', 'failed'),
        turn: fc.nat(),
      }),
      { minLength: 1, maxLength: 25 },
    )
    .map((list) =>
      list.map(({ needs, ...rest }, index) => ({
        ...rest,
        id: `s${index}`,
        needs: index === 0 ? [] : [...new Set(needs.map((need) => `s${need % index}`))],
      })),
    );

  it('does every step of any graph exactly once, after its needs, or says why not', async () => {
    await fc.assert(
      fc.asyncProperty(graphs, fc.integer({ min: 1, max: 4 }), async (graph, jobs) => {
        const stage = new Stage();
        const started: string[] = [];
        const done = stage.run(
          graph.map(({ id, needs, kind }) => step(id, needs, kind)),
          {
            jobs,
            onStart: ({ id, needs }) => {
              started.push(id);
              expect(needs.every((need) => ['done', 'skipped'].includes(stage.ended.get(need) ?? ''))).toBe(true);
            },
          },
        );
        for (let tick = 0; stage.running.size > 0; tick++) {
          const ids = [...stage.running.keys()];
          const next = graph.find(({ id }) => id === ids[(graph[tick % graph.length]?.turn ?? 0) % ids.length]);
          await stage.end(next?.id ?? '', next?.ending);
        }
        const reports = await done;
        expect(reports.map(({ id }) => id)).toEqual(graph.map(({ id }) => id));
        expect(new Set(started).size).toBe(started.length);
        expect(stage.most).toBeLessThanOrEqual(jobs);
        const bad = new Set<string>();
        for (const [index, { id, needs, ending }] of graph.entries()) {
          const blocked = needs.some((need) => bad.has(need));
          if (blocked || ending === 'failed') bad.add(id);
          expect(reports[index]?.result).toBe(blocked ? 'blocked' : ending);
          expect(started.includes(id)).toBe(!blocked);
        }
      }),
      { numRuns: 150 },
    );
  });
});
