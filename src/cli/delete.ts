import { resolve } from 'node:path';
import { EnvironmentError, EXIT, InputError } from '../errors.ts';
import { chooseKubeconfig } from '../exec/kubeconfig.ts';
import { createRunner } from '../exec/run-command.ts';
import type { StepReport } from '../exec/scheduler.ts';
import { labState, stateRoot } from '../exec/state-directory.ts';
import type { Cluster } from '../lab/lab.ts';
import type { Observed } from '../lab/observed.ts';
import { takesPart } from '../lab/ownership.ts';
import { observeRouting, observeWorld } from '../observe/observe.ts';
import { planDelete } from '../plan/plan-delete.ts';
import { loadLab } from '../spec/load.ts';
import { nearest } from '../spec/suggest.ts';
import { labUid, resolveReal } from '../spec/uid.ts';
import { quoteWord } from '../step/shell.ts';
import { describeFailures, executePlan, type Work, withLab } from './execute-plan.ts';
import { leaveOnInterrupt } from './interrupt.ts';
import { type Flags, type Io, note, print } from './io.ts';
import { isData, printData, printPlan } from './print-plan.ts';
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
  const work: Work = { io, flags, verb: 'delete', lab: spec.lab, state, runner, kubeconfig: kubeconfig.file };
  const look = async () => {
    const world = await observeWorld({
      uid,
      names: [...named, ...spec.names],
      existing: spec.existing,
      runner,
      ...readers(root, state, kubeconfig),
    });
    const names = chooseNames({ flags, dir, named, uid, declared: spec.names, observed: world }, io);
    const staying = world.clusters.map(({ name }) => name).filter((name) => !names.includes(name));
    const looked = [...staying, ...spec.existing.map(({ name }) => name)];
    const observed = await observeRouting(world, { uid, runner }, looked);
    const plan = planDelete(observed, { lab: { name: spec.lab, uid }, names, adopt: flags.adopt });
    const missing = plan.steps.length > 0 || !observed.engine ? observed.missing : [];
    if (missing.length > 0 && !(flags.dryrun && observed.engine)) {
      throw new EnvironmentError(
        `nothing was deleted: ${missing.map(({ what }) => what).join('; ')}`,
        missing.map(({ hint }) => hint).join('\n'),
      );
    }
    return { plan, names, keeps: linkerdOf(observed) };
  };
  if (flags.dryrun) {
    await printPlan((await look()).plan, resolveReal(resolve(io.cwd, dir)), flags, io);
    return EXIT.done;
  }
  // Wrong names and a missing engine are told before anything is written.
  await look();
  // Again under the lock: a create that still ran may have made what was missing then.
  return withLab(work, async () => {
    const { plan, names, keeps } = await look();
    const existing = spec.existing.map(({ name }) => name).filter((name) => names.includes(name));
    for (const name of existing)
      note(io, `${name} was there before this lab: it stays, without the routes and links of the lab`);
    for (const name of existing.filter((one) => keeps.includes(one)))
      note(io, `${name} keeps its Linkerd, which workloads may need; docs/specs.md says how it is taken away`);
    if (plan.steps.length === 0) {
      noteNothing(
        names.filter((name) => !existing.includes(name)),
        dir,
        existing.length > 0,
        io,
      );
      for (const name of existing) state.forget(name);
      return EXIT.done;
    }
    const { reports, exitCode } = await executePlan(plan, work);
    const deleted = deletedNames(reports);
    // What could not be deleted keeps its credentials.
    const gone = names.filter(
      (name) => deleted.includes(name) || !plan.steps.some(({ id }) => id === `${name}/remove`),
    );
    for (const name of gone) state.forget(name);
    if (isData(flags.output)) printData({ plan: plan.summary, steps: reports }, flags.output, io);
    else if (deleted.length > 0) print(io, deleted.map((name) => `cluster/${name} deleted`).join('\n'));
    if (exitCode !== EXIT.done) note(io, describeFailures(plan, reports, flags.line));
    return exitCode;
  });
}

/** Existing clusters into which a lab has put Linkerd, or another form of it. */
const linkerdOf = ({ clusters }: Observed): string[] =>
  clusters.flatMap(({ name, existing, api }) => (existing && api?.linkerd?.inputs !== undefined ? [name] : []));

function noteNothing(absent: readonly string[], dir: string, letGo: boolean, io: Io): void {
  const does = absent.length === 1 ? 'does' : 'do';
  if (absent.length > 0) note(io, `nothing to delete: ${absent.join(', ')} ${does} not exist`);
  else if (!letGo) note(io, `nothing to delete: no cluster of ${dir} exists`);
}

interface Choice {
  readonly flags: DeleteFlags;
  readonly dir: string;
  readonly named: readonly string[];
  readonly uid: string;
  /** What the specs name, as far as they can still be read. */
  readonly declared: readonly string[];
  readonly observed: Observed;
}

/** The clusters that the command is about. @throws InputError for names that nobody knows */
function chooseNames({ flags, dir, named, uid, declared: specs, observed }: Choice, io: Io): readonly string[] {
  const own = observed.clusters.filter(({ owner }) => owner === uid).map(({ name }) => name);
  const running = observed.clusters.map(({ name }) => name);
  if (observed.engine) checkNames(flags, dir, named, [...specs, ...own], running);
  if (!flags.all) return [...new Set(named)];
  const foreign = observed.clusters.filter((one) => !takesPart(one, uid) && !own.includes(one.name));
  const staying = flags.adopt ? [] : foreign.map(({ name }) => name).filter((name) => specs.includes(name));
  for (const name of staying) note(io, `${name} was not made by this lab: it stays`);
  // Also what the specs name: a cluster that somebody else removed may have left its contexts.
  return [...new Set([...own, ...specs.filter((name) => !staying.includes(name))])];
}

const deletedNames = (reports: readonly StepReport[]): string[] =>
  reports.flatMap(({ id, result }) => (result === 'done' && id.endsWith('/remove') ? [id.replace('/remove', '')] : []));

interface Declared {
  readonly lab: string;
  readonly names: readonly string[];
  /** Those of them that are there already. */
  readonly existing: readonly Cluster[];
}

/** What the folder declares, as far as it can still be read: a broken or missing spec does not keep a cluster alive. */
async function declared(dir: string, io: Io, flags: Flags): Promise<Declared> {
  const defaultsFile = flags.defaults ?? io.env.LAB_DEFAULTS;
  try {
    const { lab } = loadLab({ dir, cwd: io.cwd, ...(defaultsFile && { defaultsFile }) });
    const existing = lab.clusters.filter(({ access }) => access);
    return { lab: lab.name, names: lab.clusters.map(({ name }) => name), existing };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    note(io, `${dir} cannot be read as a lab; going by what runs`);
    return { lab: dir, names: [], existing: [] };
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
        hint: `name them, or delete all: lab delete ${quoteWord(dir)} --all`,
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
