import { EXIT } from '../errors.ts';
import { resolve } from '../plan/resolve.ts';
import { describeCertificates, formatCertificates } from '../report/certificate-info.ts';
import { describeClusters, formatClusters, formatReasons, formatWorkloads } from '../report/cluster-info.ts';
import { type Flags, type Io, note, print } from './io.ts';
import { isData, printData } from './print-plan.ts';
import { openSession } from './session.ts';

/** `lab info`: ranges, pools, addresses, endpoints and contexts, of clusters that run and of those that are planned. */
export async function info(flags: Flags & { readonly why: boolean }, io: Io): Promise<number> {
  const session = await openSession(flags, io);
  for (const text of session.notes) note(io, text);
  const observed = await session.observe({ choose: true, count: false, mesh: true, apps: true });
  const desired = resolve(session.lab, observed);
  for (const text of desired.warnings) note(io, `warning: ${text}`);
  const certificates = desired.certificates && (await session.observeCertificates(desired.certificates));
  const infos = describeClusters(desired, { ...observed, ...(certificates && { certificates }) }, session.names);
  if (isData(flags.output)) printData(infos, flags.output, io);
  else if (flags.output === 'name') print(io, infos.map(({ name }) => `cluster/${name}`).join('\n'));
  else {
    print(io, formatClusters(infos, flags.output === 'wide'));
    const workloads = formatWorkloads(infos);
    if (workloads !== '') print(io, `\n${workloads}`);
    if (certificates) {
      const held = describeCertificates(certificates, session.names);
      if (held.length > 0) print(io, `\n${formatCertificates(held, flags.output === 'wide')}`);
      else note(io, `\nno certificates yet: lab certs ${session.lab.dir}`);
    }
    if (flags.why) print(io, `\n${formatReasons(desired, infos)}`);
  }
  return EXIT.done;
}
