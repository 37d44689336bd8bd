import { InputError } from '../errors.ts';
import type { Desired } from '../lab/desired.ts';
import type { Observed } from '../lab/observed.ts';
import type { Change } from '../plan/change.ts';
import { diffForCreate } from '../plan/diff.ts';
import { planCreate } from '../plan/plan-create.ts';
import { type Preflight, preflight } from '../plan/preflight.ts';
import { resolve } from '../plan/resolve.ts';
import type { Plan } from '../step/step.ts';
import { type Flags, type Io, note } from './io.ts';
import type { Session } from './session.ts';

export interface CreateFlags extends Flags {
  /** `up`: certificates, Linkerd, routes and links, too. */
  readonly verb: 'create' | 'up';
  readonly dryrun: boolean;
  readonly recreate: readonly string[];
  readonly ignorePreflight: readonly string[];
}

export interface Planned {
  readonly observed: Observed;
  readonly desired: Desired;
  readonly changes: readonly Change[];
  readonly plan: Plan;
  readonly checks: readonly Preflight[];
}

/** What a `create` or an `up` would do to the world as it is now. */
export async function planNow(session: Session, flags: CreateFlags): Promise<Planned> {
  const { names } = session;
  const { observed, desired } = await (flags.verb === 'up' ? lookAtAll : look)(session, flags);
  const unknown = flags.recreate.filter((name) => !names.includes(name));
  if (unknown.length > 0) {
    throw new InputError([
      {
        at: 'command line',
        message: `--recreate ${unknown.join(' ')}: not among the clusters to create (${names.join(', ')})`,
      },
    ]);
  }
  const changes = diffForCreate(desired, observed, { names, recreate: flags.recreate });
  return {
    observed,
    desired,
    changes,
    plan:
      flags.verb === 'up'
        ? await planAll(desired, observed, changes, names)
        : planCreate(desired, observed, changes, names),
    checks: preflight(desired, observed, changes),
  };
}

/** Loaded only where it is asked for: the plan of a mesh is half of all plans. */
const planAll: (...input: Parameters<typeof planCreate>) => Promise<Plan> = async (...input) =>
  (await import('../plan/plan-up.ts')).planUp(...input);

interface Look {
  readonly observed: Observed;
  readonly desired: Desired;
}

async function look({ lab, observe }: Session, { dryrun }: CreateFlags): Promise<Look> {
  const observed = await observe({ choose: true, count: !dryrun });
  return { observed, desired: resolve(lab, observed) };
}

/** Routes, Linkerd and certificates, too; a CLI that does not do is missing like any other tool. */
async function lookAtAll(session: Session, { dryrun }: CreateFlags): Promise<Look> {
  const routing = session.lab.clusters.map(({ name }) => name);
  const seen = await session.observe({ choose: true, count: !dryrun, routing, mesh: true, apps: true });
  const desired = resolve(session.lab, seen);
  const certificates = desired.certificates && (await session.observeCertificates(desired.certificates));
  const { missingForMesh } = await import('../plan/mesh-members.ts');
  const missing = [...seen.missing, ...missingForMesh(desired, seen, session.names)];
  return { observed: { ...seen, missing, ...(certificates && { certificates }) }, desired };
}

export const nothingDone = ({ verb }: CreateFlags): string => `nothing was ${verb === 'up' ? 'changed' : 'created'}`;

/** What a person may not expect is said before it happens. */
export function explain(changes: readonly Change[], io: Io): void {
  for (const change of changes) {
    if (change.kind === 'cluster' && change.action !== 'create') note(io, `${change.cluster}: ${change.why}`);
  }
}
