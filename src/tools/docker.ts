/** `docker`: argv of the commands that read, and what their output means. */
import type { DockerNetwork, Engine } from '../lab/observed.ts';

/** A container as `docker inspect` shows it. */
export interface Container {
  readonly id: string;
  readonly name: string;
  readonly running: boolean;
  /** When it started, or stopped if it does not run (RFC 3339). */
  readonly since?: string;
  readonly image: string;
  readonly args: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly mountTargets: readonly string[];
  /** IPv4 and IPv6 addresses on each of its networks; empty for a stopped container. */
  readonly networks: Readonly<Record<string, readonly string[]>>;
  /** Host ports that it publishes, such as `8080/tcp`. */
  readonly hostPorts: readonly string[];
}

export const infoArgv = ['docker', 'info', '--format', '{{json .}}'] as const;
export const networkIdsArgv = ['docker', 'network', 'ls', '--no-trunc', '--format', '{{.ID}}'] as const;
/** Every container with its labels: one process finds the nodes of every provider. */
export const containersArgv = ['docker', 'ps', '-a', '--no-trunc', '--format', '{{.ID}}\t{{.Labels}}'] as const;
export const inspectNetworksArgv = (ids: readonly string[]) => ['docker', 'network', 'inspect', ...ids];
export const inspectContainersArgv = (ids: readonly string[]) => ['docker', 'container', 'inspect', ...ids];
export const inspectImagesArgv = (images: readonly string[]) => ['docker', 'image', 'inspect', ...images];
/** Streams a tar archive to standard output; works on a stopped container. */
export const copyFromArgv = (container: string, path: string) => ['docker', 'cp', `${container}:${path}`, '-'];

/** Listing or changing routes of a container that may hold nothing but its program: with what a node's image has. */
export const inNetworkOf = (container: string, image: string, ...more: string[]): string[] => [
  ...['docker', 'run', '--rm', '--network', `container:${container}`, '--entrypoint', 'sh', ...more, image],
];

interface InfoJson {
  readonly ID?: string;
  readonly ServerVersion?: string;
  readonly NCPU?: number;
  readonly MemTotal?: number;
  readonly KernelVersion?: string;
  readonly DockerRootDir?: string;
  readonly ServerErrors?: readonly string[];
}

/** Reads `docker info`; the engine is local when it runs on this machine's kernel. */
export function parseInfo(stdout: string, kernel: string): Engine | { readonly errors: readonly string[] } {
  const info = JSON.parse(stdout) as InfoJson;
  if (!info.ID || !info.ServerVersion) return { errors: info.ServerErrors ?? [] };
  return {
    id: info.ID,
    version: info.ServerVersion,
    cpus: info.NCPU ?? 1,
    memory: info.MemTotal ?? 0,
    local: info.KernelVersion === kernel,
    rootDir: info.DockerRootDir ?? '/var/lib/docker',
  };
}

interface NetworkJson {
  readonly Id: string;
  readonly Name: string;
  readonly Driver: string;
  readonly EnableIPv6?: boolean;
  readonly Labels?: Record<string, string> | null;
  readonly Options?: Record<string, string> | null;
  readonly IPAM?: { readonly Config?: readonly { Subnet?: string; Gateway?: string; IPRange?: string }[] | null };
  readonly Containers?: Record<string, { Name?: string; IPv4Address?: string; IPv6Address?: string }> | null;
}

/** The option of a network that says how large its packets may be. */
export const MTU_OPTION = 'com.docker.network.driver.mtu';

const withoutPrefix = (address: string | undefined): string[] => (address ? [address.replace(/\/\d+$/, '')] : []);

/** Reads `docker network inspect`. The order of subnets says nothing, and a gateway may be missing or carry a prefix. */
export function parseNetworks(stdout: string): DockerNetwork[] {
  return (JSON.parse(stdout) as NetworkJson[]).map((network) => ({
    id: network.Id,
    name: network.Name,
    driver: network.Driver,
    ipv6: network.EnableIPv6 ?? false,
    labels: network.Labels ?? {},
    ...(network.Options?.[MTU_OPTION] && { mtu: network.Options[MTU_OPTION] }),
    subnets: (network.IPAM?.Config ?? []).flatMap(({ Subnet, Gateway, IPRange }) =>
      Subnet
        ? [
            {
              cidr: Subnet,
              ...(Gateway && { gateway: withoutPrefix(Gateway)[0] as string }),
              ...(IPRange && { ipRange: IPRange }),
            },
          ]
        : [],
    ),
    attached: Object.values(network.Containers ?? {}).map(({ Name = '', IPv4Address, IPv6Address }) => ({
      name: Name,
      addresses: [...withoutPrefix(IPv4Address), ...withoutPrefix(IPv6Address)],
    })),
  }));
}

interface ContainerJson {
  readonly Id: string;
  readonly Name: string;
  readonly Args?: readonly string[] | null;
  readonly State?: { Running?: boolean; StartedAt?: string; FinishedAt?: string };
  readonly Config?: { Image?: string; Labels?: Record<string, string> | null };
  readonly Mounts?: readonly { Destination?: string }[];
  readonly HostConfig?: { PortBindings?: Record<string, readonly { HostPort?: string }[] | null> | null };
  readonly NetworkSettings?: {
    Networks?: Record<string, { IPAddress?: string; GlobalIPv6Address?: string }> | null;
    Ports?: Record<string, readonly { HostPort?: string }[] | null> | null;
  };
}

/** Reads `docker container inspect`. Addresses are per network: the top-level ones are gone in engine 29. */
export function parseContainers(stdout: string): Container[] {
  return (JSON.parse(stdout) as ContainerJson[]).map((container) => {
    const networks = container.NetworkSettings?.Networks ?? {};
    // A stopped container publishes nothing, but will again.
    const { Running: running = false, StartedAt, FinishedAt } = container.State ?? {};
    const since = running ? StartedAt : FinishedAt;
    const ports = (running ? container.NetworkSettings?.Ports : container.HostConfig?.PortBindings) ?? {};
    return {
      id: container.Id,
      name: container.Name.replace(/^\//, ''),
      running,
      ...(since && { since }),
      image: container.Config?.Image ?? '',
      args: container.Args ?? [],
      labels: container.Config?.Labels ?? {},
      mountTargets: (container.Mounts ?? []).flatMap(({ Destination }) => (Destination ? [Destination] : [])),
      networks: Object.fromEntries(
        Object.entries(networks).map(([name, { IPAddress, GlobalIPv6Address }]) => [
          name,
          [IPAddress, GlobalIPv6Address].filter((address): address is string => Boolean(address)),
        ]),
      ),
      hostPorts: Object.entries(ports).flatMap(([port, bindings]) =>
        (bindings ?? []).flatMap(({ HostPort }) => (HostPort ? [`${HostPort}/${port.split('/')[1] ?? 'tcp'}`] : [])),
      ),
    };
  });
}

/** Image names to IDs, from `docker image inspect`; it prints what it found even when it exits 1 for another. */
export function parseImages(stdout: string): Record<string, string> {
  const images = JSON.parse(stdout || '[]') as {
    Id: string;
    RepoTags?: readonly string[] | null;
    RepoDigests?: readonly string[] | null;
  }[];
  return Object.fromEntries(
    images.flatMap(({ Id, RepoTags, RepoDigests }) =>
      [...(RepoTags ?? []), ...(RepoDigests ?? [])].map((name) => [name, Id]),
    ),
  );
}
