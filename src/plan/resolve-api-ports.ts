import { EnvironmentError } from '../errors.ts';
import { apiPorts } from '../lab/api-port.ts';
import type { Lab } from '../lab/lab.ts';
import type { Observed } from '../lab/observed.ts';
import { PROVIDERS } from '../providers/index.ts';

/**
 * The port of 127.0.0.1 for the API server of every cluster whose provider wants to be told one: what it has, else
 * the first that no cluster publishes, no spec asks for, no other create has chosen and nothing holds.
 * @throws EnvironmentError when all are taken
 */
export function resolveApiPorts(lab: Lab, observed: Observed): ReadonlyMap<string, number> {
  const ports = apiPorts(lab.uid);
  const numbers = (published: readonly string[]) => published.map((port) => Number.parseInt(port, 10));
  const wanted = lab.clusters.flatMap((cluster) => PROVIDERS[cluster.provider].hostPorts(cluster));
  const taken = new Set([
    ...wanted.map(({ port }) => port),
    ...observed.clusters.flatMap(({ nodes }) => nodes.flatMap(({ hostPorts }) => numbers(hostPorts))),
    ...observed.reservations.flatMap(({ uid, port }) => (uid !== lab.uid && port !== undefined ? [port] : [])),
    ...observed.host.portsInUse.map((port) => Number(/(\d+)\/\w+$/.exec(port)?.[1])),
  ]);
  const chosen = new Map<string, number>();
  for (const cluster of lab.clusters.filter((one) => PROVIDERS[one.provider].wantsApiPort?.(one))) {
    const own = observed.clusters.find(({ name, owner }) => name === cluster.name && owner === lab.uid);
    const has = numbers(own?.nodes.flatMap(({ hostPorts }) => hostPorts) ?? []).find((port) => ports.includes(port));
    const port = has ?? ports.find((one) => !taken.has(one));
    if (port === undefined) {
      throw new EnvironmentError(
        `no port is free for the API server of ${cluster.name}: ${ports[0]} to ${ports.at(-1)} are all taken`,
        'name one in its spec: k3d: {kubeAPI: {hostPort: "6550"}}',
      );
    }
    taken.add(port);
    chosen.set(cluster.name, port);
  }
  return chosen;
}
