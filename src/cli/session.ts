import { readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { InputError } from '../errors.ts';
import { chooseKubeconfig, type KubeconfigChoice, readContexts } from '../exec/kubeconfig.ts';
import { createRunner, type ProcessRunner } from '../exec/run-command.ts';
import { engineState, type LabState, labState, stateRoot } from '../exec/state-directory.ts';
import type { ObservedCertificates } from '../lab/certificates.ts';
import type { Cluster, Lab } from '../lab/lab.ts';
import type { DesiredCertificates } from '../lab/mesh.ts';
import type { Observed } from '../lab/observed.ts';
import type { PrivateKubeconfig } from '../observe/clusters.ts';
import { observeCertificates } from '../observe/mesh-certificates.ts';
import { type ObserveInput, observe } from '../observe/observe.ts';
import type { Secrets } from '../spec/clusters.ts';
import { type LoadOptions, loadLab } from '../spec/load.ts';
import { printable } from '../spec/show.ts';
import { nearest } from '../spec/suggest.ts';
import { leaveOnInterrupt } from './interrupt.ts';
import type { Flags, Io } from './io.ts';

const DEFAULT_DIR = 'clusters';

/** Splits `[DIR] [NAME...]`: the first word is DIR when such a directory exists or it cannot be a name. */
export function splitWords(
  words: readonly string[],
  cwd: string,
): { readonly dir: string; readonly names: readonly string[] } {
  const [first, ...rest] = words;
  if (first !== undefined && (isDirectory(resolve(cwd, first)) || /[/\\.]/.test(first)))
    return { dir: first, names: rest };
  return { dir: DEFAULT_DIR, names: words };
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/**
 * Tells the labs of this user on this machine from those of others who share the engine: their locks lie in another
 * state directory, so they must not take each other's half-made clusters for their own.
 */
export function machineKey(): string {
  const user = String(process.getuid?.() ?? '');
  try {
    return `${readFileSync('/etc/machine-id', 'utf8').trim()}/${user}`;
  } catch {
    return user;
  }
}

/** A lab with everything a verb needs to look at it and work on it. */
export interface Session {
  readonly lab: Lab;
  /** Notes of the reader, such as what each key of the old format became. */
  readonly notes: readonly string[];
  /** The clusters that the command names; all when it names none. */
  readonly names: readonly string[];
  /** What the specs give to the variables of meshes: in nothing that is printed. */
  readonly secrets: Secrets;
  readonly runner: ProcessRunner;
  readonly stateRoot: string;
  readonly state: LabState;
  readonly kubeconfig: KubeconfigChoice;
  observe(depth: ObserveInput['depth']): Promise<Observed>;
  observeCertificates(desired: DesiredCertificates): Promise<ObservedCertificates>;
}

/** The names on a command line, and how the specs are read that they are looked up in. */
export function locateLab(flags: Flags, io: Io): { readonly named: readonly string[]; readonly options: LoadOptions } {
  const { dir, names: named } = splitWords(flags.words, io.cwd);
  if (named[0] !== undefined && named === flags.words && !isDirectory(resolve(io.cwd, dir))) {
    const hint = `nor is there ${dir}, where it could be the name of a cluster`;
    throw new InputError([{ at: printable(named[0]), message: 'no such directory', hint }]);
  }
  const defaultsFile = flags.defaults ?? io.env.LAB_DEFAULTS;
  const options = { dir, cwd: io.cwd, stateKey: machineKey(), ...(defaultsFile && { defaultsFile }) };
  return { named, options };
}

/** The clusters that are named; all when none is. @throws InputError for names that no cluster has */
export function chooseClusters({ clusters }: Lab, named: readonly string[], dir: string): readonly string[] {
  const known = clusters.map(({ name }) => name);
  checkNames(named, known, dir);
  return named.length > 0 ? known.filter((name) => named.includes(name)) : known;
}

/** Reads the specs and gets ready; starts no process and writes nothing. @throws InputError for wrong specs or names */
export async function openSession(flags: Flags, io: Io): Promise<Session> {
  const { named, options } = locateLab(flags, io);
  const { lab, notes, secrets } = loadLab(options);
  const names = chooseClusters(lab, named, options.dir);
  const root = stateRoot(io.env);
  const state = labState(root, lab.uid);
  const kubeconfig = chooseKubeconfig(io.env, flags.kubeconfig);
  const runner = createRunner();
  leaveOnInterrupt(runner);
  return {
    lab,
    notes,
    names,
    secrets,
    runner,
    stateRoot: root,
    state,
    kubeconfig,
    observeCertificates: (desired) => observeCertificates(desired, (file) => join(state.dir, file)),
    observe: async (depth) => {
      const observed = await observe({ lab, runner, names, depth, ...readers(root, state, kubeconfig) });
      return depth.mesh ? { ...observed, unsetVariables: unsetVariables(lab, secrets, io.env) } : observed;
    },
  };
}

/** Only whether they have a value is noted, never what it is: it may be a licence. */
const unsetVariables = ({ clusters }: Lab, secrets: Secrets, env: NodeJS.ProcessEnv): Record<string, string[]> =>
  Object.fromEntries(
    clusters.flatMap(({ name, mesh }) => {
      const known = secrets[name] ?? {};
      const unset = mesh.name === 'linkerd' ? mesh.env.filter((variable) => !(known[variable] ?? env[variable])) : [];
      return unset.length > 0 ? [[name, unset]] : [];
    }),
  );

/** How the observer reads what is kept in files. */
export function readers(root: string, state: LabState, kubeconfig: KubeconfigChoice) {
  return {
    readContexts: () => readContexts(kubeconfig.all),
    readReservations: async (engineId: string) => {
      // Loaded only where an engine answers.
      const { readReservations } = await import('../exec/reservations.ts');
      return readReservations(engineState(root, engineId).reservations);
    },
    privateKubeconfig: (cluster: string) => readPrivate(state.kubeconfig(cluster)),
    existingAccess: async ({ name, access }: Cluster) => {
      // Loaded only where a spec takes a cluster in.
      const { readExistingAccess } = await import('../exec/kubeconfig-access.ts');
      const files = access?.kubeconfig === undefined ? kubeconfig.all : [access.kubeconfig];
      return readExistingAccess(files, access?.context ?? '', state.kubeconfig(name));
    },
  };
}

async function readPrivate(file: string): Promise<PrivateKubeconfig | undefined> {
  const text = readIfThere(file);
  if (text === undefined) return undefined;
  // A kill may have left it half-written: then it is as if it were not there.
  const [context] = await readContexts([file]).catch(() => []);
  return context?.ca && context.server ? { text, ca: context.ca, server: context.server } : undefined;
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function checkNames(named: readonly string[], known: readonly string[], dir: string): void {
  const unknown = named.filter((name) => !known.includes(name));
  if (unknown.length === 0) return;
  throw new InputError(
    unknown.map((name) => {
      const meant = nearest(name, known);
      return {
        at: 'command line',
        message: `no cluster ${name} in ${dir}`,
        hint: meant ? `did you mean ${meant}?` : `it has ${known.join(', ')}`,
      };
    }),
  );
}
