import { Failure } from './failure.ts';
import { changeRouting, listRouting, runOnNode } from './node-routing.ts';
import { type Request, valuesOf } from './request.ts';
import type { Store, Stored } from './store.ts';

const BLOCK = 512;

/** `docker`, as an engine whose containers are only noted down. */
export async function runDocker({ argv, stdin, store }: Request): Promise<string> {
  const engine = store.read('engine', 'engine');
  const [verb, noun, ...rest] = argv;
  if (engine?.error) throw new Failure(engine.error, 1, verb === 'info' ? '{"ID":"","ServerVersion":""}\n' : '');
  switch (verb === 'network' || verb === 'container' || verb === 'image' ? `${verb} ${noun}` : verb) {
    case 'info':
      return json({
        ID: engine?.id,
        ServerVersion: '28.0.0',
        NCPU: 4,
        MemTotal: 2 ** 36,
        KernelVersion: engine?.kernel,
        DockerRootDir: '/',
      });
    case 'version':
      return 'client 28.0.0, server 28.0.0\n';
    case 'network ls':
      return store
        .list('networks')
        .filter(({ name }) => matches(argv, 'name', (wanted) => wanted === `^${name}$`))
        .map(({ id }) => `${id}\n`)
        .join('');
    case 'network create':
      return createNetwork(argv, store);
    case 'network inspect':
      return json(
        store
          .list('networks')
          .filter(({ id }) => rest.includes(id))
          .map((network) => showNetwork(network, store)),
      );
    case 'network rm':
      return removeNetwork(rest[0] ?? '', store);
    case 'inspect':
      return inspectAddress(argv, store);
    case 'ps':
      return listContainers(argv, store);
    case 'container inspect':
      return json(
        store
          .list('containers')
          .filter(({ id }) => rest.includes(id))
          .map(showContainer),
      );
    case 'image inspect':
      return inspectImages(rest, store);
    case 'pull': {
      const image = argv.at(-1) ?? '';
      store.write('images', image, { id: `sha256:${image}`, name: image });
      return `${image}\n`;
    }
    case 'cp': {
      const content = store.read('files', noun ?? '');
      if (content === undefined) throw new Failure(`Error response from daemon: Could not find the file ${noun}`);
      return tarOf(content);
    }
    case 'exec':
      return execute(argv, stdin, store);
    case 'start':
    case 'stop':
      for (const name of argv.slice(1)) switchNode(name, verb === 'start', store);
      return '';
    default:
      throw new Failure(`the stub does not know: docker ${argv.join(' ')}`, 99);
  }
}

function switchNode(name: string, running: boolean, store: Store): void {
  const container = store.read('containers', name);
  if (!container) throw new Failure(`Error response from daemon: No such container: ${name}`);
  store.write('containers', name, { ...container, running });
  // Its network namespace goes with it.
  if (!running) store.remove('routing', name);
}

const json = (value: unknown): string => `${JSON.stringify(value)}\n`;

/** `docker exec`, of the things that are done on a node: writing a file, a new certificate, listing and changing its routing. */
function execute(argv: readonly string[], stdin: string, store: Store): string {
  const [container = '', ...command] = argv.slice(argv[1] === '-i' ? 2 : 1);
  if (!store.read('containers', container)?.running)
    throw new Failure(`Error response from daemon: container ${container} is not running`);
  const script = command.join(' ');
  const file = /^sh -c IFS= read -r record && .* && mv \S+ (\S+)$/.exec(script)?.[1];
  if (file !== undefined) {
    if (!stdin.endsWith('\n')) throw new Failure('');
    store.write('files', `${container}:${file}`, stdin);
  } else if (script.startsWith('sh -c ip -4 route show;')) return listRouting(container, store);
  else if (script === 'sh -e' && stdin.includes('phase certs apiserver'))
    store.write('certificates', container, store.read('containers', container)?.addresses ?? []);
  else if (script === 'sh') return askFromPod(stdin, store);
  else if (script === 'sh -e') changeRouting(container, stdin, store);
  else if (command[2] === '-c' && command[3]) changeRouting(container, runOnNode(command[3], stdin), store);
  else throw new Failure(`the stub does not know: docker ${argv.join(' ')}`, 99);
  return '';
}

/** The request of a check, whose URL is the last word of the first line. */
function askFromPod(script: string, store: Store): string {
  const url = /^set -- .* '?(\S+?)'?\n/.exec(script)?.[1] ?? '';
  return `lab-check ${store.read('answers', url) ?? `silent wget: bad address '${new URL(url).hostname}'`}\n`;
}

/** `docker inspect --format`, with the template that asks for one address as a URL. */
function inspectAddress(argv: readonly string[], store: Store): string {
  const container = store.read('containers', argv.at(-1) ?? '');
  const family = valuesOf(argv, '--format')[0]?.includes('GlobalIPv6Address') ? 6 : 4;
  if (!container?.running) throw new Failure(`Error response from daemon: No such container: ${argv.at(-1)}`);
  const address = addressOf(container, family);
  return `https://${family === 6 ? `[${address}]` : address}:6443\n`;
}

/** Whether something passes every `--filter KEY=VALUE` of this key. */
const matches = (argv: readonly string[], key: string, passes: (value: string) => boolean): boolean =>
  valuesOf(argv, '--filter')
    .filter((filter) => filter.startsWith(`${key}=`))
    .every((filter) => passes(filter.slice(key.length + 1)));

function createNetwork(argv: readonly string[], store: Store): string {
  const name = argv.at(-1) ?? '';
  if (store.list('networks').some((network) => network.name === name))
    throw new Failure(`Error response from daemon: network with name ${name} already exists`);
  const subnets: { Subnet: string; Gateway?: string; IPRange?: string }[] = [];
  argv.forEach((word, index) => {
    const value = argv[index + 1] ?? '';
    if (word === '--subnet') subnets.push({ Subnet: value });
    if (word === '--gateway') Object.assign(subnets.at(-1) ?? {}, { Gateway: value });
    if (word === '--ip-range') Object.assign(subnets.at(-1) ?? {}, { IPRange: value });
  });
  const labels = Object.fromEntries(valuesOf(argv, '--label').map((label) => label.split(/=(.*)/s).slice(0, 2)));
  const id = `network-${name}`;
  store.write('networks', id, { id, name, labels, subnets });
  return `${id}\n`;
}

function removeNetwork(name: string, store: Store): string {
  const network = store.list('networks').find((one) => one.name === name);
  if (!network) throw new Failure(`Error response from daemon: network ${name} not found`);
  if (store.list('containers').some((container) => container.network === name))
    throw new Failure(`Error response from daemon: error while removing network: network ${name} has active endpoints`);
  store.remove('networks', network.id);
  return `${name}\n`;
}

function showNetwork({ id, name, labels, subnets }: Stored['networks'], store: Store) {
  const attached = store.list('containers').filter(({ network, running }) => network === name && running);
  return {
    Id: id,
    Name: name,
    Driver: 'bridge',
    EnableIPv6: subnets.some(({ Subnet }) => Subnet.includes(':')),
    Labels: labels,
    IPAM: { Config: subnets },
    Containers: Object.fromEntries(
      attached.map((container) => [
        container.id,
        { Name: container.name, IPv4Address: addressOf(container, 4), IPv6Address: addressOf(container, 6) },
      ]),
    ),
  };
}

const addressOf = ({ addresses }: Stored['containers'], family: 4 | 6): string =>
  addresses.find((address) => address.includes(':') === (family === 6)) ?? '';

function showContainer(container: Stored['containers']) {
  const { id, name, labels, running, network, mounts, ports, args = [] } = container;
  const bindings = Object.fromEntries(ports.map((port) => [`${port}/tcp`, [{ HostPort: String(port) }]]));
  const address = { IPAddress: addressOf(container, 4), GlobalIPv6Address: addressOf(container, 6) };
  return {
    Id: id,
    Name: `/${name}`,
    Args: args,
    State: { Running: running },
    Config: { Image: 'kindest/node', Labels: labels },
    Mounts: mounts.map((Destination) => ({ Destination })),
    HostConfig: { PortBindings: bindings },
    NetworkSettings: { Networks: { [network]: running ? address : {} }, Ports: running ? bindings : {} },
  };
}

function listContainers(argv: readonly string[], store: Store): string {
  const found = store
    .list('containers')
    .filter(({ labels }) =>
      matches(argv, 'label', (label) => Object.entries(labels).some((pair) => pair.join('=') === label)),
    )
    .filter(({ network }) => matches(argv, 'network', (wanted) => wanted === network));
  const withLabels = argv.includes('--format');
  return found
    .map(({ id, labels }) => {
      const text = Object.entries(labels).map((pair) => pair.join('='));
      return `${id}${withLabels ? `\t${text.join(',')}` : ''}\n`;
    })
    .join('');
}

function inspectImages(names: readonly string[], store: Store): string {
  const found = names.flatMap((name) => store.read('images', name) ?? []);
  const text = json(found.map(({ id, name }) => ({ Id: id, RepoTags: [name] })));
  if (found.length < names.length) throw new Failure('Error: No such image', 1, text);
  return text;
}

/** A tar archive of one file, as far as a reader needs it. */
function tarOf(content: string): string {
  const body = Buffer.from(content);
  const archive = Buffer.alloc(BLOCK + Math.ceil(body.length / BLOCK) * BLOCK + 2 * BLOCK);
  archive.write('file', 0);
  archive.write(body.length.toString(8).padStart(11, '0'), 124);
  archive.write('0', 156);
  body.copy(archive, BLOCK);
  return archive.toString();
}
