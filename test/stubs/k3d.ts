import { appendFileSync, existsSync } from 'node:fs';
import { parse } from 'yaml';
import { Failure } from './failure.ts';
import { addNode, kubeconfigOf, nodesOf, removeNodes } from './nodes.ts';
import { type Request, valuesOf } from './request.ts';

/** `k3d`, whose nodes are containers of the stub of Docker; `version` is what the world says it is. */
export async function runK3d(request: Request): Promise<string> {
  const { argv, store } = request;
  const name = argv[2] ?? '';
  switch (argv.slice(0, 2).join(' ')) {
    case 'version':
      return `k3d version v${store.read('engine', 'engine')?.k3d ?? '5.9.0'}\nk3s version v1.33.6-k3s1 (default)\n`;
    case 'cluster create':
      await create(name, request);
      return 'INFO[0030] Cluster created successfully!\n';
    case 'cluster delete':
      removeNodes(name, store);
      rewriteKubeconfig();
      return '';
    case 'kubeconfig get':
      if (nodesOf(store, name).length === 0) throw new Failure(`FATA[0000] No nodes found for cluster '${name}'`);
      return `---\n${kubeconfigOf(`k3d-${name}`, name, store)}\n`;
    case 'image import':
      if (valuesOf(argv, '--mode')[0] !== 'direct')
        throw new Failure('the helper container exits 0 whatever happens', 99);
      return '';
    default:
      throw new Failure(`the stub does not know: k3d ${argv.join(' ')}`, 99);
  }
}

/** As k3d does, with whatever the environment names. */
function rewriteKubeconfig(): void {
  const file = process.env.KUBECONFIG ?? '';
  if (existsSync(file)) appendFileSync(file, '# rewritten by k3d\n');
}

interface Config {
  readonly network: string;
  readonly servers: number;
  readonly agents: number;
  readonly kubeAPI: { readonly hostPort: string };
  readonly volumes: readonly { readonly volume: string }[];
  readonly ports?: readonly { readonly port: string }[];
  readonly options: {
    readonly k3s: {
      readonly extraArgs: readonly { readonly arg: string }[];
      readonly nodeLabels?: readonly { readonly label: string }[];
    };
  };
}

async function create(name: string, { stdin, store, fail }: Request): Promise<void> {
  const { env } = process;
  const config = parse(stdin) as Config;
  // An empty variable counts as none.
  const wanted = env.K3D_NETWORK || config.network;
  const network = store.list('networks').find((one) => one.name === wanted);
  if (!network) throw new Failure(`FATA[0000] no network ${wanted}, and k3d would make one`);
  if (nodesOf(store, name).length > 0)
    throw new Failure(`FATA[0000] Failed to create cluster '${name}' because a cluster with that name already exists`);
  const args = config.options.k3s.extraArgs.map(({ arg }) => arg);
  const pods = args.find((arg) => arg.startsWith('--cluster-cidr='))?.split('=')[1] ?? '10.42.0.0/16';
  const labels = (config.options.k3s.nodeLabels ?? []).map(({ label }) => label.split('='));
  const numbers = [config.kubeAPI.hostPort, ...(config.ports ?? []).map(({ port }) => port.split(':').at(-2) ?? '')];
  for (const [role, count] of [
    ['server', config.servers],
    ['agent', config.agents],
  ] as const) {
    for (let index = 0; index < count; index++) {
      const node = `k3d-${name}-${role}-${index}`;
      store.write('labels', node, Object.fromEntries(labels));
      addNode(
        {
          name: node,
          labels: { app: 'k3d', 'k3d.cluster': name, 'k3d.role': role },
          mounts: config.volumes.map(({ volume }) => volume.split(':')[1] ?? ''),
          ports: role === 'server' && index === 0 ? numbers.map(Number) : [],
          args: role === 'server' ? [role, ...args] : [role],
          pods,
        },
        network,
        store,
      );
    }
  }
  try {
    await fail();
  } catch (error) {
    // As k3d does, unless it is killed.
    removeNodes(name, store);
    throw error;
  }
}
