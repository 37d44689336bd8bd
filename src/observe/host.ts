import { existsSync, readdirSync, readFileSync, readlinkSync, statfsSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { formatHostPort, type HostPort } from '../lab/host-port.ts';
import type { Engine, HostState } from '../lab/observed.ts';
import { formatAddress, parseAddress } from '../net/address.ts';
import { blockAround, formatCidr } from '../net/cidr.ts';
import { readKernel } from './kernel.ts';

export interface HostInput {
  readonly engine?: Engine | undefined;
  /** Host ports to try. */
  readonly ports: readonly HostPort[];
  /** Whether to count what a create needs (inotify, memory, disk), beside routes and resolvers. */
  readonly count: boolean;
}

/** Routes, resolvers and room of this machine. No process is started: Linux shows all of it as files. */
export async function observeHost({ engine, ports, count }: HostInput): Promise<HostState> {
  // Numbers of this machine say nothing about an engine in a VM or on another machine.
  const isElsewhere = engine !== undefined && !engine.local;
  const base = {
    platform: process.platform,
    routes: readRoutes(),
    resolvers: readResolvers(),
    // A VM on this machine publishes its ports here, too.
    portsInUse: isElsewhere && isRemote(process.env.DOCKER_HOST) ? [] : await findPortsInUse(ports),
    ...(process.platform === 'linux' && !isElsewhere && { ipv6: hasIpv6() }),
  };
  return count && !isElsewhere ? { ...base, ...localNumbers(engine?.rootDir) } : base;
}

const isRemote = (host = ''): boolean => /^(tcp|ssh|https?):/.test(host);

const hasIpv6 = (): boolean =>
  existsSync('/proc/net/if_inet6') && read('/proc/sys/net/ipv6/conf/all/disable_ipv6')?.trim() !== '1';

function localNumbers(rootDir: string | undefined): Partial<HostState> {
  if (process.platform !== 'linux') return {};
  const inotify = (name: string) => Number(read(`/proc/sys/fs/inotify/${name}`) ?? '0');
  const available = /^MemAvailable:\s+(\d+) kB/m.exec(read('/proc/meminfo') ?? '')?.[1];
  const instances = inotify('max_user_instances');
  return {
    kernel: readKernel(),
    ...(instances > 0 && {
      inotify: {
        instances,
        watches: inotify('max_user_watches'),
        // Another user sees only its own processes, which says nothing about the nodes: theirs are root's.
        ...(process.getuid?.() === 0 && { instancesUsed: countInotifyInstances() }),
      },
    }),
    ...(available && { memoryAvailable: Number(available) * 1024 }),
    ...(rootDir && freeDisk(rootDir)),
  };
}

function freeDisk(path: string): { diskAvailable?: number } {
  try {
    const { bavail, bsize } = statfsSync(path);
    return { diskAvailable: bavail * bsize };
  } catch {
    // Not every user may look into Docker's directory: then the disk is not counted.
    return {};
  }
}

const read = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
};

/** Destinations with the interface they go by; the default route says nothing about a range. */
function readRoutes(): HostState['routes'] {
  if (process.platform !== 'linux') return interfaceRoutes();
  return [...parseRoutes4(read('/proc/net/route') ?? ''), ...parseRoutes6(read('/proc/net/ipv6_route') ?? '')];
}

/** /proc/net/route: destination and mask are hexadecimal in host byte order. */
export function parseRoutes4(text: string): HostState['routes'] {
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [via, destination, , , , , , mask] = line.split('\t');
      if (!via || !destination || !mask || mask === '00000000') return [];
      const prefix = [...Number.parseInt(mask, 16).toString(2)].filter((bit) => bit === '1').length;
      const value = BigInt(`0x${destination.match(/../g)?.reverse().join('')}`);
      return [{ cidr: formatCidr(blockAround({ family: 4, value }, prefix)), via }];
    });
}

/** /proc/net/ipv6_route: destination, prefix length, …, interface; link-local, multicast and loopback are no ranges of ours. */
export function parseRoutes6(text: string): HostState['routes'] {
  return text.split('\n').flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    const [destination, length] = fields;
    const via = fields.at(-1);
    const prefix = Number.parseInt(length ?? '', 16);
    if (!destination || !via || via === 'lo' || !(prefix > 0) || /^f[ef]/.test(destination)) return [];
    return [{ cidr: formatCidr(blockAround({ family: 6, value: BigInt(`0x${destination}`) }, prefix)), via }];
  });
}

/** Elsewhere only the machine's own networks are known without starting a process. */
function interfaceRoutes(): HostState['routes'] {
  return Object.entries(networkInterfaces()).flatMap(([via, addresses]) =>
    (addresses ?? []).flatMap(({ cidr, internal }) => {
      const [text, prefix] = cidr?.split('/') ?? [];
      const address = parseAddress(text ?? '');
      if (!address || internal || !prefix) return [];
      return [{ cidr: formatCidr(blockAround(address, Number(prefix))), via }];
    }),
  );
}

function readResolvers(): string[] {
  const lines = (read('/etc/resolv.conf') ?? '').split('\n');
  return lines.flatMap((line) => {
    const address = parseAddress(/^nameserver\s+(\S+)/.exec(line)?.[1] ?? '');
    return address ? [formatAddress(address)] : [];
  });
}

/** Open inotify instances, as far as this user may look. */
function countInotifyInstances(): number {
  let instances = 0;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      for (const fd of readdirSync(`/proc/${pid}/fd`)) {
        if (linkOf(`/proc/${pid}/fd/${fd}`) === 'anon_inode:inotify') instances++;
      }
    } catch {
      // The process has ended, or belongs to another user.
    }
  }
  return instances;
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

/** One after another: a probe of all addresses and one of a single address would find each other. */
async function findPortsInUse(ports: readonly HostPort[]): Promise<string[]> {
  const inUse = new Set<string>();
  for (const one of ports) {
    const { port, protocol, listen } = one;
    const isFree = protocol === 'tcp' ? isTcpPortFree : protocol === 'udp' ? isUdpPortFree : async () => true;
    for (const address of listen === undefined ? ['0.0.0.0', '::'] : [listen]) {
      if (!(await isFree(port, address))) inUse.add(formatHostPort(one));
    }
  }
  return [...inUse];
}

/** A port below 1024, or an address of another machine, may not be ours to open: only a held port tells. */
const isHeld = (error: NodeJS.ErrnoException): boolean => error.code === 'EADDRINUSE';

async function isTcpPortFree(port: number, host: string): Promise<boolean> {
  const { createServer } = await import('node:net');
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error) => resolve(!isHeld(error)));
    server.listen({ port, host, exclusive: true, ipv6Only: true }, () => server.close(() => resolve(true)));
  });
}

async function isUdpPortFree(port: number, address: string): Promise<boolean> {
  const { createSocket } = await import('node:dgram');
  return new Promise((resolve) => {
    const isV6 = address.includes(':');
    const socket = createSocket({ type: isV6 ? 'udp6' : 'udp4', ...(isV6 && { ipv6Only: true }) });
    socket.once('error', (error) => {
      socket.close();
      resolve(!isHeld(error));
    });
    socket.bind({ port, address, exclusive: true }, () => socket.close(() => resolve(true)));
  });
}
