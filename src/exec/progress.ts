import type { Plan, Step } from '../step/step.ts';
import type { StepReport } from './scheduler.ts';

/** Shows a run to a person while it happens. */
export interface Progress {
  start(step: Step): void;
  end(step: Step, report: StepReport): void;
  /** Says that the run is being stopped. */
  stopping(): void;
  /** Resolves once the last line is drawn; what is not over by then is shown as stopped. */
  close(): Promise<void>;
}

/** A row a cluster, and one for what the clusters share. */
interface Row {
  readonly name: string;
  readonly begun: number;
  left: number;
  running: string[];
  problem?: string;
  /** What the row says, also before it is drawn for the first time. */
  text: string;
  settle?: () => void;
  draw?: () => void;
}

const rowOf = (step: Step): string => step.clusters[0] ?? 'lab';

/** A line a cluster with what it does now and how long it took, redrawn in place on a terminal; plain lines elsewhere. */
export async function createProgress(plan: Plan, stream: NodeJS.WriteStream): Promise<Progress> {
  const names = [...new Set(plan.steps.map(rowOf))];
  const width = Math.max(...names.map((name) => name.length));
  const rows = new Map(
    names.map((name): [string, Row] => [
      name,
      {
        name,
        begun: performance.now(),
        left: plan.steps.filter((step) => rowOf(step) === name).length,
        running: [],
        text: 'waiting',
      },
    ]),
  );
  const animated = stream.isTTY === true && process.env.TERM !== 'dumb' && !process.env.CI;
  return animated ? drawRows(await import('listr2'), rows, width, stream) : printLines(rows, width, stream);
}

const STOPPING = 'stopping: running commands are asked to end; once more kills them';

const since = (begun: number): string => `${((performance.now() - begun) / 1000).toFixed(0)} s`;

function settleStep(row: Row, step: Step, report: StepReport): boolean {
  row.left -= 1;
  row.running = row.running.filter((title) => title !== step.title);
  if (report.result === 'failed') row.problem ??= `could not ${step.title}`;
  else if (report.result === 'blocked' || report.result === 'cancelled')
    row.problem ??= report.result === 'cancelled' ? 'stopped' : 'waits for what failed';
  return row.left === 0;
}

function printLines(rows: ReadonlyMap<string, Row>, width: number, stream: NodeJS.WriteStream): Progress {
  const print = (row: Row, text: string) => stream.write(`${row.name.padEnd(width)}  ${text}\n`);
  return {
    start(step) {
      print(rows.get(rowOf(step)) as Row, step.title);
    },
    end(step, report) {
      const row = rows.get(rowOf(step)) as Row;
      if (report.result === 'failed') print(row, `failed: ${step.title}`);
      if (settleStep(row, step, report))
        print(row, row.problem ? `✖ ${row.problem} (${since(row.begun)})` : `✔ done in ${since(row.begun)}`);
    },
    stopping() {
      stream.write(`\n${STOPPING}\n`);
    },
    async close() {},
  };
}

function drawRows(
  { DefaultRenderer, Listr, ListrLogger, ProcessOutput }: typeof import('listr2'),
  rows: ReadonlyMap<string, Row>,
  width: number,
  stream: NodeJS.WriteStream,
): Progress {
  const title = (row: Row, text: string) => `${row.name.padEnd(width)}  ${text}`;
  // It asks whether standard output is a terminal, and would else print plain lines there, among the results.
  class Renderer extends DefaultRenderer {
    static override nonTTY = true;
  }
  const output = new ProcessOutput(stream, stream);
  const tasks = new Listr(
    [...rows.values()].map((row) => ({
      title: title(row, 'waiting'),
      task: (_: unknown, task: { title: string }) => {
        row.draw = () => {
          task.title = title(row, row.text);
        };
        row.draw();
        return new Promise<void>((resolve, reject) => {
          row.settle = () => (row.problem === undefined ? resolve() : reject(new Error(title(row, row.problem))));
          // Everything may be over before the first frame.
          if (row.left === 0) row.settle();
        });
      },
    })),
    {
      concurrent: true,
      exitOnError: false,
      // Its own handler would leave with code 127 and no summary.
      registerSignalListeners: false,
      renderer: Renderer,
      rendererOptions: { showErrorMessage: false, logger: new ListrLogger({ processOutput: output }) },
    },
  );
  const done = tasks.run();
  const say = (row: Row, text: string) => {
    row.text = text;
    row.draw?.();
  };
  let stops = false;
  const describe = (row: Row) => {
    if (stops) return say(row, STOPPING);
    const more = row.running.length > 1 ? ` and ${row.running.length - 1} more` : '';
    say(row, `${row.running.at(-1) ?? 'waiting'}${more}`);
  };
  return {
    start(step) {
      const row = rows.get(rowOf(step)) as Row;
      row.running.push(step.title);
      describe(row);
    },
    end(step, report) {
      const row = rows.get(rowOf(step)) as Row;
      const last = settleStep(row, step, report);
      if (!last) return describe(row);
      say(row, row.problem ? `${row.problem} (${since(row.begun)})` : `done in ${since(row.begun)}`);
      row.settle?.();
    },
    // What others write meanwhile is shown only after the rows.
    stopping() {
      stops = true;
      for (const row of rows.values()) if (row.left > 0) describe(row);
    },
    async close() {
      for (const row of rows.values()) {
        if (row.left === 0) continue;
        row.left = 0;
        row.problem ??= 'stopped';
        say(row, row.problem);
        row.settle?.();
      }
      await done;
    },
  };
}
