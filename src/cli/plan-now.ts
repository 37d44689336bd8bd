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

/** What a `create` would do to the world as it is now. */
export async function planNow(session: Session, flags: CreateFlags): Promise<Planned> {
  const { names } = session;
  const observed = await session.observe({ choose: true, count: !flags.dryrun });
  const desired = resolve(session.lab, observed);
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
    plan: planCreate(desired, observed, changes, names),
    checks: preflight(desired, observed, changes),
  };
}

/** What a person may not expect is said before it happens. */
export function explain(changes: readonly Change[], io: Io): void {
  for (const change of changes) {
    if (change.kind === 'cluster' && change.action !== 'create') note(io, `${change.cluster}: ${change.why}`);
  }
}
