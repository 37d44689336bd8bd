import { EXIT } from '../errors.ts';
import type { Observed } from '../lab/observed.ts';
import { resolve } from '../plan/resolve.ts';
import { type Flags, type Io, note, print } from './io.ts';
import { openSession } from './session.ts';

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
  const { lab, notes, names } = await openSession(flags, io);
  for (const text of notes) note(io, text);
  // Ranges that do not fit their pools are a fault of the specs too.
  resolve(lab.network.adopt ? { ...lab, network: { ...lab.network, adopt: false } } : lab, NOTHING);
  if (flags.output === 'json') print(io, JSON.stringify({ lab: lab.name, clusters: names }, undefined, 2));
  else if (flags.output === 'name') print(io, names.map((name) => `cluster/${name}`).join('\n'));
  else
    print(
      io,
      `lab ${lab.name}: ${names.length === 1 ? '1 cluster is' : `${names.length} clusters are`} valid (${names.join(', ')})`,
    );
  return EXIT.done;
}
