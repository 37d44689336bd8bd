import { parse, parseAllDocuments } from 'yaml';
import * as z from 'zod/mini';
import { described } from '../lab/described.ts';
import { nodeCount } from '../lab/families.ts';
import { formatCount } from '../lab/format-count.ts';
import type { Cluster } from '../lab/lab.ts';
import { planned, type Refusal } from './provider.ts';

const texts = () => z.optional(z.array(z.string()));

const nodeBlock = () =>
  z.strictObject({
    labels: z.optional(z.record(z.string(), z.string())),
    extraMounts: z.optional(
      z.array(
        z.strictObject({
          hostPath: z.string(),
          containerPath: z.string(),
          readOnly: z.optional(z.boolean()),
          selinuxRelabel: z.optional(z.boolean()),
          propagation: z.optional(z.enum(['None', 'HostToContainer', 'Bidirectional'])),
        }),
      ),
    ),
    extraPortMappings: z.optional(
      z.array(
        z.strictObject({
          containerPort: z.int().check(z.gte(1), z.lte(65535)),
          hostPort: z.optional(z.int().check(z.gte(0), z.lte(65535))),
          listenAddress: z.optional(z.string()),
          protocol: z.optional(z.enum(['TCP', 'UDP', 'SCTP'])),
        }),
      ),
    ),
    kubeadmConfigPatches: texts(),
    role: planned('spec.nodes'),
    image: planned('spec.kubernetes.image'),
  });

const networking = () =>
  z.strictObject({
    apiServerAddress: z.optional(z.string()),
    apiServerPort: z.optional(z.int().check(z.gte(-1), z.lte(65535))),
    dnsSearch: texts(),
    ipFamily: planned('spec.ipFamily'),
    podSubnet: planned('spec.network.pods'),
    serviceSubnet: planned('spec.network.services'),
    kubeProxyMode: planned('spec.network.proxyMode'),
    disableDefaultCNI: planned('the default CNI (another one comes with spec.network.cni)'),
  });

const jsonPatch = () => z.strictObject({ group: z.string(), version: z.string(), kind: z.string(), patch: z.string() });

/** kind's own configuration (v1alpha4), as far as it does not contradict the plan. */
export const kindBlockSchema = () =>
  described(
    z.strictObject({
      featureGates: z.optional(z.record(z.string(), z.boolean())),
      runtimeConfig: z.optional(z.record(z.string(), z.string())),
      kubeadmConfigPatches: texts(),
      kubeadmConfigPatchesJSON6902: z.optional(z.array(jsonPatch())),
      containerdConfigPatches: texts(),
      containerdConfigPatchesJSON6902: texts(),
      networking: z.optional(networking()),
      nodes: described(z.optional(z.array(nodeBlock())), 'Additions to each node, servers first'),
      name: planned('metadata.name'),
    }),
    "kind's own configuration, merged last; what would break the plan is refused",
  );

export type KindBlock = Omit<z.infer<ReturnType<typeof kindBlockSchema>>, 'name'>;

/** Patches may not reach into what the planner owns, and every node and pod must have its place. */
export function checkKindBlock(cluster: Cluster): Refusal[] {
  const block = cluster.providerConfig as KindBlock;
  const nodes = nodeCount(cluster);
  const { servers, workers } = cluster.nodes;
  const refusals: Refusal[] = [];
  const { version, image } = cluster.kubernetes;
  if (version && !image && !/^\d+\.\d+\.\d+/.test(version)) {
    refusals.push({
      path: 'spec.kubernetes.version',
      message: `kind has an image for each patch version, not for ${version}`,
      hint: 'such as 1.34.0: https://github.com/kubernetes-sigs/kind/releases',
    });
  }
  if (servers > 1 && workers === 0) {
    refusals.push({
      path: 'spec.nodes.servers',
      message: `kind keeps pods and load balancers off ${servers} servers, so nothing could run without a worker`,
      hint: `nodes: {servers: ${servers}, workers: 1}`,
    });
  }
  const listed = block.nodes?.length ?? 0;
  if (listed > nodes) {
    refusals.push({
      path: 'spec.kind.nodes',
      message: `describes ${formatCount(listed, 'node')}, but the cluster has ${nodes}`,
    });
  }
  for (const { path, patch } of kubeadmPatches(block)) {
    const documents = parseAllDocuments(patch, { uniqueKeys: false, logLevel: 'silent' });
    if (documents.some((document) => document.errors.length > 0)) refusals.push({ path, message: 'is not YAML' });
    else if (documents.some((document) => document.hasIn(['networking']))) {
      refusals.push({ path, ...NETWORKING });
    }
  }
  block.kubeadmConfigPatchesJSON6902?.forEach(({ patch }, index) => {
    const path = `spec.kind.kubeadmConfigPatchesJSON6902.${index}`;
    const operations = readOperations(patch);
    if (!operations) refusals.push({ path, message: 'is not a list of operations' });
    else if (operations.some(reachesNetworking)) refusals.push({ path, ...NETWORKING });
  });
  return refusals;
}

const NETWORKING = { message: 'changes networking, which the plan sets', hint: 'use spec.network' };

/** The operations of a JSON patch, which kind takes as YAML too. */
function readOperations(patch: string): readonly unknown[] | undefined {
  try {
    const operations: unknown = parse(patch, { logLevel: 'error' });
    return Array.isArray(operations) ? operations : undefined;
  } catch {
    return undefined;
  }
}

/** It reads or writes `/networking`, something below it, or the whole document. */
function reachesNetworking(operation: unknown): boolean {
  const { path, from } = (operation ?? {}) as { readonly path?: unknown; readonly from?: unknown };
  return [path, from].some((pointer) => pointer === '' || /^\/networking(\/|$)/.test(String(pointer)));
}

/** Patches of the cluster and of single nodes: kind applies both to kubeadm's configuration. */
function kubeadmPatches({ kubeadmConfigPatches = [], nodes = [] }: KindBlock): { path: string; patch: string }[] {
  const listed = (path: string, patches: readonly string[]) =>
    patches.map((patch, index) => ({ path: `${path}.kubeadmConfigPatches.${index}`, patch }));
  return [
    ...listed('spec.kind', kubeadmConfigPatches),
    ...nodes.flatMap((node, index) => listed(`spec.kind.nodes.${index}`, node.kubeadmConfigPatches ?? [])),
  ];
}
