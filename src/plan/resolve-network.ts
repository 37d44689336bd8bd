import { EnvironmentError, InputError, type Problem } from '../errors.ts';
import type { DesiredNetwork, DesiredSubnet } from '../lab/desired.ts';
import { nodeCount } from '../lab/families.ts';
import type { Lab } from '../lab/lab.ts';
import type { DockerNetwork, Observed } from '../lab/observed.ts';
import { NETWORK_LABELS } from '../lab/ownership.ts';
import { bitsOf, FAMILIES, type Family, formatAddress } from '../net/address.ts';
import { allocateBlocks, freeIntervals } from '../net/allocate.ts';
import { type Cidr, formatCidr, formatInterval, parseCidr } from '../net/cidr.ts';
import { PROVIDERS } from '../providers/index.ts';
import { describeHolders, holderOf, poolOf, type Taken } from './taken.ts';

interface NetworkInput {
  readonly lab: Lab;
  readonly observed: Observed;
  readonly hard: readonly Taken[];
  readonly soft: readonly Taken[];
}

/**
 * The lab's Docker network: the one that is there, else a new one with both families, whose lower part is the
 * ip-range, so that Docker never hands out an address of a load balancer pool.
 * @throws InputError when the network is somebody else's, or lacks a family that a cluster has
 */
export function resolveNetwork(input: NetworkInput, warn: (text: string) => void): DesiredNetwork {
  const { lab, observed } = input;
  const existing = findNetwork(lab, observed);
  const labels = { [NETWORK_LABELS.uid]: lab.uid, [NETWORK_LABELS.name]: lab.name, [NETWORK_LABELS.dir]: lab.path };
  const base = { name: lab.network.name, adopt: lab.network.adopt, labels };
  if (existing) {
    const subnets = existing.subnets.map((subnet) => describeSubnet(subnet, `Docker network ${existing.name} has it`));
    const problems = [...missingFamilies(lab, existing), ...unusable(lab, existing), ...changedPins(lab, existing)];
    if (problems.length > 0) throw new InputError(problems);
    return { ...base, subnets: subnets.toSorted((a, b) => a.family - b.family) };
  }
  const families = observed.host.ipv6 === false ? ([4] as const) : FAMILIES;
  // A larger packet than the engine's own network carries would be lost on the way out of it.
  const mtu = observed.networks.find(({ name }) => name === 'bridge')?.mtu;
  return { ...base, ...(mtu && { mtu }), subnets: families.map((family) => newSubnet(family, input, warn)) };
}

/** The Docker network of the lab's name, when it is there and may be used. */
export function findNetwork(lab: Lab, observed: Observed): DockerNetwork | undefined {
  const { name, adopt, at } = lab.network;
  const found = observed.networks.filter((network) => network.name === name);
  if (found.length > 1) {
    const ids = found.map(({ id }) => id.slice(0, 12)).join(', ');
    throw new EnvironmentError(
      `Docker has ${found.length} networks called ${name}: ${ids}`,
      `remove one: docker network rm ${found[1]?.id.slice(0, 12)}`,
    );
  }
  const network = found[0];
  if (adopt && !network && observed.engine) {
    throw new InputError([
      {
        at,
        message: `there is no Docker network ${name} to adopt`,
        hint: `docker network create ${name}, or leave out network.adopt`,
      },
    ]);
  }
  const owner = network?.labels[NETWORK_LABELS.uid];
  if (network && !adopt && owner !== lab.uid) {
    const whose = owner
      ? `belongs to lab ${network.labels[NETWORK_LABELS.name]} in ${network.labels[NETWORK_LABELS.dir]}`
      : 'was not made by lab';
    throw new InputError([
      {
        at,
        message: `Docker network ${name} exists and ${whose}`,
        hint: `use it as it is (spec.network.adopt: ${name}), or choose another spec.network.name`,
      },
    ]);
  }
  return network;
}

function describeSubnet(subnet: { cidr: string; gateway?: string; ipRange?: string }, reason: string): DesiredSubnet {
  const block = parseCidr(subnet.cidr);
  const { family, first } = block;
  // Engines up to 28 leave the gateway out when it was not given; it is then the first address.
  const gateway = subnet.gateway ?? formatAddress({ family, value: first + 1n });
  return { range: formatCidr(block), family, reason, gateway, ...(subnet.ipRange && { ipRange: subnet.ipRange }) };
}

function missingFamilies(lab: Lab, network: DockerNetwork): Problem[] {
  const has = new Set(network.subnets.map(({ cidr }) => parseCidr(cidr).family));
  const own = lab.clusters.filter(({ access }) => !access);
  return own.flatMap(({ name, ipFamily, at }) => {
    const lacks =
      (ipFamily === 'ipv6' || ipFamily === 'dual') && !has.has(6)
        ? 'IPv6'
        : ipFamily !== 'ipv6' && !has.has(4)
          ? 'IPv4'
          : undefined;
    return lacks
      ? [
          {
            at,
            message: `cluster ${name} is ${ipFamily}, but Docker network ${network.name} has no ${lacks}`,
            hint: lab.network.adopt
              ? 'adopt a network that has it, or let lab make one (leave out network.adopt)'
              : 'change ipFamily',
          },
        ]
      : [];
  });
}

/** What a provider cannot do with this network. */
function unusable(lab: Lab, network: DockerNetwork): Problem[] {
  return lab.clusters.flatMap(({ name, provider, at }) => {
    const refusal = PROVIDERS[provider].checkNetwork?.(network);
    return refusal ? [{ at, ...refusal, message: `cluster ${name}: ${refusal.message}` }] : [];
  });
}

function changedPins(lab: Lab, network: DockerNetwork): Problem[] {
  return lab.network.subnets.flatMap(({ cidr, at }) =>
    network.subnets.some((subnet) => formatCidr(parseCidr(subnet.cidr)) === cidr)
      ? []
      : [
          {
            at,
            message: `the lab's network ${network.name} exists without ${cidr}`,
            hint: 'delete the lab first, or take back the change',
          },
        ],
  );
}

/** The smallest subnet that is planned, larger when the nodes and pools of a big lab need it. */
function smallestPrefix(family: Family, lab: Lab): number {
  if (family === 6) return 64;
  const nodes = lab.clusters.reduce((sum, cluster) => sum + nodeCount(cluster), 0);
  const half = Math.max(2 * nodes + 16, lab.clusters.length * lab.ranges.loadBalancer.size + 16);
  return Math.min(24, 31 - Math.ceil(Math.log2(half)));
}

function newSubnet(family: Family, { lab, hard, soft }: NetworkInput, warn: (text: string) => void): DesiredSubnet {
  const pin = lab.network.subnets.find(({ cidr }) => parseCidr(cidr).family === family);
  if (pin) return withAddresses(parseCidr(pin.cidr), `pinned in ${pin.at}`, lab);
  const pool = poolOf(lab.ranges.networks, family);
  const needed = smallestPrefix(family, lab);
  const find = (held: readonly Taken[], smallest: number): Cidr | undefined => {
    const free = freeIntervals(pool, held);
    // At least a /20 for IPv4, while there is room; a pool that is smaller than that is used as it is.
    const largest = Math.max(pool.prefix, family === 4 ? Math.min(20, needed) : needed);
    for (let prefix = largest; prefix <= Math.max(pool.prefix, smallest); prefix++) {
      const block = allocateBlocks(free, family, [prefix])?.[0];
      if (block) return block;
    }
    return undefined;
  };
  const clean = find([...hard, ...soft], needed);
  if (clean) return withAddresses(clean, `first free /${clean.prefix} of ${formatCidr(pool)}`, lab);
  const block = find(hard, family === 4 ? 24 : 64);
  if (block) {
    const held = holderOf(block, soft);
    if (held)
      warn(
        `subnet of ${lab.network.name}: ${formatCidr(block)} overlaps ${held.by} (${formatInterval(held)}), because no room is left beside it`,
      );
    const although = held ? ', although the host uses it' : '';
    return withAddresses(block, `first free /${block.prefix} of ${formatCidr(pool)}${although}`, lab);
  }
  throw new EnvironmentError(
    `no room for a Docker network in ${formatCidr(pool)}: it is taken by ${describeHolders(pool, hard)}`,
    `name another pool in lab.yaml (spec.ranges.networks.v${family}), or remove unused networks: docker network prune`,
  );
}

function withAddresses(block: Cidr, reason: string, lab: Lab): DesiredSubnet {
  const { family, first } = block;
  const pinned =
    lab.network.ipRange && parseCidr(lab.network.ipRange.cidr).family === family ? lab.network.ipRange.cidr : undefined;
  // Half of it for IPv4; for IPv6 the first 2^16 addresses, which keeps the pools behind them short to read.
  const part = Math.max(block.prefix + 1, family === 4 ? 0 : 112);
  const lowerPart = part < bitsOf(family) - 1 ? `${formatAddress({ family, value: first })}/${part}` : undefined;
  const ipRange = pinned ?? lowerPart;
  return {
    range: formatCidr(block),
    family,
    reason,
    gateway: formatAddress({ family, value: first + 1n }),
    ...(ipRange && { ipRange }),
  };
}
