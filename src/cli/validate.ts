import { EXIT, InputError, type Problem } from '../errors.ts';
import { formatCount } from '../lab/format-count.ts';
import type { Lab } from '../lab/lab.ts';
import type { Observed } from '../lab/observed.ts';
import { resolve } from '../plan/resolve.ts';
import { readLab } from '../spec/load.ts';
import { arrangeProblems } from '../spec/problems.ts';
import { type Flags, type Io, note, print } from './io.ts';
import { printData } from './print-plan.ts';
import { chooseClusters, locateLab } from './session.ts';

/** A machine on which nothing is known to be in use: what can be said of the specs alone. */
const NOTHING: Observed = {
  missing: [],
  networks: [],
  clusters: [],
  contexts: [],
  images: {},
  host: { platform: process.platform, routes: [], resolvers: [], portsInUse: [] },
  reservations: [],
};

/** `lab validate`: every problem of every file at once, without looking at any machine. */
export async function validate(flags: Flags, io: Io): Promise<number> {
  try {
    const { lab, notes, names } = readValid(flags, io);
    for (const text of notes) note(io, text);
    if (flags.output === 'json') printData({ lab: lab.name, clusters: names, problems: [] }, 'json', io);
    else if (flags.output === 'name') print(io, names.map((name) => `cluster/${name}`).join('\n'));
    else
      print(
        io,
        `lab ${lab.name}: ${formatCount(names.length, 'cluster is', 'clusters are')} valid (${names.join(', ')})`,
      );
    return EXIT.done;
  } catch (error) {
    if (!(error instanceof InputError && flags.output === 'json')) throw error;
    printData({ problems: error.problems }, 'json', io);
    return error.exitCode;
  }
}

function readValid(flags: Flags, io: Io) {
  const { named, options } = locateLab(flags, io);
  const { lab, notes, problems, sound } = readLab(options);
  const all = [...problems, ...(sound ? findMisfits(lab) : [])];
  if (all.length > 0) throw new InputError(arrangeProblems(all));
  return { lab, notes, names: chooseClusters(lab, named, options.dir) };
}

/** Ranges that do not fit their pools are a fault of the specs too, and do not fit beside more clusters either. */
function findMisfits(lab: Lab): readonly Problem[] {
  try {
    resolve(lab.network.adopt ? { ...lab, network: { ...lab.network, adopt: false } } : lab, NOTHING);
    return [];
  } catch (error) {
    if (error instanceof InputError) return error.problems;
    throw error;
  }
}
