import { EXIT, InputError } from '../errors.ts';
import type { ObservedCertificates } from '../lab/certificates.ts';
import type { DesiredCertificates } from '../lab/mesh.ts';
import { explainProblems } from '../plan/certificate-problems.ts';
import { type CertificateDiff, diffCertificates } from '../plan/diff-certificates.ts';
import { planCertificates } from '../plan/plan-certificates.ts';
import { resolveCertificates } from '../plan/resolve-links.ts';
import { describeRotation } from '../plan/rotation.ts';
import { certificateId, describeCertificates, formatCertificates } from '../report/certificate-info.ts';
import type { Plan } from '../step/step.ts';
import type { ChangeFlags } from './change-lab.ts';
import { describeFailures, executePlan, withLab, workOf } from './execute-plan.ts';
import { type Io, note, print } from './io.ts';
import { isData, printData, printPlan } from './print-plan.ts';
import { openSession, type Session } from './session.ts';

export interface CertsFlags extends ChangeFlags {
  readonly rotate: 'issuer' | 'anchor' | undefined;
  readonly discardRootKey: boolean;
}

interface Look {
  readonly observed: ObservedCertificates;
  readonly diff: CertificateDiff;
  readonly plan: Plan;
}

/** `lab certs`: one trust anchor a lab, one issuer a cluster; made where there is none, and else checked. */
export async function certs(flags: CertsFlags, io: Io): Promise<number> {
  if (flags.rotate === 'anchor' && flags.discardRootKey) {
    const message = '--discard-root-key and --rotate anchor exclude each other: the next step takes the key';
    throw new InputError([{ at: 'command line', message }]);
  }
  const session = await openSession(flags, io);
  for (const text of session.notes) note(io, text);
  const desired = resolveCertificates(session.lab);
  if (!desired?.issuers.some(({ cluster }) => session.names.includes(cluster))) {
    note(io, `${session.names.join(', ')}: without a mesh no certificate is needed; see spec.mesh of lab.yaml`);
    if (isData(flags.output)) printData({ certificates: [] }, flags.output, io);
    return EXIT.done;
  }
  const first = await look(session, desired, flags);
  if (flags.dryrun) {
    sayWarnings(first, session, io);
    await printPlan(first.plan, session.lab.path, flags, io);
    return EXIT.done;
  }
  if (first.plan.steps.length === 0) return show(first, first, [], session, flags, io);
  const work = workOf(session, 'certs', flags, io);
  return withLab(work, async () => {
    const now = await look(session, desired, flags);
    const { reports, exitCode } = await executePlan(now.plan, work);
    if (exitCode !== EXIT.done) {
      if (isData(flags.output)) printData({ plan: now.plan.summary, steps: reports }, flags.output, io);
      note(io, describeFailures(now.plan, reports, flags.line));
      return exitCode;
    }
    const after = await look(session, desired, { ...flags, rotate: undefined, discardRootKey: false });
    return show(now, after, reports, session, flags, io);
  });
}

/** What is there, and what is to be done about it. @throws InputError or FailedError for what stands in the way */
async function look(session: Session, desired: DesiredCertificates, flags: CertsFlags): Promise<Look> {
  const { lab, names } = session;
  const observed = await session.observeCertificates(desired);
  const diff = diffCertificates(desired, observed, {
    names,
    rotate: flags.rotate,
    discardKey: flags.discardRootKey,
    signing: lab.workloads.filter(({ spire }) => spire).map(({ name }) => name),
    command: `lab certs ${lab.dir}`,
  });
  if (diff.problems.length > 0) throw explainProblems(diff.problems);
  return { observed, diff, plan: planCertificates({ lab, desired, observed }, diff) };
}

function sayWarnings({ plan, diff: { rotation } }: Look, { lab }: Session, io: Io): void {
  for (const text of plan.warnings) note(io, `warning: ${text}`);
  const rotating = describeRotation(rotation, lab.dir);
  if (rotating) note(io, rotating);
}

function show(done: Look, after: Look, steps: readonly unknown[], session: Session, flags: CertsFlags, io: Io): number {
  const { lab, names } = session;
  const certificates = describeCertificates(after.observed, names);
  const { phase } = after.diff.rotation;
  if (isData(flags.output))
    printData({ plan: done.plan.summary, steps, rotation: phase, certificates }, flags.output, io);
  else if (flags.output === 'name')
    print(io, certificates.map((one) => `certificate/${certificateId(one)}`).join('\n'));
  else print(io, formatCertificates(certificates, flags.output === 'wide'));
  sayWarnings(after, session, io);
  const kinds = done.diff.changes.map(({ kind }) => kind);
  if (kinds.includes('distrust')) note(io, 'step 3 of 3 to another trust anchor: the old one is trusted no more');
  if (steps.length === 0) note(io, 'nothing to do: all certificates are as they should be');
  else if (phase === 'settled' && kinds.some((kind) => kind !== 'discard')) note(io, `\nnext: lab linkerd ${lab.dir}`);
  return EXIT.done;
}
