import type { Lab } from '../../src/lab/lab.ts';
import type { LinkerdState, LinkState } from '../../src/lab/linkerd.ts';
import type { LinkMode } from '../../src/lab/mesh.ts';
import type { Observed } from '../../src/lab/observed.ts';
import { controlPlaneValues, extensionValues, inputsOf } from '../../src/mesh/linkerd-values.ts';
import { resolve } from '../../src/plan/resolve.ts';
import { observed as anEngine, change, UID, worldAfter } from './build-lab.ts';

export const VERSION = 'edge-26.8.3';

/** Clusters that exist, with an address each, and without Linkerd; their CLI is there. */
export function worldOf(declared: Lab, version = VERSION): Observed {
  const desired = resolve(declared, anEngine());
  const bare = worldAfter(desired);
  const network = desired.network.name;
  const clusters = bare.clusters.map((one, index) => ({
    ...one,
    nodes: one.nodes.map((node, at) => ({ ...node, networks: { [network]: [`172.28.0.${index * 10 + at + 2}`] } })),
    ...(one.api && { api: { ...one.api, linkerd: nothing } }),
  }));
  return { ...bare, clusters, linkerdClis: [{ binary: 'linkerd', version }] };
}

const nothing: LinkerdState = {
  present: false,
  ready: false,
  anchors: [],
  outdated: [],
  extension: { ready: false, links: [], federated: [] },
};

export interface LinkWords extends Partial<Omit<LinkState, 'to' | 'record'>> {
  readonly mode?: LinkMode;
  readonly byHand?: true;
  /** By nobody: somebody made it with the CLI alone. */
  readonly owner?: string;
}

/** A link as `lab link` leaves it. */
export function linkTo(world: Observed, to: string, words: LinkWords = {}): LinkState {
  const { mode = 'flat', byHand, owner = UID, ...more } = words;
  const target = world.clusters.find(({ name }) => name === to);
  const [address] = Object.values(target?.nodes[0]?.networks ?? {}).flat();
  return {
    to,
    ...(owner !== '' && { record: { uid: owner, mode, ...(byHand && { byHand }) } }),
    version: VERSION,
    gateway: mode === 'gateway' ? (target?.api?.linkerd?.extension.gateway ?? []) : [],
    server: `https://${address}:6443`,
    ca: `ca-${to}`,
    ready: true,
    services: [],
    ...more,
  };
}

/** The same world with Linkerd on a cluster, as a finished run leaves it, and these links. */
export function meshed(
  declared: Lab,
  world: Observed,
  name: string,
  links: readonly LinkState[] = [],
  more: Partial<LinkerdState> & { readonly gateway?: readonly string[] } = {},
): Observed {
  const desired = resolve(declared, world);
  const cluster = desired.clusters.find((one) => one.name === name);
  if (cluster?.spec.mesh.name !== 'linkerd') throw new Error(`${name} has no mesh`);
  const { gateway, ...state } = more;
  const controllers = links.map((link) => ({ to: link.to, gateway: link.gateway.length > 0 }));
  const linkerd: LinkerdState = {
    present: true,
    version: VERSION,
    inputs: inputsOf(VERSION, controlPlaneValues(desired, cluster, cluster.spec.mesh)),
    ready: true,
    gatewayAPI: 'v1.2.1',
    anchors: [],
    outdated: [],
    extension: {
      inputs: inputsOf(VERSION, extensionValues(desired, cluster.spec.mesh, controllers, gateway !== undefined)),
      ready: true,
      ...(gateway && { gateway }),
      links,
      federated: [],
    },
    ...state,
  };
  return change(world, name, ({ api }) => (api ? { api: { ...api, linkerd } } : {}));
}
