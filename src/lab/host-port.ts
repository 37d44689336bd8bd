import type { PortMapping } from './lab.ts';

/** A port of the host that a cluster's nodes publish. */
export interface HostPort {
  readonly port: number;
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  /** Absent: every address of the host. */
  readonly listen?: string;
  /** Where it is asked for, as a person finds it. */
  readonly at: string;
}

export const toHostPort = ({ host, protocol, listen, at }: PortMapping): HostPort => ({
  port: host,
  protocol,
  ...(listen !== undefined && { listen }),
  at,
});

/** `8080/tcp`, or `127.0.0.1:8080/tcp` when it is one address's only. */
export function formatHostPort({ port, protocol, listen }: Omit<HostPort, 'at'>): string {
  const address = listen?.includes(':') ? `[${listen}]` : listen;
  return `${address === undefined ? '' : `${address}:`}${port}/${protocol}`;
}
