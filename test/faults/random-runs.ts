/** Any lab, any verbs, any failing steps: what must be true whatever happens. */
import { expect } from 'vitest';
import { LabError } from '../../src/errors.ts';
import { runSteps } from '../../src/exec/scheduler.ts';
import type { Desired } from '../../src/lab/desired.ts';
import type { Lab } from '../../src/lab/lab.ts';
import type { Observed } from '../../src/lab/observed.ts';
import { overlaps, parseCidr } from '../../src/net/cidr.ts';
import { diffForCreate } from '../../src/plan/diff.ts';
import { planAppsVerb } from '../../src/plan/plan-apps.ts';
import { planCreate } from '../../src/plan/plan-create.ts';
import { planDelete } from '../../src/plan/plan-delete.ts';
import { planStart, planStop } from '../../src/plan/plan-power.ts';
import { planRepair } from '../../src/plan/plan-repair.ts';
import { resolve } from '../../src/plan/resolve.ts';
import type { Plan, Step } from '../../src/step/step.ts';
import type { Scene } from '../plan/arbitrary-lab.ts';
import { worldAfter } from '../plan/build-lab.ts';
import { applyStep, look, type Model } from './model-world.ts';

export const VERBS = [
  'create',
  'create one',
  'recreate',
  'delete one',
  'delete',
  'stop',
  'start',
  'repair',
  'apps',
] as const;

/** A verb, the cluster that it is about, which of its steps fail, and after how many the run is killed. */
export interface Command {
  readonly verb: (typeof VERBS)[number];
  readonly which: number;
  readonly failing: readonly number[];
  readonly killedAfter: number | null;
  readonly jobs: number;
  /** Which of two forms the specs give to the apps then: people change them, and take changes back. */
  readonly form?: number;
}

/** JSON-safe, so that it can be kept as a file. */
export interface RandomRun {
  readonly scene: Scene;
  readonly commands: readonly Command[];
}

/** What really happened: a test in which nothing did would prove nothing. */
export interface Tally {
  done: number;
  failed: number;
  settled: number;
}

/** Does everything, and then creates the lab without a fault. @throws AssertionError for a promise that is not kept */
export async function expectPromises({ scene, commands }: RandomRun, tally: Tally): Promise<void> {
  const { declared, world } = scene;
  let model: Model = {
    forms: {},
    observed: world,
    apis: Object.fromEntries(
      world.clusters.filter(({ owner }) => owner === declared.uid).map(({ name, api }) => [name, api]),
    ),
  };
  for (const command of commands) model = await carryOut(model, inForm(declared, command.form), command, tally);
  const well: Command = { verb: 'create', which: 0, failing: [], killedAfter: null, jobs: 4 };
  // Nodes that run again answer in the round after.
  for (const verb of ['start', 'repair', 'create', 'apps'] as const)
    model = await carryOut(model, declared, { ...well, verb }, tally);
  const seen = look(model);
  const again = planOrNothing(declared, seen, well);
  if (again === undefined) return;
  expect(
    again.plan.steps.map(({ id }) => id),
    'a second run has nothing to do',
  ).toEqual([]);
  expectComplete(again.desired, seen);
  expect(planOrNothing(declared, seen, { ...well, verb: 'apps' })?.plan.steps, 'a second run of apps').toEqual([]);
  for (const { name, apps } of declared.clusters)
    for (const app of apps)
      expect(model.forms[`${name}/${app.name}`] ?? app.hash, `${name}/${app.name}`).toBe(app.hash);
  tally.settled += 1;
}

/** The lab as it was with other apps of the same names. */
const inForm = (declared: Lab, form = 0): Lab => ({
  ...declared,
  clusters: declared.clusters.map((one) => ({
    ...one,
    apps: one.apps.map((app) => ({ ...app, hash: form === 0 ? app.hash : app.hash.replace(/^./, 'e') })),
  })),
});

async function carryOut(before: Model, declared: Lab, command: Command, tally: Tally): Promise<Model> {
  const seen = look(before);
  const planned = planOrNothing(declared, seen, command);
  if (!planned) return before;
  const { desired, plan } = planned;
  expectOwn(plan, seen, declared.uid);
  const failing = new Set(command.failing.map((index) => plan.steps[index % Math.max(plan.steps.length, 1)]?.id));
  const killed = new AbortController();
  let model = before;
  let count = 0;
  let unknown: unknown;
  const perform = async (step: Step) => {
    // Another may end first.
    await null;
    if (killed.signal.aborted || failing.has(step.id)) throw new Error('it was told to fail');
    try {
      model = applyStep(model, desired, step);
    } catch (error) {
      unknown ??= error;
      throw error;
    }
    tally.done += 1;
    count += 1;
    if (count === command.killedAfter) killed.abort();
    return undefined;
  };
  const reports = await runSteps(plan.steps, { jobs: command.jobs, signal: killed.signal, perform });
  // What the model does not know is no failing step of a run.
  if (unknown !== undefined) throw unknown;
  tally.failed += reports.filter(({ result }) => result === 'failed').length;
  expectApart(look(model), declared.uid);
  expectOthersUntouched(seen, look(model), declared.uid);
  return model;
}

/** Everything is there that was declared: that nothing is left to do is not enough. */
function expectComplete(desired: Desired, seen: Observed): void {
  const whole = worldAfter(desired, { ...seen, clusters: [], contexts: [] });
  for (const { name, applied, api, credentials } of whole.clusters) {
    const found = seen.clusters.find((one) => one.name === name && one.owner === desired.lab.uid);
    expect(found, name).toMatchObject({ applied, api, credentials });
    expect(found?.unmarked, name).not.toBe(true);
  }
  for (const { name } of whole.contexts) expect(seen.contexts.map((context) => context.name)).toContain(name);
}

/** What the verb plans; nothing when it says no with a message. */
function planOrNothing(
  declared: Lab,
  seen: Observed,
  { verb, which }: Command,
): { desired: Desired; plan: Plan } | undefined {
  const all = declared.clusters.map(({ name }) => name);
  const one = [all[which % all.length] ?? ''];
  const lab = { name: declared.name, uid: declared.uid };
  try {
    const desired = resolve(declared, seen);
    const creating = (names: readonly string[], recreate: readonly string[] = []) =>
      planCreate(desired, seen, diffForCreate(desired, seen, { names, recreate }), names);
    const plans: Record<Command['verb'], () => Plan> = {
      create: () => creating(all),
      'create one': () => creating(one),
      recreate: () => creating(one, one),
      delete: () => planDelete(seen, { lab, names: all, adopt: false }),
      'delete one': () => planDelete(seen, { lab, names: one, adopt: false }),
      stop: () => planStop(desired, seen, all),
      start: () => planStart(desired, seen, all),
      repair: () => planRepair(desired, seen, all),
      apps: () => planAppsVerb(desired, seen, all),
    };
    return { desired, plan: plans[verb]() };
  } catch (error) {
    if (error instanceof LabError) return undefined;
    throw error;
  }
}

/** Only what is the lab's is removed, and nothing that was ready unless the verb says so. */
function expectOwn({ steps, verb }: Plan, seen: Observed, uid: string): void {
  for (const { id } of steps.filter((step) => step.id.endsWith('/remove'))) {
    const doomed = seen.clusters.find(({ name }) => `${name}/remove` === id);
    expect(doomed?.owner, `${verb}: ${id}`).toBe(uid);
  }
}

/** No range of the lab's clusters meets another's, or a Docker network. */
function expectApart({ clusters, networks }: Observed, uid: string): void {
  const ranges = clusters.flatMap(({ name, owner, ranges: own }) =>
    [...(own?.pods ?? []), ...(own?.services ?? [])].map((cidr) => ({
      of: name,
      own: owner === uid,
      cidr: parseCidr(cidr),
    })),
  );
  const subnets = networks.flatMap(({ name, subnets: list }) =>
    list.map(({ cidr }) => ({ of: name, own: false, cidr: parseCidr(cidr) })),
  );
  for (const [index, one] of ranges.entries())
    for (const other of [...ranges.slice(index + 1), ...subnets])
      if (one.own || other.own) expect(overlaps(one.cidr, other.cidr), `${one.of} and ${other.of}`).toBe(false);
}

function expectOthersUntouched(before: Observed, after: Observed, uid: string): void {
  const others = ({ clusters, networks, contexts }: Observed) => ({
    clusters: clusters.filter(({ owner }) => owner !== uid),
    networks: networks.filter(({ labels }) => !Object.values(labels).includes(uid)),
    contexts: contexts.filter(({ owner }) => owner !== uid),
  });
  expect(others(after)).toEqual(others(before));
}
