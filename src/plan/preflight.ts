import type { Desired } from '../lab/desired.ts';
import type { Observed } from '../lab/observed.ts';
import { parseAddress } from '../net/address.ts';
import { contains, countAddresses, parseCidr } from '../net/cidr.ts';
import type { Change } from './change.ts';
import { clustersToMake, formatBytes, nodesToMake, PER_NODE } from './summary.ts';

/** Something counted before anything starts. */
export interface Preflight {
  readonly name: 'engine' | 'tools' | 'inotify' | 'memory' | 'disk' | 'addresses' | 'ports' | 'ipv6';
  readonly result: 'ok' | 'warning' | 'failed';
  readonly detail: string;
  /** The line to type. */
  readonly hint?: string;
}

/** Counts what the changes need against what the machine has; `failed` ones would make a create fail half-way. */
export function preflight(desired: Desired, observed: Observed, changes: readonly Change[]): Preflight[] {
  const nodes = nodesToMake(desired, changes);
  return [
    ...engineAndTools(observed),
    ...inotify(observed, nodes),
    ...memory(observed, nodes),
    ...disk(observed, nodes),
    ...addresses(desired, observed, nodes),
    ...ports(desired, observed, changes),
    ...ipv6(desired, observed, changes),
  ];
}

/** The engine answers and every program is there. */
export function engineAndTools({ engine, missing }: Observed): Preflight[] {
  const ok: Preflight[] = engine
    ? [
        {
          name: 'engine',
          result: 'ok',
          detail: `Docker Engine ${engine.version}, ${engine.cpus} CPUs, ${formatBytes(engine.memory)}`,
        },
      ]
    : [];
  return [
    ...ok,
    ...missing.map(
      ({ what, hint, engine: isEngine }): Preflight => ({
        name: isEngine ? 'engine' : 'tools',
        result: 'failed',
        detail: what,
        hint,
      }),
    ),
  ];
}

/** kube-proxy dies with "too many open files" when a node finds no inotify instance left. */
function inotify({ host }: Observed, nodes: number): Preflight[] {
  if (!host.inotify) return [];
  const { instances, watches, instancesUsed } = host.inotify;
  const need = instancesUsed + nodes * PER_NODE.inotifyInstances;
  const detail = `inotify: ${instancesUsed} of ${instances} instances in use, ${nodes} new nodes take about ${nodes * PER_NODE.inotifyInstances}`;
  const short = need > instances || nodes * PER_NODE.inotifyWatches > watches;
  const wanted = Math.max(1024, 2 ** Math.ceil(Math.log2(need * 2)));
  return short
    ? [
        {
          name: 'inotify',
          result: 'failed',
          detail,
          hint: `sudo sysctl fs.inotify.max_user_instances=${wanted} fs.inotify.max_user_watches=1048576`,
        },
      ]
    : [{ name: 'inotify', result: 'ok', detail }];
}

function memory({ engine, host }: Observed, nodes: number): Preflight[] {
  const need = nodes * PER_NODE.memory;
  const available = host.memoryAvailable ?? engine?.memory;
  if (available === undefined) return [];
  const detail = `memory: ${formatBytes(available)} available, ${nodes} new nodes take about ${formatBytes(need)}`;
  if (need <= available) return [{ name: 'memory', result: 'ok', detail }];
  return [
    {
      name: 'memory',
      result: 'failed',
      detail,
      hint: 'create fewer clusters at a time by naming them, or give the engine more memory',
    },
  ];
}

function disk({ host }: Observed, nodes: number): Preflight[] {
  if (host.diskAvailable === undefined) return [];
  const need = nodes * PER_NODE.disk;
  const detail = `disk: ${formatBytes(host.diskAvailable)} free where Docker keeps its data, ${nodes} new nodes take about ${formatBytes(need)}`;
  if (need <= host.diskAvailable) return [{ name: 'disk', result: 'ok', detail }];
  return [{ name: 'disk', result: 'failed', detail, hint: 'docker system df   # what takes the room' }];
}

/** Addresses that Docker can still hand out on the lab's network. */
function addresses({ network }: Desired, observed: Observed, nodes: number): Preflight[] {
  const existing = observed.networks.find(({ name }) => name === network.name);
  return network.subnets.flatMap(({ range, ipRange }): Preflight[] => {
    const area = parseCidr(ipRange ?? range);
    const used = (existing?.attached ?? [])
      .flatMap((one) => one.addresses)
      .filter((text) => {
        const address = parseAddress(text);
        return address && contains(area, { family: address.family, first: address.value, last: address.value });
      });
    // The network, gateway and broadcast addresses are not handed out.
    const free = countAddresses(area) - BigInt(used.length) - 3n;
    if (free >= 1_000_000n) return [];
    const detail = `addresses: ${free} free in ${ipRange ?? range} of network ${network.name}, ${nodes} new nodes take one each`;
    return free >= BigInt(nodes)
      ? [{ name: 'addresses', result: 'ok', detail }]
      : [
          {
            name: 'addresses',
            result: 'failed',
            detail,
            hint: 'use a larger network: spec.network.subnets in lab.yaml',
          },
        ];
  });
}

function ports({ clusters }: Desired, { host }: Observed, changes: readonly Change[]): Preflight[] {
  const making = clustersToMake(changes);
  return clusters
    .filter(({ name }) => making.includes(name))
    .flatMap(({ spec }) => spec.ports)
    .filter((port) => host.portsInUse.includes(port.host))
    .map((port) => ({
      name: 'ports',
      result: 'failed',
      detail: `host port ${port.host} (${port.at}) is in use`,
      hint: `ss -tlnp 'sport = :${port.host}'   # who holds it`,
    }));
}

function ipv6({ clusters }: Desired, { host }: Observed, changes: readonly Change[]): Preflight[] {
  const making = clustersToMake(changes);
  const wanting = clusters.filter(({ name, spec }) => making.includes(name) && spec.ipFamily !== 'ipv4');
  if (host.ipv6 !== false || wanting.length === 0) return [];
  const names = wanting.map(({ name }) => name).join(', ');
  return [
    {
      name: 'ipv6',
      result: 'failed',
      detail: `IPv6 is switched off in this kernel, and ${names} need it`,
      hint: 'sudo sysctl net.ipv6.conf.all.disable_ipv6=0',
    },
  ];
}
