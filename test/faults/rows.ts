import { specs, type World } from '../cli/machine.ts';

/** One fault: what is broken, in which command, what comes of it, and what the next run makes of that. */
export interface Fault {
  /** What happens, for a person. */
  readonly name: string;
  /** A lab of three clusters of one group, unless it says otherwise. */
  readonly files?: Readonly<Record<string, string>>;
  /** Command lines before it, all well. */
  readonly before?: readonly string[];
  /** As the stubs read it; or by hand. */
  readonly fault?: string;
  readonly breaks?: (world: World) => void;
  readonly run: string;
  readonly exit: number;
  /** What standard error says, among other things. */
  readonly says: readonly RegExp[];
  /** Nodes that run afterwards. */
  readonly nodes: readonly string[];
  readonly mends?: (world: World) => void;
  /** The next command line, which ends well; the changing calls that it makes, in any order. */
  readonly next: string;
  readonly calls: readonly string[];
}

const MEMBERS = { a: '{group: g}', b: '{group: g}', c: '{group: g}' };
/** Without load balancers, which take a third of the processes. */
export const THREE = specs(MEMBERS, '{loadBalancer: {addon: none}}');
const MESHED = specs({ a: '{group: g}', b: '{group: g}' }, '{mesh: linkerd, loadBalancer: {addon: none}}');

const node = (name: string) => `${name}-control-plane`;
const nodes = (...names: readonly string[]) => names.map(node);
const ALL = nodes('a', 'b', 'c');

/** What makes one cluster, and what only finishes it. */
const finish = (name: string) => [`docker:exec:${node(name)}`, `kubectl:annotate:${name}`];
const make = (name: string) => [`kind:create:${name}`, ...finish(name)];
const routes = (...names: readonly string[]) => names.map((name) => `docker:exec:${node(name)}`);

const AGAIN = /What is done stays; the rest is made by: lab /;
const NO_STACK = /^(?![\s\S]*(at .*\(.*:\d+\)|bug in lab))/;

const engineAway = (world: World, error?: string) =>
  world.store.write('engine', 'engine', { id: 'ENGINE', kernel: 'not this one', ...(error && { error }) });

export const FAULTS: readonly Fault[] = [
  {
    name: 'there is no address pool left for the network',
    fault: 'docker:network:lab-clusters:exit1=could not find an available, non-overlapping IPv4 address pool',
    run: 'create',
    exit: 1,
    says: [
      /^lab: could not create Docker network lab-clusters$/m,
      /non-overlapping IPv4/,
      /^lab +failed +0 of 1/m,
      AGAIN,
    ],
    nodes: [],
    next: 'create',
    calls: ['docker:network:lab-clusters', ...make('a'), ...make('b'), ...make('c')],
  },
  {
    name: 'one cluster of three cannot be made',
    fault: 'kind:create:b:exit1=port is already allocated',
    run: 'create',
    exit: 1,
    says: [/^b: could not create the nodes$/m, /port is already allocated/, /^b +failed +0 of 5 /m, AGAIN],
    nodes: nodes('a', 'c'),
    next: 'create',
    calls: make('b'),
  },
  {
    name: 'the one k3d cluster of three cannot be made',
    files: specs({ ...MEMBERS, b: '{provider: k3d, group: g}' }, '{loadBalancer: {addon: none}}'),
    fault: 'k3d:create:b:exit1=Bind for 127.0.0.1 failed: port is already allocated',
    run: 'create',
    exit: 1,
    says: [/^b: could not create the nodes$/m, /port is already allocated/, /^b +failed +/m, AGAIN],
    nodes: nodes('a', 'c'),
    next: 'create',
    calls: ['k3d:create:b', 'docker:exec:k3d-b-server-0', 'kubectl:annotate:b'],
  },
  {
    name: 'the image of the nodes cannot be pulled',
    files: specs(MEMBERS, '{loadBalancer: {addon: none}, defaults: {kubernetes: {image: "kindest/node:v1.34.0"}}}'),
    fault: 'docker:pull:kindest/node:v1.34.0:exit1=manifest unknown',
    run: 'create',
    exit: 1,
    says: [/^lab: could not pull kindest\/node:v1\.34\.0$/m, /manifest unknown/, /name an image that can: spec/, AGAIN],
    nodes: [],
    next: 'create',
    calls: ['docker:pull:kindest/node:v1.34.0', ...make('a'), ...make('b'), ...make('c')],
  },
  {
    name: 'kind is killed by the system',
    fault: 'kind:create:b:kill9',
    run: 'create',
    exit: 1,
    says: [/^b: could not create the nodes$/m, /: ended early$/m, AGAIN],
    nodes: ALL,
    next: 'create',
    calls: ['kind:delete:b', ...make('b')],
  },
  {
    name: 'kind floods its standard error',
    fault: 'kind:create:b:flood200',
    run: 'create',
    exit: 1,
    says: [/^ {4}the end of the flood$/m, AGAIN],
    nodes: nodes('a', 'c'),
    next: 'create',
    calls: make('b'),
  },
  {
    name: 'MetalLB cannot be installed on one',
    files: specs(MEMBERS),
    fault: 'kubectl:apply:b:exit1=error: no space left on device',
    run: 'create',
    exit: 1,
    says: [/^b: could not install MetalLB$/m, /no space left on device/, /^b +failed +/m, AGAIN],
    nodes: ALL,
    next: 'create',
    calls: ['kubectl:apply:b', 'kubectl:apply:b'],
  },
  {
    name: 'the note in the cluster cannot be written',
    fault: 'kubectl:annotate:b:exit1',
    run: 'create',
    exit: 1,
    says: [/^b: could not note the same in the cluster$/m, AGAIN],
    nodes: ALL,
    next: 'create',
    calls: ['docker:exec:b-control-plane', 'kubectl:annotate:b'],
  },
  {
    name: 'the engine goes away in the middle',
    fault: 'kind:create:b:down1',
    run: 'create --jobs 1',
    exit: 1,
    says: [/^b: could not create the nodes$/m, /Cannot connect to the Docker daemon at unix:/, AGAIN, NO_STACK],
    nodes: nodes('a'),
    mends: (world) => engineAway(world),
    next: 'create',
    calls: ['kind:delete:a', ...make('a'), ...make('b'), ...make('c')],
  },
  {
    name: 'the engine was away before',
    before: ['create'],
    breaks: (world) => engineAway(world, 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock'),
    run: 'route',
    exit: 3,
    says: [/^lab: nothing was changed: no Docker engine answers at unix:/m, /docker context ls/, NO_STACK],
    nodes: ALL,
    mends: (world) => engineAway(world),
    next: 'route',
    calls: routes('a', 'b', 'c'),
  },
  {
    name: 'the engine answers something that is no answer',
    before: ['create'],
    fault: 'docker:info:{{json .}}:says0=<html>502 Bad Gateway</html>',
    run: 'route',
    exit: 3,
    says: [/no Docker engine answers/, NO_STACK],
    nodes: ALL,
    next: 'route',
    calls: routes('a', 'b', 'c'),
  },
  {
    name: 'the engine stops answering between two looks',
    before: ['create'],
    fault: 'docker:network:{{.ID}}:exit1=context deadline exceeded',
    run: 'delete --all',
    exit: 3,
    says: [/^lab: Docker stopped answering: context deadline exceeded$/m, NO_STACK],
    nodes: ALL,
    next: 'delete --all',
    calls: ['kind:delete:a', 'kind:delete:b', 'kind:delete:c', 'docker:network:lab-clusters'],
  },
  {
    name: 'one cluster cannot be deleted',
    before: ['create'],
    fault: 'kind:delete:b:exit1=device or resource busy',
    run: 'delete --all',
    exit: 1,
    says: [/^b: could not delete the nodes$/m, /device or resource busy/, /^b +failed /m, AGAIN],
    nodes: nodes('b'),
    next: 'delete --all',
    calls: ['kind:delete:b', 'docker:network:lab-clusters'],
  },
  {
    name: 'the routes of one node cannot be set',
    before: ['create'],
    fault: 'docker:exec:b-control-plane:exit2=RTNETLINK answers: Network is unreachable@3',
    run: 'route',
    exit: 1,
    says: [/^b: could not /m, /Network is unreachable/, /^a +done .*\nb +failed .*\nc +done/m, AGAIN],
    nodes: ALL,
    next: 'route',
    calls: routes('b'),
  },
  {
    name: 'a node cannot be stopped',
    before: ['create'],
    fault: 'docker:stop:b-control-plane:exit1=permission denied',
    run: 'stop',
    exit: 1,
    says: [/^b: could not stop /m, AGAIN],
    nodes: nodes('b'),
    next: 'stop',
    calls: ['docker:stop:b-control-plane'],
  },
  {
    name: 'a cluster cannot give its peers a link',
    files: MESHED,
    breaks: (world) => world.install('linkerd'),
    fault: 'linkerd:link-gen:b:exit1=Error: no gateway and no token',
    run: 'up',
    exit: 1,
    says: [/^a: could not make credentials for a in b$/m, /no gateway and no token/, AGAIN],
    nodes: nodes('a', 'b'),
    next: 'up',
    calls: ['kubectl:apply:a', 'kubectl:annotate:a'],
  },
  {
    name: 'the mesh cannot be installed on one',
    files: MESHED,
    breaks: (world) => world.install('linkerd'),
    fault: 'linkerd:check:b:exit1=Error: no CA',
    run: 'up',
    exit: 1,
    says: [/^b: could not check /m, AGAIN],
    nodes: nodes('a', 'b'),
    next: 'up',
    // Its control plane, extension and link, each with a note of what it was made from; and the peer's link to it.
    calls: [
      ...Array.from({ length: 4 }, () => 'kubectl:apply:b'),
      ...Array.from({ length: 3 }, () => 'kubectl:annotate:b'),
      'kubectl:apply:a',
      'kubectl:annotate:a',
    ],
  },
];
