import type { Desired } from '../lab/desired.ts';
import type { Observed } from '../lab/observed.ts';
import type { Step } from '../step/step.ts';
import { explainProblems } from './certificate-problems.ts';
import { diffCertificates } from './diff-certificates.ts';
import { certificateSteps } from './plan-certificates.ts';

/**
 * The certificates that the named clusters still lack, as `lab certs` makes them, and the steps that each cluster's
 * own have to wait for.
 * @throws InputError or FailedError for certificates that are there and cannot be used
 */
export function missingCertificates(
  { certificates: desired, lab }: Desired,
  { certificates: observed }: Observed,
  names: readonly string[],
): { readonly steps: readonly Step[]; readonly after: ReadonlyMap<string, readonly string[]> } {
  if (!desired || !observed) return { steps: [], after: new Map() };
  const command = `lab certs ${lab.dir}`;
  const { changes, problems } = diffCertificates(desired, observed, { names, discardKey: false, command });
  if (problems.length > 0) throw explainProblems(problems);
  const steps = certificateSteps(desired, observed, changes);
  const shared = steps.filter(({ clusters }) => clusters.length === 0).map(({ id }) => id);
  const own = (name: string) => steps.filter(({ clusters }) => clusters.includes(name)).map(({ id }) => id);
  return { steps, after: new Map(names.map((name) => [name, [...shared, ...own(name)]])) };
}
