import {
  applySteps,
  beginStep,
  exportStep,
  forgetStep,
  namespaceReady,
  namespaceSteps,
  removeSteps,
  waitStep,
  withdrawStep,
} from '../apps/app-steps.ts';
import type { Target } from '../apps/render-steps.ts';
import { EnvironmentError } from '../errors.ts';
import type { Desired, DesiredCluster } from '../lab/desired.ts';
import type { Observed } from '../lab/observed.ts';
import { isSettled } from '../lab/ownership.ts';
import type { Plan, Step } from '../step/step.ts';
import { type AppChange, diffApps } from './diff-apps.ts';
import { summariseSteps, verbPlan } from './verb-plan.ts';

export interface AppsRequest {
  readonly names: readonly string[];
  /**
   * Steps of the same plan after which a cluster can be given its apps: those that make or start it, and those that
   * bring its mesh. What is not in here must run already.
   */
  readonly after?: ReadonlyMap<string, readonly string[]>;
  /** Clusters that the same plan makes: whatever is seen of one goes first. */
  readonly making?: readonly string[];
}

interface AppsSteps {
  readonly steps: readonly Step[];
  readonly warnings: readonly string[];
}

/**
 * The add-ons and apps of the named clusters: what is not there or another one, and what nobody asks for any more.
 * @throws EnvironmentError when pods are to get a proxy and there is no Linkerd
 */
export function planApps(
  desired: Desired,
  observed: Observed,
  { names, after = new Map(), making = [] }: AppsRequest,
): AppsSteps {
  const warnings: string[] = [];
  const steps = desired.clusters
    .filter(({ name }) => names.includes(name))
    .flatMap((cluster) => {
      const api = observed.clusters.find(
        (one) => one.name === cluster.name && isSettled(one, desired.lab.uid) && !making.includes(one.name),
      )?.api;
      const needs = after.get(cluster.name);
      if (!api && !needs) {
        if (cluster.spec.apps.length > 0) warnings.push(`${cluster.name} does not run: it gets no apps`);
        return [];
      }
      const changes = diffApps(cluster.spec, api?.apps);
      const applied = changes.flatMap((change) => (change.action === 'apply' ? [change.app] : []));
      for (const { name, retired } of applied) if (retired) warnings.push(`${cluster.name}: ${name}: ${retired}`);
      if (needs === undefined && applied.some(needsLinkerd) && api?.linkerd?.version === undefined)
        throw new EnvironmentError(
          `no Linkerd in ${cluster.name}, and ${applied.find(needsLinkerd)?.name} needs it`,
          `lab linkerd ${desired.lab.dir} ${cluster.name}`,
        );
      return clusterSteps(desired.lab.uid, cluster, changes, needs ?? []);
    });
  return { steps, warnings: [...new Set(warnings)] };
}

const needsLinkerd = ({ inject, sources }: { inject: boolean; sources: readonly { kind: string }[] }): boolean =>
  inject || sources.some(({ kind }) => kind === 'linkerd');

/** One app after the other: an order that a person can say beats one that is found out. */
function clusterSteps(
  uid: string,
  { name, spec }: DesiredCluster,
  changes: readonly AppChange[],
  needs: readonly string[],
): Step[] {
  const target: Target = { cluster: name, uid, ...(spec.mesh.name === 'linkerd' && { linkerd: spec.mesh }) };
  const applied = changes.flatMap((change) => (change.action === 'apply' ? [change.app] : []));
  const namespaces = [...new Map(applied.map(({ namespace, inject }) => [namespace, inject]))];
  // Before the word about proxies: a run that ends in between still owes the pods a new start.
  const begun = changes.flatMap((change) =>
    change.action === 'apply' && change.marked ? [beginStep(target, change.app, change.restarts, needs)] : [],
  );
  const ready = begun.length > 0 ? begun.map(({ id }) => id) : needs;
  const made = namespaces.flatMap(([namespace, inject]) => namespaceSteps(name, namespace, inject, ready));
  let after = needs;
  const steps: Step[] = [];
  for (const change of changes) {
    const own = stepsOf(change, target, after);
    steps.push(...own.steps);
    after = own.after ?? after;
  }
  return [...begun, ...made, ...steps];
}

/** The steps of one change, and what the next one waits for where that is something else. */
function stepsOf(
  change: AppChange,
  target: Target,
  after: readonly string[],
): { readonly steps: readonly Step[]; readonly after?: readonly string[] } {
  const { cluster } = target;
  const alone = (step: Step) => ({ steps: [step], after: [step.id] });
  switch (change.action) {
    case 'apply': {
      const { app, left, marked, restarts } = change;
      const made = [...new Set([...after, ...namespaceReady(cluster, app.namespace)])];
      const begun = marked ? [] : [beginStep(target, app, restarts, made)];
      const own = applySteps(target, { ...change, needs: marked ? made : begun.map(({ id }) => id) });
      const last = own.slice(-1).map(({ id }) => id);
      return {
        steps: [...begun, ...own, ...left.map((namespace) => forgetStep(cluster, app.name, namespace, last))],
        after: last,
      };
    }
    case 'wait':
      return alone(waitStep(target, change.app, `${cluster}/app/${change.app.name}/ready`, after));
    case 'export':
      return { steps: [exportStep(cluster, change.app, change.export, after)] };
    case 'withdraw':
      return alone(withdrawStep(cluster, change.name, change.service, after));
    case 'remove':
      return { steps: removeSteps(target, { ...change, app: change.name, needs: after }) };
  }
}

/** `lab apps`: the plan of `planApps` alone. @throws EnvironmentError when a chart is to be rendered and there is no helm */
export function planAppsVerb(desired: Desired, observed: Observed, names: readonly string[]): Plan {
  const { steps, warnings } = planApps(desired, observed, { names });
  const helm = observed.missing.find(({ what }) => what.startsWith('helm '));
  if (helm && steps.some((step) => step.kind === 'query' && step.argv[0] === 'helm'))
    throw new EnvironmentError(`charts need helm: ${helm.what}`, helm.hint);
  return verbPlan('apps', desired, steps, summariseSteps(steps), warnings);
}
