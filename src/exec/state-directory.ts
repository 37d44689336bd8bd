import { existsSync, readdirSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/** Where `lab` keeps what is about one lab. */
export interface LabState {
  readonly dir: string;
  readonly journal: string;
  readonly lock: string;
  /** The private kubeconfig of one cluster. */
  kubeconfig(cluster: string): string;
  /** Removes what was kept for a cluster that is gone: its credentials, and values that its charts were rendered with. */
  forget(cluster: string): void;
  /** Makes the directories; see `ensurePrivateDirectory` for its errors. */
  prepare(): Promise<void>;
}

/** Where `lab` keeps what all labs on one engine share. */
export interface EngineState {
  readonly dir: string;
  readonly lock: string;
  readonly reservations: string;
  /** Makes the directory; see `ensurePrivateDirectory` for its errors. */
  prepare(): Promise<void>;
}

/** `$XDG_STATE_HOME/lab`, or `~/.local/state/lab`; a relative XDG_STATE_HOME is ignored, as its standard demands. */
export function stateRoot(env: NodeJS.ProcessEnv): string {
  const { XDG_STATE_HOME: base } = env;
  return base && isAbsolute(base) ? join(base, 'lab') : join(env.HOME || homedir(), '.local', 'state', 'lab');
}

/** The paths of a lab's state. */
export function labState(root: string, uid: string): LabState {
  const dir = join(root, 'labs', toFileName(uid));
  const kubeconfigs = join(dir, 'kubeconfigs');
  return {
    dir,
    journal: join(dir, 'journal.jsonl'),
    lock: join(dir, 'lock'),
    kubeconfig: (cluster) => join(kubeconfigs, `${toFileName(cluster)}.yaml`),
    forget(cluster) {
      rmSync(join(kubeconfigs, `${toFileName(cluster)}.yaml`), { force: true });
      // No name of a cluster has an underscore.
      for (const folder of ['linkerd', 'apps'].map((name) => join(dir, name)))
        for (const file of existsSync(folder) ? readdirSync(folder) : [])
          if (file.startsWith(`${cluster}_`)) rmSync(join(folder, file), { force: true });
    },
    prepare: () => prepareAll([root, dir, kubeconfigs, join(dir, 'linkerd'), join(dir, 'apps')]),
  };
}

/** The paths of an engine's state. */
export function engineState(root: string, engineId: string): EngineState {
  const dir = join(root, 'engines', toFileName(engineId));
  return {
    dir,
    lock: join(dir, 'lock'),
    reservations: join(dir, 'reservations.json'),
    prepare: () => prepareAll([root, dir]),
  };
}

async function prepareAll(paths: readonly string[]): Promise<void> {
  // What only reads writes no file: it does without this module and all that Node loads for it.
  const { ensurePrivateDirectory } = await import('./atomic-file.ts');
  for (const path of paths) await ensurePrivateDirectory(path);
}

/** An engine names itself; whatever it says stays below the state directory. */
function toFileName(id: string): string {
  return id.replace(/[^\w:-]/g, '_') || '_';
}
