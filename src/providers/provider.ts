import * as z from 'zod/mini';
import { described } from '../lab/described.ts';
import type { DesiredCluster, DesiredNetwork, DesiredNode } from '../lab/desired.ts';
import type { HostPort } from '../lab/host-port.ts';
import type { Cluster, CniName, ProviderName } from '../lab/lab.ts';
import type { DockerNetwork } from '../lab/observed.ts';
import type { QueryStep, RunStep } from '../step/step.ts';
import type { Container } from '../tools/docker.ts';

/** Something in a spec that this provider cannot do; `path` is the key, such as `spec.ipFamily`. */
export interface Refusal {
  readonly path: string;
  readonly message: string;
  readonly hint?: string;
}

/** A key of a provider's block that would break the plan, with the key of the spec that says the same. */
export const planned = (instead: string) =>
  described(z.optional(z.never({ error: `the plan sets this: use ${instead}` })), `Not here: use ${instead}`);

/** What the steps of one cluster are made from. */
export interface ClusterInput {
  readonly cluster: DesiredCluster;
  readonly network: DesiredNetwork;
  readonly uid: string;
}

/** Ranges of a cluster that somebody made, as its provider shows them. */
export interface ClusterRanges {
  readonly pods: readonly string[];
  readonly services: readonly string[];
}

/**
 * One way to get clusters. To add one: implement this in a file of its own and put it on the list in
 * `index.ts`; the spec, the planner and every verb take it from there.
 */
export interface Provider {
  readonly name: ProviderName;
  /** The pod network that its clusters have; absent where each has its own. */
  readonly cni?: CniName;
  /** Pod networks that its clusters can have in place of that one. */
  readonly otherCnis?: readonly CniName[];
  /** Programs that must be on the PATH to create or delete. */
  readonly binaries: readonly string[];
  /** The oldest version that will do, and how to ask for the one that is there. */
  readonly minimumVersion?: {
    readonly argv: readonly string[];
    read(stdout: string): string | undefined;
    readonly version: string;
  };
  /** The provider's own block in a cluster's spec (`spec.kind`), merged last into its configuration. */
  configSchema?(): z.ZodMiniObject;
  /** What the spec asks for and this provider cannot give. */
  check(cluster: Cluster): readonly Refusal[];
  /** Why this provider's clusters cannot be on a network that is there already. */
  checkNetwork?(network: DockerNetwork): Omit<Refusal, 'path'> | undefined;
  contextName(cluster: string): string;
  /** The node image that the spec asks for; undefined when the provider's own default is meant. */
  image(cluster: Cluster): string | undefined;
  nodes(cluster: Cluster): readonly DesiredNode[];
  /** Containers that take an address beside the nodes while a cluster is made. */
  helpers(cluster: Cluster): number;
  /** Which cluster a container belongs to, when it is one of this provider's nodes. */
  recognise(
    container: Container,
  ): { readonly cluster: string; readonly role: 'server' | 'worker' | 'proxy' } | undefined;
  /** A file on the first server that shows the cluster's ranges, also while it is stopped; and how to read it. */
  readonly rangesFile?: string;
  /** The certificate of a server node's API server, where its cluster may have several. */
  readonly certificateFile?: string;
  readRanges(source: { readonly file?: string; readonly container: Container }): ClusterRanges | undefined;
  /** Prints the cluster's kubeconfig; `from` is the one that has it already, as `KUBECONFIG` names it. */
  kubeconfigQuery(cluster: Cluster, from?: string): Pick<QueryStep, 'argv' | 'env'>;
  /** Ports of the host that its nodes publish. */
  hostPorts(cluster: Cluster): readonly HostPort[];
  /** Whether the plan chooses the port of 127.0.0.1 where its API server is published. */
  wantsApiPort?(cluster: Cluster): boolean;
  /** Absent where clusters are there before a lab takes them in: they are never made, stopped or removed. */
  readonly make?: Maker;
}

/** The steps that change a cluster of one provider. */
export interface Maker {
  create(input: ClusterInput): RunStep;
  /** The create leaves the private kubeconfig behind; else it is asked for afterwards. */
  readonly writesKubeconfig: boolean;
  remove(cluster: string, needs: readonly string[]): RunStep;
  loadImages(cluster: string, images: readonly string[], needs: readonly string[]): RunStep;
  /** Puts the second family's address into the certificate of a dual-stack cluster's server; absent where it is there. */
  certificate?(cluster: DesiredCluster, node: string, needs: readonly string[]): RunStep;
}
