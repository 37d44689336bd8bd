import { FAMILIES, type Family } from '../net/address.ts';
import type { Cluster } from './lab.ts';

/** The families that a cluster has addresses of, IPv4 first. */
export const familiesOf = ({ ipFamily }: Pick<Cluster, 'ipFamily'>): readonly Family[] =>
  ipFamily === 'dual' ? FAMILIES : [ipFamily === 'ipv4' ? 4 : 6];

/** How many nodes a cluster has. */
export const nodeCount = ({ nodes: { servers, workers } }: Pick<Cluster, 'nodes'>): number => servers + workers;
