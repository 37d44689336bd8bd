import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { parse } from 'yaml';
import { Failure } from './failure.ts';
import { addNode, kubeconfigOf, nodesOf, removeNodes } from './nodes.ts';
import { type Request, valuesOf } from './request.ts';

const CLUSTER = 'io.x-k8s.kind.cluster';
const ROLE = 'io.x-k8s.kind.role';

/** `kind`, whose nodes are containers of the stub of Docker. */
export async function runKind(request: Request): Promise<string> {
  const { argv, store } = request;
  const [name = ''] = valuesOf(argv, '--name');
  const [file = ''] = valuesOf(argv, '--kubeconfig');
  if (argv[0] === 'version') return 'kind v0.33.0\n';
  switch (`${argv[0]} ${argv[1]}`) {
    case 'create cluster':
      await create(name, file, request);
      return '';
    case 'delete cluster':
      removeNodes(name, store);
      rmSync(file, { force: true });
      return '';
    case 'get kubeconfig':
      if (nodesOf(store, name).length === 0) throw new Failure(`ERROR: could not locate any control plane nodes`);
      return kubeconfigOf(`kind-${name}`, name, store);
    case 'load docker-image':
      return '';
    default:
      throw new Failure(`the stub does not know: kind ${argv.join(' ')}`, 99);
  }
}

interface Config {
  readonly networking: { readonly podSubnet: string; readonly serviceSubnet: string };
  readonly nodes: readonly {
    readonly role: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly extraMounts?: readonly { readonly containerPath: string }[];
    readonly extraPortMappings?: readonly { readonly hostPort: number }[];
  }[];
}

async function create(name: string, file: string, { stdin, store, fail }: Request): Promise<void> {
  const config = parse(stdin) as Config;
  const wanted = process.env.KIND_EXPERIMENTAL_DOCKER_NETWORK ?? 'kind';
  const network = store.list('networks').find((one) => one.name === wanted);
  if (!network) throw new Failure(`ERROR: failed to create cluster: no network ${wanted}`);
  if (nodesOf(store, name).length > 0)
    throw new Failure(`ERROR: failed to create cluster: node(s) already exist for a cluster with the name "${name}"`);
  const counts = new Map<string, number>();
  for (const { role, labels = {}, extraMounts = [], extraPortMappings = [] } of config.nodes) {
    const count = (counts.get(role) ?? 0) + 1;
    counts.set(role, count);
    const node = `${name}-${role}${count === 1 ? '' : count}`;
    store.write('labels', node, labels);
    store.write('files', `${node}:/kind/kubeadm.conf`, kubeadmConf(config));
    addNode(
      {
        name: node,
        labels: { [CLUSTER]: name, [ROLE]: role },
        mounts: extraMounts.map(({ containerPath }) => containerPath),
        ports: extraPortMappings.map(({ hostPort }) => hostPort),
        pods: config.networking.podSubnet,
      },
      network,
      store,
    );
  }
  try {
    await fail();
  } catch (error) {
    // As kind does, unless it is killed.
    removeNodes(name, store);
    throw error;
  }
  if (existsSync(`${file}.lock`)) throw new Failure(`ERROR: failed to lock config file: ${file}.lock exists`);
  writeFileSync(file, kubeconfigOf(`kind-${name}`, name, store), { mode: 0o600 });
}

const kubeadmConf = ({ networking }: Config): string =>
  `networking:\n  podSubnet: ${networking.podSubnet}\n  serviceSubnet: ${networking.serviceSubnet}\n`;
