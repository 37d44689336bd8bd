import type { DesiredCluster } from '../lab/desired.ts';
import type { CniName } from '../lab/lab.ts';
import { calico } from './calico.ts';
import type { Cni } from './cni.ts';
import { flannel } from './flannel.ts';
import { kindnet } from './kindnet.ts';

/** Every pod network that clusters can have. */
export const CNIS: Readonly<Record<CniName, Cni>> = { kindnet, flannel, calico };

/** The pod network of a cluster; undefined for one that nobody here knows. */
export const cniOf = ({ cni }: Pick<DesiredCluster, 'cni'>): Cni | undefined => cni && CNIS[cni];
