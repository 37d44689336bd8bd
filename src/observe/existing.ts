import type { Cluster } from '../lab/lab.ts';
import type { NodeContainer, ObservedCluster, TakenIn } from '../lab/observed.ts';
import { formatCidr, joinBlocks, parseCidr } from '../net/cidr.ts';
import type { ClusterRanges } from '../providers/provider.ts';
import { type ApiClient, connectApi } from './api-client.ts';
import { type ApiAnswer, type AppHashes, readApiState } from './api-state.ts';
import { readServiceRanges } from './service-ranges.ts';

/** The credentials of a cluster that is there already, and how the copy that the lab keeps compares with them. */
export interface ExistingAccess extends Pick<TakenIn, 'kubeconfig' | 'stale' | 'problem'> {
  /** A kubeconfig of this one context, complete in itself; absent when there is a problem. */
  readonly text?: string;
  readonly server?: string;
  /** What the private copy says; absent when there is none. */
  readonly kept?: { readonly ca: string; readonly server: string };
}

/** Containers that some provider made, which may be the nodes of such a cluster. */
export interface NodeGroup {
  readonly provider: { readonly name: ObservedCluster['provider'] };
  readonly name: string;
  readonly owner?: string;
  readonly nodes: readonly NodeContainer[];
}

interface ExistingInput<Group extends NodeGroup> {
  readonly cluster: Cluster;
  readonly access: ExistingAccess;
  readonly groups: readonly Group[];
  /** Of the lab that takes it in. */
  readonly uid: string;
  readonly readsMesh: boolean;
  readonly appHashes?: AppHashes | undefined;
  /** The ranges of a group as what made it shows them: whole, not only those of the nodes that are there. */
  readonly rangesOf: (group: Group) => Promise<Partial<ClusterRanges>>;
}

/** A cluster that somebody else made, as its API server shows it, and the containers that are its nodes, if any. */
export async function observeExisting<Group extends NodeGroup>(
  input: ExistingInput<Group>,
): Promise<{ readonly cluster: ObservedCluster; readonly group?: Group }> {
  const { cluster, access, groups, uid } = input;
  const { kept, kubeconfig, stale } = access;
  const result = (more: Partial<ObservedCluster>, about: Partial<TakenIn> = {}): ObservedCluster => ({
    provider: 'existing',
    name: cluster.name,
    nodes: [],
    ...(kept && { credentials: kept }),
    ...more,
    existing: { kubeconfig, stale, ...about },
  });
  const seen = access.problem ?? (await ask(access, input));
  if ('message' in seen) return { cluster: result({}, { problem: seen }) };
  const { state, addresses, services } = seen;
  const group = groups.find(({ nodes }) => isMadeOf(nodes, addresses));
  if (group?.owner === uid) {
    const message = `context ${cluster.access?.context} is ${group.name}, which this lab made itself`;
    return { cluster: result({}, { problem: { message, hint: 'leave the file out' } }), group };
  }
  const whole = group ? await input.rangesOf(group) : {};
  const pods = whole.pods ?? joinBlocks(state.nodes.flatMap((node) => node.podCidrs.map(parseCidr))).map(formatCidr);
  const ranges = { pods, services };
  const unknown = (['pods', 'services'] as const).find(
    (use) => ranges[use].length === 0 && cluster.network[use].length === 0,
  );
  const problem = unknown && {
    message: `${kubeconfig}: context ${cluster.access?.context} does not say which ranges its ${unknown} have`,
    hint: `name them: network: {${unknown}: [...]}`,
  };
  return {
    cluster: result(
      { nodes: group?.nodes ?? [], ranges, api: state },
      { ...(group && { madeBy: group.provider.name }), ...(problem && { problem }) },
    ),
    ...(group && { group }),
  };
}

interface Seen {
  readonly state: ApiAnswer['state'];
  readonly addresses: ReadonlyMap<string, readonly string[]>;
  readonly services: readonly string[];
}

/** What the cluster says; else why it says nothing. */
async function ask(
  { text = '', server = '' }: ExistingAccess,
  { uid, readsMesh, appHashes }: Pick<ExistingInput<NodeGroup>, 'uid' | 'readsMesh' | 'appHashes'>,
): Promise<Seen | NonNullable<TakenIn['problem']>> {
  let api: ApiClient | undefined;
  try {
    api = await connectApi(text);
    const [{ state, addresses }, services] = await Promise.all([
      readApiState(api, { uid, mesh: readsMesh, apps: appHashes, workloads: false, restarts: {} }),
      readServiceRanges(api),
    ]);
    return { state, addresses, services };
  } catch (error) {
    const why = error instanceof AggregateError ? error.errors.map(String).join('; ') : (error as Error).message;
    return { message: `${server} does not answer: ${why}`, hint: 'is it up, and is the way to it open?' };
  } finally {
    api?.close();
  }
}

/** Whether containers are the nodes of a cluster: they have the same names, and the addresses that it knows them by. */
function isMadeOf(nodes: readonly NodeContainer[], known: ReadonlyMap<string, readonly string[]>): boolean {
  const own = nodes.filter(({ role }) => role !== 'proxy');
  return (
    own.length === known.size &&
    own.every(({ name, networks }) => {
      const held = Object.values(networks).flat();
      return known.get(name)?.some((address) => held.includes(address));
    })
  );
}
