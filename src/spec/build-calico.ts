import { CALICO_MANIFESTS } from '../cni/calico-install.ts';
import type { Problem } from '../errors.ts';
import type { CalicoSpec, IpFamily, Manifest } from '../lab/lab.ts';
import { makePins } from './build-cluster.ts';
import { calicoBlock } from './calico-schema.ts';
import type { ClusterFile } from './cluster-schema.ts';
import { resolveManifest } from './manifest.ts';
import { type Path, type Sourced, whereKey } from './source.ts';

const CALICO = ['spec', 'network', 'calico'];

/** The Calico that a checked document declares; undefined where it is not the pod network. */
export function buildCalico(
  { spec: { network, ipFamily } }: ClusterFile,
  sourced: Sourced,
): { readonly calico?: CalicoSpec; readonly problems: readonly Problem[] } {
  if (network.cni !== 'calico') return { problems: [] };
  const { manifest, encapsulation, blockSize, pools } = network.calico ?? calicoBlock.parse({});
  const read = listOf(manifest).map((text, index) => readManifest(text, sourced, manifest, index));
  return {
    calico: {
      manifests: read.flatMap((one) => ('problem' in one ? [] : [one])),
      encapsulation,
      ...(blockSize !== undefined && { blockSize: toBlockSize(blockSize, ipFamily) }),
      pools: makePins(pools, sourced, [...CALICO, 'pools']),
      at: whereKey(sourced, CALICO),
    },
    problems: read.flatMap((one) => ('problem' in one ? [one.problem] : [])),
  };
}

const listOf = (value: string | readonly string[]): readonly string[] => (typeof value === 'string' ? [value] : value);

/** A default is in no file. */
function readManifest(
  text: string,
  sourced: Sourced,
  manifest: string | readonly string[],
  index: number,
): Manifest | { problem: Problem } {
  const path: Path = [...CALICO, 'manifest', ...(typeof manifest === 'string' ? [] : [index])];
  const isDefault = (CALICO_MANIFESTS as readonly string[]).includes(text);
  return resolveManifest(text, isDefault ? undefined : sourced, path);
}

const toBlockSize = (size: number | [number, number], ipFamily: IpFamily): readonly [number, number] => {
  if (Array.isArray(size)) return size;
  return ipFamily === 'ipv6' ? [26, size] : [size, 122];
};
