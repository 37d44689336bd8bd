import { existsSync } from 'node:fs';
import { release } from 'node:os';
import { delimiter, join } from 'node:path';
import { EnvironmentError } from '../errors.ts';
import type { DockerNetwork, Observed } from '../lab/observed.ts';
import type { Provider } from '../providers/provider.ts';
import { type Outcome, type Runner, succeeded } from '../step/runner.ts';
import {
  type Container,
  containersArgv,
  infoArgv,
  inspectContainersArgv,
  inspectImagesArgv,
  inspectNetworksArgv,
  networkIdsArgv,
  parseContainers,
  parseImages,
  parseInfo,
  parseNetworks,
} from '../tools/docker.ts';

type Missing = Observed['missing'][number];

export interface EngineState {
  readonly engine?: Observed['engine'];
  readonly missing?: Missing;
  readonly networks: readonly DockerNetwork[];
  readonly containers: readonly Container[];
  readonly images: Readonly<Record<string, string>>;
}

const NOTHING = { networks: [], containers: [], images: {} } as const;

/** Reads the engine in two rounds of processes, whose number does not depend on what runs. */
export async function observeEngine(runner: Runner, images: readonly string[]): Promise<EngineState> {
  const [info, networkIds, containerLines] = await Promise.all([
    runner.run({ argv: infoArgv, timeout: 20 }),
    runner.run({ argv: networkIdsArgv, timeout: 20 }),
    runner.run({ argv: containersArgv, timeout: 20 }),
  ]);
  const engine = engineOf(info);
  if ('missing' in engine) return { ...NOTHING, ...engine };
  for (const outcome of [networkIds, containerLines]) mustAnswer(outcome, succeeded(outcome));
  const ids = lines(networkIds);
  const nodes = lines(containerLines).flatMap((line) => {
    const [id, labels = ''] = line.split('\t');
    return id && /(^|,)(io\.x-k8s\.kind\.cluster|k3d\.cluster|lab\.workload)=/.test(labels) ? [id] : [];
  });
  const [networks, containers, present] = await Promise.all([
    ids.length > 0 ? runner.run({ argv: inspectNetworksArgv(ids), timeout: 20 }) : undefined,
    nodes.length > 0 ? runner.run({ argv: inspectContainersArgv(nodes), timeout: 20 }) : undefined,
    images.length > 0 ? runner.run({ argv: inspectImagesArgv(images), timeout: 20 }) : undefined,
  ]);
  // A network or container that went away between the two rounds only makes the inspect exit 1.
  for (const outcome of [networks, containers, present])
    if (outcome) mustAnswer(outcome, outcome.failure === undefined);
  const ids2 = present ? parseImages(present.stdout) : {};
  return {
    engine,
    networks: networks ? parseNetworks(networks.stdout || '[]') : [],
    containers: containers ? parseContainers(containers.stdout || '[]') : [],
    images: Object.fromEntries(
      images.flatMap((image) => (ids2[familiar(image)] ? [[image, ids2[familiar(image)] as string]] : [])),
    ),
  };
}

/** An engine that stops answering half-way has not shown that nothing is there. */
function mustAnswer({ stderr, failure }: Outcome, answered: boolean): void {
  if (answered) return;
  const said = stderr.split('\n').at(-1) || failure || 'it failed';
  throw new EnvironmentError(`Docker stopped answering: ${said}`, 'try again, or look at the engine: docker info');
}

const lines = (outcome: Outcome): string[] => outcome.stdout.split('\n').filter((line) => line.length > 0);

/** Docker lists `docker.io/library/x` as `x:latest`, and `x:tag@sha256:…` as `x@sha256:…`. */
function familiar(image: string): string {
  const short = image
    .replace(/^docker\.io\//, '')
    .replace(/^library\//, '')
    .replace(/:[^/@]+@/, '@');
  return /:[^/]+$|@/.test(short) ? short : `${short}:latest`;
}

function engineOf(info: Outcome): NonNullable<Observed['engine']> | { readonly missing: Missing } {
  if (info.failure === 'missing') {
    return {
      missing: {
        engine: true,
        what: 'docker is not on the PATH',
        hint: 'install it: https://docs.docker.com/engine/install/',
      },
    };
  }
  // What was cut off is not an answer.
  const engine =
    info.failure === undefined && info.stdout.startsWith('{') ? parseInfo(info.stdout, release()) : { errors: [] };
  if ('id' in engine && succeeded(info)) return engine;
  const errors = 'errors' in engine ? engine.errors : [];
  return { missing: { engine: true, ...explainSilence([...errors, info.stderr].join('\n')) } };
}

function explainSilence(text: string): { what: string; hint: string } {
  const where = /(?:unix|tcp|ssh|npipe):\/\/[^\s".]+(?:\.[^\s".]+)*/.exec(text)?.[0].replace(/[:,]$/, '');
  if (/permission denied/i.test(text)) {
    return {
      what: `Docker does not let this user in${where ? ` (${where})` : ''}`,
      hint: 'sudo usermod -aG docker "$USER" && newgrp docker   # or: docker context ls',
    };
  }
  return {
    what: `no Docker engine answers${where ? ` at ${where}` : ''}`,
    hint: 'start Docker (sudo systemctl start docker, or Docker Desktop), or choose another: docker context ls',
  };
}

const INSTALL: Readonly<Record<string, string>> = {
  kind: 'https://kind.sigs.k8s.io/docs/user/quick-start/#installation',
  kubectl: 'https://kubernetes.io/docs/tasks/tools/',
  k3d: 'https://k3d.io/#installation',
  helm: 'https://helm.sh/docs/intro/install/',
};

/** Programs that are not on the PATH; looked up as files, without starting them. */
export function missingTools(tools: readonly string[], path = process.env.PATH ?? ''): Missing[] {
  const folders = path.split(delimiter).filter((folder) => folder.length > 0);
  return tools
    .filter((tool) => !folders.some((folder) => existsSync(join(folder, tool))))
    .map((tool) => ({ what: `${tool} is not on the PATH`, hint: `install it: ${INSTALL[tool] ?? tool}` }));
}

/** Programs that are there but too old to make a cluster with; one that does not answer is told of when it is used. */
export async function oldTools(runner: Runner, providers: readonly Provider[]): Promise<Missing[]> {
  const found = await Promise.all(
    providers.map(async ({ binaries: [tool = ''], minimumVersion }) => {
      if (!minimumVersion) return [];
      const { stdout } = await runner.run({ argv: minimumVersion.argv, timeout: 20 });
      const version = minimumVersion.read(stdout);
      if (version === undefined || !isOlder(version, minimumVersion.version)) return [];
      const what = `${tool} ${version} is too old: ${minimumVersion.version} is the first that will do`;
      return [{ what, hint: `install a newer one: ${INSTALL[tool] ?? tool}` }];
    }),
  );
  return found.flat();
}

/** Whether `1.9.0` is older than `1.10.0`. */
const isOlder = (version: string, than: string): boolean => version.localeCompare(than, 'en', { numeric: true }) < 0;
