/** What the engine tests share: whether there is an engine, labs in temporary folders, and their removal. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { describe } from 'vitest';

const CLI = resolve('dist/cli.js');

const answers = (program: string, ...args: string[]): boolean => {
  try {
    execFileSync(program, args, { stdio: 'ignore', timeout: 20_000 });
    return true;
  } catch {
    return false;
  }
};

const missing = !answers('docker', 'info')
  ? 'no Docker engine answers'
  : ['kind', 'kubectl'].find((tool) => !answers(tool, 'version', ...(tool === 'kubectl' ? ['--client'] : [])));

/** A suite that needs a real engine; where there is none it says so and is skipped. */
export const describeOnEngine: typeof describe.skip = (missing ? describe.skip : describe) as typeof describe.skip;
if (missing) process.stderr.write(`SKIPPED, visibly: engine tests need Docker, kind and kubectl (${missing})\n`);

export const hasK3d = answers('k3d', 'version');

/** A suite that needs k3d as well; it says so, too. */
export const describeWithK3d: typeof describe.skip = (
  hasK3d ? describeOnEngine : describe.skip
) as typeof describe.skip;

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A cluster that a test works with. */
export interface Access {
  readonly kubectl: (...args: string[]) => string;
  readonly apply: (manifest: string) => void;
}

/** A lab in a temporary folder, with a state directory and a kubeconfig of its own. Names carry the tests' prefix. */
export class EngineLab {
  readonly root = mkdtempSync(join(tmpdir(), 'lab-engine-'));
  readonly dir = join(this.root, 'specs');
  readonly kubeconfig = join(this.root, 'kubeconfig');
  readonly log = join(this.root, 'calls.log');
  readonly env: NodeJS.ProcessEnv;
  readonly children: ChildProcess[] = [];

  constructor(specs: Readonly<Record<string, string>>, defaults = '') {
    mkdirSync(this.dir);
    const image = process.env.LAB_TEST_NODE_IMAGE;
    const k3s = process.env.LAB_TEST_K3S_IMAGE;
    const manifest = process.env.LAB_TEST_METALLB_MANIFEST;
    const site = [
      'kind: Lab\nmetadata: {name: site}\nspec:',
      ...(manifest ? [`  loadBalancer: {manifest: "${manifest}"}`] : []),
      ...(image || k3s ? ['  defaults:'] : []),
      ...(image ? [`    kubernetes: {image: "${image}"}`] : []),
      ...(k3s ? [`    k3d: {image: "${k3s}"}`] : []),
      '  ranges: {loadBalancer: {size: 16}}',
      defaults,
    ].join('\n');
    writeFileSync(join(this.root, 'site.yaml'), site);
    for (const [file, text] of Object.entries(specs)) this.write(file, text);
    this.env = {
      ...process.env,
      HOME: this.root,
      XDG_STATE_HOME: join(this.root, 'state'),
      KUBECONFIG: this.kubeconfig,
      LAB_DEFAULTS: join(this.root, 'site.yaml'),
      PATH: `${this.shims()}${delimiter}${process.env.PATH}`,
      DOCKER_CONFIG: process.env.DOCKER_CONFIG ?? join(process.env.HOME ?? '/', '.docker'),
    };
  }

  write(file: string, text: string): void {
    writeFileSync(join(this.dir, file), text);
  }

  /** Programs that note each call and pass it on. */
  private shims(): string {
    const folder = join(this.root, 'bin');
    mkdirSync(folder);
    for (const program of ['docker', 'kind', 'kubectl', ...(hasK3d ? ['k3d'] : [])]) {
      const real = execFileSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8' }).trim();
      writeFileSync(
        join(folder, program),
        `#!/bin/sh\n# One write a call: several run at once.\nprintf '%s\\037' "$PPID" ${program} "$@" "$(printf '\\036')" >> "$LAB_CALLS"\nexec ${real} "$@"\n`,
      );
      chmodSync(join(folder, program), 0o755);
    }
    return folder;
  }

  /** What `lab` itself called since the last look; kind's own calls of docker are kind's business. */
  takeCalls(): string[][] {
    const text = existsSync(this.log) ? readFileSync(this.log, 'utf8') : '';
    rmSync(this.log, { force: true });
    const own = new Set(this.children.map(({ pid }) => String(pid)));
    return text
      .split('\u001e\u001f')
      .map((call) => call.split('\u001f').slice(0, -1))
      .filter(([parent]) => parent !== undefined && own.has(parent))
      .map(([, ...call]) => call);
  }

  start(...args: string[]): ChildProcess {
    const child = spawn(process.execPath, [CLI, ...args], {
      env: { ...this.env, LAB_CALLS: this.log },
      cwd: this.root,
    });
    this.children.push(child);
    return child;
  }

  /** Runs one command line of `lab` to its end. */
  lab(...args: string[]): Promise<Outcome> {
    return finish(this.start(...args));
  }

  kubectl(context: string, ...args: string[]): string {
    return run('kubectl', ['--kubeconfig', this.kubeconfig, '--context', context, ...args]);
  }

  apply(context: string, manifest: string): void {
    execFileSync('kubectl', ['--kubeconfig', this.kubeconfig, '--context', context, 'apply', '-f', '-'], {
      input: manifest,
    });
  }

  /** One of the lab's clusters. */
  at(context: string): Access {
    return {
      kubectl: (...args) => this.kubectl(context, ...args),
      apply: (manifest) => this.apply(context, manifest),
    };
  }

  /** Deletes the lab's clusters, whatever happened before, and the folder. */
  async remove(): Promise<void> {
    for (const child of this.children) child.kill('SIGKILL');
    const outcome = await this.lab('delete', this.dir, '--all');
    rmSync(this.root, { recursive: true, force: true });
    if (outcome.code !== 0) throw new Error(`could not clean up: ${outcome.stderr}`);
  }
}

export function finish(child: ChildProcess): Promise<Outcome> {
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    stderr += chunk;
  });
  return new Promise((done) => child.on('close', (code) => done({ code, stdout, stderr })));
}

export const run = (program: string, args: readonly string[], input?: string, env?: NodeJS.ProcessEnv): string =>
  execFileSync(program, args, {
    encoding: 'utf8',
    timeout: 300_000,
    ...(input !== undefined && { input }),
    ...(env && { env: { LAB_CALLS: '/dev/null', ...env } }),
  }).trim();

/** Calls that only read; everything else changes something. */
export function isChanging([program, ...args]: readonly string[]): boolean {
  const line = args.join(' ');
  // One process a node reads its routes and rules.
  if (/^exec \S+ sh -c ip -4 route show/.test(line)) return false;
  if (program === 'docker')
    return !/^(info|ps|inspect|cp \S+:\S+ -$|(network|container|image) (ls|inspect)|version)/.test(line);
  if (program === 'k3d') return !/^(kubeconfig get|version)/.test(line);
  if (program === 'kind') return !/^(get|version)/.test(line);
  return !/ (get|version|wait|rollout status) ?/.test(` ${line} `);
}

export const until = async (what: string, seconds: number, holds: () => boolean): Promise<void> => {
  const deadline = Date.now() + seconds * 1000;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`not within ${seconds} s: ${what}`);
    await new Promise((wake) => setTimeout(wake, 200));
  }
};

/** A cluster's spec in one line of YAML. */
export const cluster = (name: string, spec = '{}'): string =>
  `apiVersion: lab/v1alpha1\nkind: Cluster\nmetadata: {name: ${name}}\nspec: ${spec}\n`;

/** A LoadBalancer Service in front of CoreDNS' readiness port: on every node there is, with no image of its own. */
export const READY_SERVICE = (families: string): string => `apiVersion: v1
kind: Service
metadata: {name: ready, namespace: kube-system}
spec:
  type: LoadBalancer
  ipFamilyPolicy: ${families.includes(',') ? 'RequireDualStack' : 'SingleStack'}
  ipFamilies: [${families}]
  selector: {k8s-app: kube-dns}
  ports: [{port: 8181, targetPort: 8181}]
`;

/** This server, or the worker beside it: wherever the scheduler put a pod (CoreDNS). */
export const nodeWithPod = (server: string): string =>
  run('docker', ['exec', server, 'sh', '-c', 'pgrep -o coredns || true']) !== ''
    ? server
    : server.replace(/-control-plane$/, '-worker');

/**
 * Asks a URL from the network namespace of a pod (CoreDNS) of a server's cluster; the answer's body. A new address takes
 * MetalLB and kube-proxy about two seconds.
 */
export const askFromPod = (server: string, url: string): string =>
  run('docker', [
    ...['exec', nodeWithPod(server), 'sh', '-c'],
    `nsenter -t "$(pgrep -o coredns)" -n curl -sS -m 3 --retry 5 --retry-delay 1 --retry-all-errors '${url}'`,
  ]);
