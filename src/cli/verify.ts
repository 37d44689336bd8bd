import { readFile } from 'node:fs/promises';
import { EnvironmentError, EXIT } from '../errors.ts';
import { createRunner } from '../exec/run-command.ts';
import type { CheckResult } from '../lab/checks.ts';
import type { Desired } from '../lab/desired.ts';
import type { Observed } from '../lab/observed.ts';
import type { Cell, MeshCell, MeshSighting, ProbeTarget } from '../lab/reach.ts';
import { runCheck } from '../observe/checks.ts';
import { readPauseImages, readProbeTarget } from '../observe/probes.ts';
import { planCleanup, planProbes } from '../plan/plan-probes.ts';
import { withPeers } from '../plan/plan-routing.ts';
import { resolve } from '../plan/resolve.ts';
import { routable } from '../plan/routable.ts';
import { roadsAfter, roadsNow, routingSteps } from '../plan/simulate.ts';
import { judge, simulateCells } from '../plan/verify-cells.ts';
import { judgeMesh, meshRequests } from '../plan/verify-mesh.ts';
import { questionsOf } from '../plan/verify-questions.ts';
import { formatChecks } from '../report/check-text.ts';
import { formatMesh } from '../report/mesh-text.ts';
import { formatCells } from '../report/verify-text.ts';
import type { Plan } from '../step/step.ts';
import { MESH_PROBES, PROBES } from '../tools/kube-api.ts';
import { executePlan, type Work, withLab, workOf } from './execute-plan.ts';
import { holdInterrupts } from './interrupt.ts';
import { type Flags, type Io, note, print } from './io.ts';
import { measureUnlessStopped } from './measure.ts';
import { isData, printData, printPlan } from './print-plan.ts';
import { openSession, type Session } from './session.ts';
import { pathWords, verifyPath } from './verify-path.ts';

export interface VerifyFlags extends Flags {
  /** Simulate what the plan would make, and send nothing. */
  readonly plan: boolean;
  readonly dryrun: boolean;
  /** The image of the probes, in place of each node's pause image. */
  readonly image?: string;
}

/** `lab verify`: who reaches whom. Exit code 1 when something should and does not. */
export async function verify(flags: VerifyFlags, io: Io): Promise<number> {
  const path = pathWords(flags.words, io.cwd);
  if (path) return verifyPath(path, flags, io);
  const session = await openSession(flags, io);
  if (flags.plan) {
    const desired = resolve(session.lab, await session.observe({ choose: true, count: false }));
    return report(simulateCells(desired, session.names, roadsAfter(desired, routingSteps(desired))), flags, io);
  }
  const routing = session.lab.clusters.map(({ name }) => name);
  const observed = await session.observe({ choose: false, count: false, routing, mesh: true });
  if (!observed.engine)
    throw new EnvironmentError(`nothing was measured: ${observed.missing[0]?.what}`, observed.missing[0]?.hint);
  const desired = resolve(session.lab, observed);
  return measureLab({ session, desired, observed, flags, io });
}

interface Measurement {
  readonly session: Session;
  readonly desired: Desired;
  readonly observed: Observed;
  readonly flags: VerifyFlags;
  readonly io: Io;
}

async function measureLab(input: Measurement): Promise<number> {
  const { session, desired, observed, flags, io } = input;
  const up = routable(desired, observed);
  const scope = withPeers(desired, session.names).filter((name) => up.includes(name));
  const images = await probeImages(input, scope);
  const prepare = planProbes(desired, scope, { imageOf: (node) => flags.image ?? images.get(node) });
  const cleanup = planCleanup(desired, scope);
  if (flags.dryrun) {
    await printPlan({ ...prepare, steps: [...prepare.steps, ...cleanup.steps] }, session.lab.path, flags, io);
    return EXIT.done;
  }
  const work = workOf(session, 'verify', flags, io);
  return withLab(work, async () => {
    // From the first probe to the last removal an interrupt only stops the measuring.
    let stopped = false;
    const release = holdInterrupts(() => {
      stopped = true;
    });
    try {
      const measured = await measureCells(input, scope, prepare, work);
      if (stopped || !measured) return EXIT.interrupted;
      const checks = await runChecks(input, up);
      return stopped ? EXIT.interrupted : report(measured.cells, flags, io, measured.mesh, checks);
    } finally {
      // The session's own runner starts nothing after an interrupt.
      const cleaned = await executePlan(cleanup, { ...work, runner: createRunner() });
      if (cleaned.exitCode === EXIT.failed)
        note(io, `the probes could not be removed: they are in the namespaces ${PROBES} and ${MESH_PROBES.namespace}`);
      release();
    }
  });
}

/** Undefined when it was interrupted before there was anything to ask. */
async function measureCells(
  input: Measurement,
  scope: readonly string[],
  prepare: Plan,
  work: Work,
): Promise<{ readonly cells: readonly Cell[]; readonly mesh: readonly MeshCell[] } | undefined> {
  const { session, desired, observed } = input;
  const { reports, exitCode } = await executePlan(prepare, work);
  if (exitCode === EXIT.interrupted) return undefined;
  const failed = reports.filter(({ result }) => result === 'failed');
  const inMesh = ({ id }: { readonly id: string }) => /\/mesh-probe/.test(id);
  const problems = new Map(
    failed
      .filter((one) => !inMesh(one))
      .map(({ id, detail }) => [id.split('/')[0] ?? '', detail ?? 'its probes failed']),
  );
  const outOfMesh = failed.filter(inMesh).map(({ id }) => id.split('/')[0] ?? '');
  const targets = await readTargets(input, scope, problems);
  const questions = questionsOf({ desired, observed, names: session.names, targets });
  const measured = await measureUnlessStopped(questions);
  if (!measured) return undefined;
  const cells = judge(desired, questions, measured, roadsNow(desired, observed));
  const meshed = scope.filter((name) => prepare.steps.some(({ id }) => id === `${name}/mesh-probe`));
  const sightings = await measureRequests(
    input,
    meshed.filter((name) => !outOfMesh.includes(name)),
  );
  const mesh = judgeMesh({ desired, observed, names: session.names }, sightings, Math.floor(Date.now() / 1000));
  return { cells, mesh };
}

/** Requests over the links, from the probes that are in the mesh. */
async function measureRequests(
  { session, desired, observed }: Measurement,
  meshed: readonly string[],
): Promise<readonly MeshSighting[]> {
  const requests = meshRequests(desired, observed, session.names);
  if (requests.length === 0) return [];
  const { measureMesh } = await import('../observe/mesh-probes.ts');
  const kubeconfigs = await Promise.all(
    meshed.map(async (name) => [name, await readFile(session.state.kubeconfig(name), 'utf8')] as const),
  );
  return measureMesh(session.runner, new Map(kubeconfigs), requests);
}

/** The pause image of every node; a cluster that does not say is measured without it, and says so. */
async function probeImages({ session }: Measurement, scope: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const lists = await Promise.all(
    scope.map(async (name) => readPauseImages(await readFile(session.state.kubeconfig(name), 'utf8')).catch(() => [])),
  );
  return new Map(lists.flatMap((list) => [...list]));
}

async function readTargets(
  { session, desired }: Measurement,
  scope: readonly string[],
  problems: ReadonlyMap<string, string>,
): Promise<ProbeTarget[]> {
  return Promise.all(
    scope.map(async (cluster): Promise<ProbeTarget> => {
      const nothing = { cluster, pods: [], pool: [], dns: [] };
      const problem = problems.get(cluster);
      if (problem !== undefined) return { ...nothing, problem };
      const pools =
        desired.loadBalancer.addon === 'none'
          ? 0
          : desired.clusters.find(({ name }) => name === cluster)?.loadBalancer.length;
      try {
        return await readProbeTarget(cluster, await readFile(session.state.kubeconfig(cluster), 'utf8'), pools ?? 0);
      } catch (error) {
        return {
          ...nothing,
          problem: `the API server of ${cluster} does not answer: ${error instanceof Error ? error.message : error}`,
        };
      }
    }),
  );
}

/** What the lab says must hold, from clusters that the command names and that run. */
async function runChecks({ session, desired }: Measurement, up: readonly string[]): Promise<CheckResult[]> {
  const asked = session.lab.checks.filter(({ from }) => session.names.includes(from.cluster));
  return Promise.all(
    asked.map(async (check): Promise<CheckResult> => {
      const { cluster, namespace, pod } = check.from;
      const spec = desired.clusters.find(({ name }) => name === cluster)?.spec;
      const kubeconfig = await readFile(session.state.kubeconfig(cluster), 'utf8').catch(() => undefined);
      if (!up.includes(cluster) || !spec || kubeconfig === undefined) {
        const { name, request } = check;
        const reason = `${cluster} does not run`;
        return { kind: 'check', name, from: `${cluster}/${namespace}/${pod}`, request, result: 'failed', reason };
      }
      return runCheck(check, { kubeconfig, domain: spec.network.domain, runner: session.runner });
    }),
  );
}

function report(
  cells: readonly Cell[],
  flags: Flags,
  io: Io,
  mesh: readonly MeshCell[] = [],
  checks: readonly CheckResult[] = [],
): number {
  const wide = flags.output === 'wide';
  const all = [...cells, ...mesh, ...checks];
  if (isData(flags.output)) printData(all, flags.output, io);
  else {
    const tables = [...(mesh.length > 0 ? [formatMesh(mesh, wide)] : []), formatCells(cells, wide)];
    print(io, [...tables, ...(checks.length > 0 ? [formatChecks(checks)] : [])].join('\n\n'));
  }
  return all.some(({ result }) => result === 'failed') ? EXIT.failed : EXIT.done;
}
