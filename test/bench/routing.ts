/** What routing costs: seconds on a real engine beside one command a route, and processes by the number of nodes. */
import { execFileSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { createPerformer } from '../../src/exec/perform-step.ts';
import { createRunner } from '../../src/exec/run-command.ts';
import { runSteps } from '../../src/exec/scheduler.ts';
import type { NodeRoute } from '../../src/lab/routing.ts';
import { routingStep } from '../../src/plan/routing-step.ts';
import { formatTable } from '../../src/report/table.ts';
import { routeReplace } from '../../src/tools/ip-route.ts';
import { specs, World } from '../stubs/world.ts';

const NODES = 10;
const PREFIX = `lab-bench-${process.pid}`;

const docker = (...args: string[]): string => execFileSync('docker', args, { encoding: 'utf8', stdio: 'pipe' }).trim();

/** An image of this engine that has `ip`: a node's. Throws where no engine answers. */
function nodeImage(): string {
  const images = docker('image', 'ls', '--format', '{{.Repository}}:{{.Tag}}').split('\n');
  const found = process.env.LAB_TEST_NODE_IMAGE ?? images.find((name) => /^(kindest|lab)\/node:/.test(name));
  if (!found) throw new Error('no node image on the engine');
  return found;
}

/** Plain containers on one network, each with the routes to all others. */
function makeNodes(image: string): { readonly name: string; readonly routes: readonly NodeRoute[] }[] {
  docker('network', 'create', PREFIX);
  const names = Array.from({ length: NODES }, (_, n) => `${PREFIX}-${n}`);
  for (const name of names)
    docker(
      ...['run', '--detach', '--rm', '--cap-add=NET_ADMIN', '--network', PREFIX, '--name', name],
      '--entrypoint=sleep',
      image,
      '900',
    );
  const format = '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}';
  const routes = names.map((name, n) => ({
    destination: `10.99.${n}.0/24`,
    via: docker('inspect', '--format', format, name),
  }));
  return names.map((name, n) => ({ name, routes: routes.filter((_, peer) => peer !== n) }));
}

function removeNodes(): void {
  const names = docker('ps', '--all', '--format', '{{.Names}}', '--filter', `name=^${PREFIX}-`);
  if (names !== '') docker('rm', '--force', ...names.split('\n'));
  docker('network', 'rm', '--force', PREFIX);
}

type Nodes = ReturnType<typeof makeNodes>;

/** As `lab route` does it: the same steps, by the same scheduler. */
async function routeBatched(nodes: Nodes): Promise<void> {
  const signal = new AbortController().signal;
  const perform = createPerformer({
    runner: createRunner(),
    stateDir: '/',
    kubeconfig: '',
    signal,
    onProcess: () => {},
  });
  const steps = nodes.map(({ name, routes }) =>
    routingStep({
      ...{ kind: 'routing', cluster: name, node: name, why: '' },
      ...{ addRoutes: routes, removeRoutes: [], addRules: [], removeRules: [] },
    }),
  );
  const reports = await runSteps(steps, { jobs: availableParallelism(), signal, perform });
  if (reports.some(({ result }) => result !== 'done')) throw new Error(JSON.stringify(reports));
}

async function routeOneByOne(nodes: Nodes): Promise<void> {
  for (const { name, routes } of nodes)
    for (const route of routes) docker('exec', name, ...routeReplace(route).split(' '));
}

/** Seconds of one way, from nodes without routes; throws when not every route is there afterwards. */
async function timeRouting(nodes: Nodes, way: (nodes: Nodes) => Promise<void>): Promise<number> {
  const ours = "ip route show | grep 'metric 76'";
  for (const { name } of nodes)
    docker('exec', name, 'sh', '-c', `${ours} | while read -r route; do ip route del $route; done`);
  const begun = performance.now();
  await way(nodes);
  const seconds = (performance.now() - begun) / 1000;
  for (const { name, routes } of nodes) {
    const there = docker('exec', name, 'sh', '-c', ours).split('\n').length;
    if (there !== routes.length) throw new Error(`${name} has ${there} of ${routes.length} routes`);
  }
  return seconds;
}

/** Three rounds in turn, the best of each way: a busy moment of the machine is nobody's. */
async function compareOnEngine(): Promise<string> {
  let image: string;
  try {
    image = nodeImage();
  } catch (error) {
    return `SKIPPED, visibly: routes of ${NODES} nodes need an engine with a node image (${String(error).split('\n')[0]})`;
  }
  try {
    const nodes = makeNodes(image);
    const batched: number[] = [];
    const single: number[] = [];
    for (let round = 0; round < 3; round++) {
      batched.push(await timeRouting(nodes, routeBatched));
      single.push(await timeRouting(nodes, routeOneByOne));
    }
    const [fast, slow] = [Math.min(...batched), Math.min(...single)];
    return formatTable(
      [`ROUTES OF ${NODES} NODES`, 'BEST OF 3', 'TIMES FASTER', 'AIM'],
      [
        ['one docker exec a route, one after another', `${slow.toFixed(2)} s`, '1.0 x', '-'],
        ['lab route', `${fast.toFixed(2)} s`, `${(slow / fast).toFixed(1)} x`, '>= 10 x'],
      ],
    );
  } finally {
    removeNodes();
  }
}

/** Processes that the verbs start for a group of so many clusters of one node. */
async function countProcesses(nodes: number): Promise<number[]> {
  const names = Array.from({ length: nodes }, (_, n) => [`c${n}`, '{group: all}']);
  const world = await World.make(specs(Object.fromEntries(names)));
  try {
    await world.lab('create');
    const counts: number[] = [];
    for (const verb of ['route', 'route', 'status']) counts.push((await world.during(() => world.lab(verb))).length);
    return counts;
  } finally {
    await world.close();
  }
}

/** The tables of routing. */
export async function routingTables(): Promise<string[]> {
  const sizes = [2, 4, 8];
  const counts: number[][] = [];
  for (const nodes of sizes) counts.push(await countProcesses(nodes));
  const rows = ['route', 'route, again', 'status'].map((verb, index) => [
    verb,
    ...counts.map((of) => String(of[index])),
    'as nodes, not as pairs',
  ]);
  const headings = ['PROCESSES', ...sizes.map((nodes) => `${nodes} NODES`), 'GROWS'];
  return [formatTable(headings, rows), await compareOnEngine()];
}
