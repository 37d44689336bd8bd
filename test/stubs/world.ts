/** A machine that a test makes up: stub programs alone on the PATH, a home, a folder of specs, an engine's state. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import type { Server } from 'node:https';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildSync } from 'esbuild';
import { startApiServer } from './api-server.ts';
import { type Call, changes } from './call.ts';
import { kubeconfigOf } from './nodes.ts';
import { openStore, type Store } from './store.ts';

const CLI = resolve('dist/cli.js');
const PATIENCE_MS = 20_000;

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Run {
  readonly child: ChildProcess;
  readonly done: Promise<Outcome>;
}

/** The files of a lab in `clusters/`: a cluster a name, its spec in YAML's flow style, and the spec of lab.yaml. */
export function specs(clusters: Readonly<Record<string, string>>, lab?: string): Record<string, string> {
  const files = Object.entries(clusters).map(([name, spec]) => [`clusters/${name}.yaml`, clusterText(name, spec)]);
  return { ...Object.fromEntries(files), ...(lab && { 'clusters/lab.yaml': `kind: Lab\nspec: ${lab}\n` }) };
}

/** The text of a cluster's file; the spec stands on line 4 from column 7 on. */
export const clusterText = (name: string, spec = '{}'): string =>
  `apiVersion: lab/v1alpha1\nkind: Cluster\nmetadata: {name: ${name}}\nspec: ${spec}\n`;

let program: string | undefined;

/** The stub as one script that needs nothing on the PATH, not even node. */
function bundleProgram(): string {
  const { outputFiles } = buildSync({
    entryPoints: [resolve('test/stubs/program.ts')],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    minify: true,
    write: false,
  });
  return `#!${process.execPath}\n${outputFiles[0]?.text}`;
}

export class World {
  readonly root = realpathSync(mkdtempSync(join(tmpdir(), 'lab-cli-')));
  readonly bin = join(this.root, 'bin');
  readonly kubeconfig = join(this.root, 'home', 'kubeconfig');
  readonly stateHome = join(this.root, 'home', 'state');
  readonly store: Store = openStore(join(this.root, 'engine'));
  private readonly log = join(this.root, 'calls.jsonl');
  private readonly children: ChildProcess[] = [];
  private server: Server | undefined;

  /** A machine with an empty engine and the programs; files are put below its root. */
  static async make(files: Readonly<Record<string, string>> = {}): Promise<World> {
    const world = new World();
    for (const folder of [world.bin, join(world.root, 'home')]) mkdirSync(folder);
    // Programs have no extension: what they are is said here, and not by a file that happens to lie above.
    writeFileSync(join(world.bin, 'package.json'), '{"type":"commonjs"}');
    for (const name of ['docker', 'kind', 'k3d', 'kubectl']) world.install(name);
    for (const [file, text] of Object.entries(files)) world.write(file, text);
    world.store.write('engine', 'engine', { id: 'ENGINE', kernel: 'not this one' });
    world.addNetwork('bridge', '172.17.0.0/16');
    world.server = await startApiServer(world.store);
    return world;
  }

  install(name: string): void {
    program ??= bundleProgram();
    writeFileSync(join(this.bin, name), program);
    chmodSync(join(this.bin, name), 0o755);
  }

  uninstall(name: string): void {
    rmSync(join(this.bin, name));
  }

  write(file: string, text: string): void {
    mkdirSync(dirname(join(this.root, file)), { recursive: true });
    writeFileSync(join(this.root, file), text);
  }

  /** Starts `lab`; `env` is added to the environment of this machine, and only that. */
  start(args: readonly string[], env: NodeJS.ProcessEnv = {}, node: readonly string[] = []): Run {
    const child = spawn(process.execPath, [...node, CLI, ...args], {
      cwd: this.root,
      env: {
        PATH: this.bin,
        HOME: join(this.root, 'home'),
        XDG_STATE_HOME: this.stateHome,
        KUBECONFIG: this.kubeconfig,
        STUB_STATE: join(this.root, 'engine'),
        STUB_LOG: this.log,
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.children.push(child);
    const text = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const)
      child[name].setEncoding('utf8').on('data', (chunk) => {
        text[name] += chunk;
      });
    const done = once(child, 'close').then(([code]): Outcome => ({ code, ...text }));
    return { child, done };
  }

  lab(...args: readonly string[]): Promise<Outcome> {
    return this.start(args).done;
  }

  /** Calls of the programs so far, in their order. */
  calls(): Call[] {
    if (!existsSync(this.log)) return [];
    const lines = readFileSync(this.log, 'utf8').split('\n');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line));
  }

  /** The calls that `action` makes. */
  async during(action: () => Promise<unknown>): Promise<Call[]> {
    const before = this.calls().length;
    await action();
    return this.calls().slice(before);
  }

  changes(): Call[] {
    return this.calls().filter(changes);
  }

  /** Waits until a call with this key has begun. */
  async called(key: string): Promise<Call> {
    let call: Call | undefined;
    await eventually(() => {
      call = this.calls().find((one) => one.key === key);
      return call !== undefined;
    }, `a call ${key}`);
    return call as Call;
  }

  /** Whether the program of a call still runs: a process of this number that is this world's, and no zombie. */
  runs({ pid }: Call): boolean {
    try {
      const line =
        process.platform === 'linux'
          ? readFileSync(`/proc/${pid}/cmdline`, 'utf8')
          : execFileSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' });
      return line.includes(this.bin);
    } catch {
      return false;
    }
  }

  /** A kind cluster that somebody made by hand. */
  addForeign(name: string, network = 'bridge', address = '172.17.0.9'): void {
    const node = `${name}-control-plane`;
    this.store.write('containers', node, {
      id: `id-${node}`,
      name: node,
      labels: { 'io.x-k8s.kind.cluster': name, 'io.x-k8s.kind.role': 'control-plane' },
      running: true,
      network,
      addresses: [address],
      pods: '10.244.0.0/16',
      mounts: ['/lib/modules'],
      ports: [],
    });
    const ranges = 'podSubnet: 10.244.0.0/16\nserviceSubnet: 10.96.0.0/16\n';
    this.store.write('files', `${node}:/kind/kubeadm.conf`, ranges);
  }

  /** The kubeconfig that kind wrote for such a cluster. */
  foreignKubeconfig(name: string): string {
    return kubeconfigOf(`kind-${name}`, name, this.store);
  }

  /** A Docker network that somebody made by hand, without IPv6. */
  addNetwork(name: string, subnet: string): void {
    const subnets = [{ Subnet: subnet, Gateway: subnet.replace(/\d+\/\d+$/, '1') }];
    this.store.write('networks', `network-${name}`, { id: `network-${name}`, name, labels: {}, subnets });
  }

  kubeconfigText(): string | undefined {
    return existsSync(this.kubeconfig) ? readFileSync(this.kubeconfig, 'utf8') : undefined;
  }

  /** Ends what still runs and removes everything. */
  async close(): Promise<void> {
    for (const child of this.children) child.kill('SIGKILL');
    for (const { pid } of this.calls().filter((call) => this.runs(call))) process.kill(pid, 'SIGKILL');
    this.server?.closeAllConnections();
    this.server?.close();
    // A stub that was just being started may still write.
    rmSync(this.root, { recursive: true, force: true, maxRetries: 30 });
  }
}

/** Waits until something holds. */
export async function eventually(holds: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`did not happen within ${PATIENCE_MS / 1000} s: ${what}`);
    await sleep(20);
  }
}
