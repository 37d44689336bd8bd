import { rmSync } from 'node:fs';
import { EnvironmentError, EXIT, InputError } from '../errors.ts';
import { chooseKubeconfig } from '../exec/kubeconfig.ts';
import { createRunner } from '../exec/run-command.ts';
import type { StepReport } from '../exec/scheduler.ts';
import { labState, stateRoot } from '../exec/state-directory.ts';
import { observeWorld } from '../observe/observe.ts';
import { planDelete } from '../plan/plan-delete.ts';
import { renderScript } from '../report/plan-script.ts';
import { formatPlan } from '../report/plan-text.ts';
import { loadLab } from '../spec/load.ts';
import { nearest } from '../spec/suggest.ts';
import { labUid } from '../spec/uid.ts';
import { describeFailures, executePlan, type Work, withLab } from './execute-plan.ts';
import { leaveOnInterrupt } from './interrupt.ts';
import { type Flags, type Io, note, print } from './io.ts';
import { machineKey, readers, splitWords } from './session.ts';

export interface DeleteFlags extends Flags {
  readonly dryrun: boolean;
  readonly all: boolean;
  readonly adopt: boolean;
}

/** `lab delete`: clusters and what they left, known by what the engine shows, so that no spec is needed. */
export async function deleteClusters(flags: DeleteFlags, io: Io): Promise<number> {
  const { dir, names: named } = splitWords(flags.words, io.cwd);
  const uid = labUid(dir, io.cwd, machineKey());
  const root = stateRoot(io.env);
  const state = labState(root, uid);
  const kubeconfig = chooseKubeconfig(io.env, flags.kubeconfig);
  const runner = createRunner();
  leaveOnInterrupt(runner);
  const spec = await declared(dir, io, flags);
  const observed = await observeWorld({ uid, runner, ...readers(root, state, kubeconfig) });
  if (!observed.engine)
    throw new EnvironmentError(`nothing was deleted: ${observed.missing[0]?.what}`, observed.missing[0]?.hint);
  const own = observed.clusters.filter(({ owner }) => owner === uid).map(({ name }) => name);
  checkNames(
    flags,
    dir,
    named,
    [...spec.names, ...own],
    observed.clusters.map(({ name }) => name),
  );
  // Also what the specs name: a cluster that somebody else removed may have left its contexts.
  const names = [...new Set(flags.all ? [...own, ...spec.names] : named)];
  const work: Work = { io, flags, verb: 'delete', lab: spec.lab, state, runner, kubeconfig: kubeconfig.file };
  const plan = planDelete(observed, { lab: { name: spec.lab, uid }, names, adopt: flags.adopt });
  if (flags.dryrun) {
    if (flags.output === 'json') print(io, JSON.stringify(plan, undefined, 2));
    else if (flags.output === 'script') print(io, renderScript(plan));
    else print(io, formatPlan(plan, flags.output === 'wide'));
    return EXIT.done;
  }
  if (plan.steps.length === 0) {
    note(
      io,
      `nothing to delete: ${names.length > 0 ? `${names.join(', ')} ${names.length === 1 ? 'does' : 'do'} not exist` : `no cluster of ${dir} exists`}`,
    );
    return EXIT.done;
  }
  return withLab(work, async () => {
    const { reports, exitCode } = await executePlan(plan, work);
    for (const name of names) rmSync(state.kubeconfig(name), { force: true });
    if (exitCode !== EXIT.done)
      note(io, describeFailures(plan, reports, `lab delete ${flags.words.join(' ')}`.trimEnd()));
    else if (flags.output === 'json') print(io, JSON.stringify({ plan: plan.summary, steps: reports }, undefined, 2));
    else
      print(
        io,
        reports
          .filter(({ id }) => id.endsWith('/remove'))
          .map(({ id }) => `cluster/${id.replace('/remove', '')} deleted`)
          .join('\n'),
      );
    return exitCode;
  });
}

const deletedNames = (reports: readonly StepReport[]): string[] =>
  reports.flatMap(({ id, result }) => (result === 'done' && id.endsWith('/remove') ? [id.replace('/remove', '')] : []));

/** What the folder declares, as far as it can still be read: a broken or missing spec does not keep a cluster alive. */
async function declared(dir: string, io: Io, flags: Flags): Promise<{ lab: string; names: readonly string[] }> {
  const defaultsFile = flags.defaults ?? io.env.LAB_DEFAULTS;
  try {
    const { lab } = await loadLab({ dir, cwd: io.cwd, ...(defaultsFile && { defaultsFile }) });
    return { lab: lab.name, names: lab.clusters.map(({ name }) => name) };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    note(io, `${dir} cannot be read as a lab; going by what runs`);
    return { lab: dir, names: [] };
  }
}

function checkNames(
  { all }: DeleteFlags,
  dir: string,
  named: readonly string[],
  known: readonly string[],
  running: readonly string[],
): void {
  if (all && named.length > 0)
    throw new InputError([{ at: 'command line', message: '--all and names exclude each other' }]);
  if (!all && named.length === 0) {
    const list = [...new Set(known)].join(', ') || 'none';
    throw new InputError([
      {
        at: 'command line',
        message: `which clusters of ${dir}? It has: ${list}`,
        hint: `name them, or delete all: lab delete ${dir} --all`,
      },
    ]);
  }
  const unknown = named.filter((name) => !known.includes(name) && !running.includes(name));
  if (unknown.length === 0 || known.length === 0) return;
  throw new InputError(
    unknown.map((name) => {
      const meant = nearest(name, [...known, ...running]);
      return {
        at: 'command line',
        message: `no cluster ${name} in ${dir}, nor on this engine`,
        hint: meant ? `did you mean ${meant}?` : `it has ${[...new Set(known)].join(', ')}`,
      };
    }),
  );
}
