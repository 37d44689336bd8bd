import type { Desired } from '../lab/desired.ts';
import type { Observed } from '../lab/observed.ts';
import { isSettled } from '../lab/ownership.ts';

/** Clusters that exist and were once ready, with every node running: those that can be routed now. */
export const routable = ({ lab, nodes }: Desired, { clusters }: Observed): string[] =>
  clusters
    .filter((cluster) => isSettled(cluster, lab.uid) && cluster.nodes.every(({ running }) => running))
    // One that is there already may be anywhere.
    .filter(({ name, existing }) => !existing || nodes.some(({ cluster }) => cluster === name))
    .map(({ name }) => name);
