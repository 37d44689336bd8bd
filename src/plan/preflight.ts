import type { Desired } from '../lab/desired.ts';
import { formatCount } from '../lab/format-count.ts';
import { formatHostPort } from '../lab/host-port.ts';
import type { Observed } from '../lab/observed.ts';
import { parseAddress } from '../net/address.ts';
import { contains, countAddresses, parseCidr } from '../net/cidr.ts';
import { PROVIDERS } from '../providers/index.ts';
import type { Change } from './change.ts';
import { kernelChecks } from './preflight-kernel.ts';
import { clustersToMake, formatBytes, nodesToMake, PER_NODE } from './summary.ts';

/** Something counted before anything starts. */
export interface Preflight {
  readonly name:
    | 'engine'
    | 'tools'
    | 'inotify'
    | 'memory'
    | 'disk'
    | 'addresses'
    | 'images'
    | 'ports'
    | 'ipv6'
    | 'kernel';
  readonly result: 'ok' | 'warning' | 'failed';
  /** Says by itself what it is about. */
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
    ...addresses(desired, observed, changes),
    ...images(desired, observed, changes),
    ...ports(desired, observed, changes),
    ...ipv6(desired, observed, changes),
    ...kernelChecks(desired, observed, changes),
  ];
}

/** The engine answers and every program is there. */
export function engineAndTools({ engine, missing }: Observed): Preflight[] {
  const ok: Preflight[] = engine
    ? [
        {
          name: 'engine',
          result: 'ok',
          detail: `Docker Engine ${engine.version}, ${formatCount(engine.cpus, 'CPU')}, ${formatBytes(engine.memory)}`,
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
function inotify({ host, clusters }: Observed, nodes: number): Preflight[] {
  if (!host.inotify) return [];
  const { instances, watches, instancesUsed } = host.inotify;
  const running = clusters.flatMap((one) => one.nodes.filter((node) => node.running && node.role !== 'proxy'));
  const used = instancesUsed ?? running.length * PER_NODE.inotifyInstances;
  const need = used + nodes * PER_NODE.inotifyInstances;
  const about = instancesUsed === undefined ? 'about ' : '';
  const detail = `${about}${used} of ${instances} inotify instances in use, ${formatCount(nodes, 'new node takes', 'new nodes take')} about ${nodes * PER_NODE.inotifyInstances}`;
  // What runs already does so; only new nodes could fail.
  const short = nodes > 0 && (need > instances || nodes * PER_NODE.inotifyWatches > watches);
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
  const detail = `${formatBytes(available)} of memory available, ${formatCount(nodes, 'new node takes', 'new nodes take')} about ${formatBytes(need)}`;
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
  const detail = `${formatBytes(host.diskAvailable)} of disk free where Docker keeps its data, ${formatCount(nodes, 'new node takes', 'new nodes take')} about ${formatBytes(need)}`;
  if (need <= host.diskAvailable) return [{ name: 'disk', result: 'ok', detail }];
  return [{ name: 'disk', result: 'failed', detail, hint: 'docker system df   # what takes the room' }];
}

/** Addresses that Docker can still hand out on the lab's network. */
function addresses({ network, clusters }: Desired, observed: Observed, changes: readonly Change[]): Preflight[] {
  const making = clustersToMake(changes);
  const made = clusters.filter(({ name }) => making.includes(name));
  const nodes = made.reduce((sum, cluster) => sum + cluster.nodes.length, 0);
  const helpers = made.reduce((sum, { spec }) => sum + PROVIDERS[spec.provider].helpers(spec), 0);
  const existing = observed.networks.find(({ name }) => name === network.name);
  return network.subnets.flatMap(({ range, ipRange, gateway, family }): Preflight[] => {
    const subnet = parseCidr(range);
    const area = parseCidr(ipRange ?? range);
    const attached = [gateway, ...(existing?.attached ?? []).flatMap((one) => one.addresses)].map(parseAddress);
    // Docker hands out neither the first address nor, for IPv4, the last.
    const ends = [subnet.first, ...(family === 4 ? [subnet.last] : [])];
    const held = new Set([...attached.flatMap((one) => (one?.family === family ? [one.value] : [])), ...ends]);
    const used = [...held].filter((value) => contains(area, { family, first: value, last: value }));
    const free = countAddresses(area) - BigInt(used.length);
    if (free >= 1_000_000n) return [];
    const taking = `${formatCount(nodes, 'new node')}${helpers > 0 ? ` and ${helpers} beside them` : ''}`;
    const detail = `${formatCount(Number(free), 'address', 'addresses')} free in ${ipRange ?? range} of network ${network.name}, ${taking} ${nodes + helpers === 1 ? 'takes one' : 'take one each'}`;
    return free >= BigInt(nodes + helpers)
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

/** `kind load` would fail after the nodes are made. */
function images({ clusters }: Desired, { engine, images: present }: Observed, changes: readonly Change[]): Preflight[] {
  if (!engine) return [];
  const making = clustersToMake(changes);
  const wanted = clusters.flatMap(({ name, spec }) => (making.includes(name) ? spec.images : []));
  return [...new Set(wanted)]
    .filter((image) => !present[image])
    .map((image) => ({
      name: 'images',
      result: 'failed',
      detail: `image ${image} is not on the engine`,
      hint: `docker pull ${image}   # or build it`,
    }));
}

function ports({ clusters }: Desired, { host }: Observed, changes: readonly Change[]): Preflight[] {
  const making = clustersToMake(changes);
  return clusters
    .filter(({ name }) => making.includes(name))
    .flatMap(({ spec }) => PROVIDERS[spec.provider].hostPorts(spec))
    .filter((port) => host.portsInUse.includes(formatHostPort(port)))
    .map((port) => ({
      name: 'ports',
      result: 'failed',
      detail: `host port ${formatHostPort(port)} (${port.at}) is in use`,
      hint: `ss -${port.protocol === 'udp' ? 'u' : 't'}lnp 'sport = :${port.port}'   # who holds it`,
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
