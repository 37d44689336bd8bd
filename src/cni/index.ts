import type { CniName } from '../lab/lab.ts';
import type { Cni } from './cni.ts';
import { flannel } from './flannel.ts';
import { kindnet } from './kindnet.ts';

/** Every pod network that clusters can have. */
export const CNIS: Readonly<Record<CniName, Cni>> = { kindnet, flannel };
