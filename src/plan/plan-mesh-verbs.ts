import { InputError, type Problem } from '../errors.ts';
import type { Desired } from '../lab/desired.ts';
import type { LinkMode } from '../lab/mesh.ts';
import type { Observed } from '../lab/observed.ts';
import type { Plan } from '../step/step.ts';
import { apiFamily, type Edge } from './edges.ts';
import type { MeshRequest } from './mesh-work.ts';
import { planMesh } from './plan-mesh.ts';
import { summariseSteps, verbPlan } from './verb-plan.ts';

/** Linkerd and its multicluster extension on the named clusters. */
export const planLinkerd = (desired: Desired, observed: Observed, names: readonly string[]): Plan =>
  planVerb('linkerd', desired, observed, { names, install: true, link: false });

/** The links of the named clusters with whatever they are joined to. */
export const planLinks = (desired: Desired, observed: Observed, names: readonly string[]): Plan =>
  planVerb('link', desired, observed, { names, install: false, link: true });

/** One edge of the command line. */
export interface EdgeByHand {
  readonly from: string;
  readonly to: string;
  readonly mode: LinkMode;
  readonly remove: boolean;
}

/** @throws InputError for an edge that cannot be */
export function planEdgeByHand(desired: Desired, observed: Observed, { from, to, mode, remove }: EdgeByHand): Plan {
  const problems = [...new Set([from, to])].flatMap((name) => endProblem(desired, name));
  const [source, target] = [from, to].map((name) => desired.clusters.find((cluster) => cluster.name === name));
  if (from === to) problems.push(atCommandLine(`${from} cannot be linked to itself`));
  if (problems.length === 0 && source && target && apiFamily(source, target) === undefined)
    problems.push(
      atCommandLine(`${from} (${source.spec.ipFamily}) and ${to} (${target.spec.ipFamily}) share no address family`),
    );
  const declared = desired.links.find((link) => link.from === from && link.to === to);
  if (declared && !remove && declared.mode !== mode)
    problems.push(
      atCommandLine(
        `${declared.why} asks for a ${declared.mode} link from ${from} to ${to}`,
        `links: [{from: ${from}, to: ${to}, mode: ${mode}}] in lab.yaml says it better`,
      ),
    );
  if (remove && declared)
    problems.push(
      atCommandLine(
        `the link from ${from} to ${to} is asked for by ${declared.why}`,
        'take it out of the spec, and run lab link',
      ),
    );
  if (problems.length > 0) throw new InputError(problems);
  const edge: Edge = { from, to, mode, why: declared?.why ?? 'the command line', byHand: !declared };
  const request: MeshRequest = {
    names: [from],
    install: false,
    link: true,
    only: edge,
    byHand: remove ? { remove: edge } : { add: edge },
  };
  return planVerb('link', desired, observed, request);
}

const atCommandLine = (message: string, hint?: string): Problem => ({
  at: 'command line',
  message,
  ...(hint !== undefined && { hint }),
});

function endProblem({ clusters, lab }: Desired, name: string): Problem[] {
  const cluster = clusters.find((one) => one.name === name);
  if (!cluster)
    return [atCommandLine(`no cluster ${name} in ${lab.dir}`, `it has ${clusters.map((one) => one.name).join(', ')}`)];
  return cluster.spec.mesh.name === 'none' ? [atCommandLine(`${name} has no mesh, so it cannot be linked`)] : [];
}

function planVerb(verb: string, desired: Desired, observed: Observed, request: MeshRequest): Plan {
  const { steps, warnings } = planMesh(desired, observed, request);
  return verbPlan(verb, desired, steps, summariseSteps(steps), warnings);
}
