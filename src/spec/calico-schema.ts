import * as z from 'zod/mini';
import { CALICO_MANIFESTS, DEFAULT_ENCAPSULATION } from '../cni/calico-install.ts';
import { described } from '../lab/described.ts';
import { cidrText } from './ranges.ts';

const oneOrMany = <Item extends z.ZodMiniType>(item: Item) => z.union([item, z.array(item)]);

const whole = (least: number, most: number) => z.int().check(z.gte(least), z.lte(most));
const v4Block = whole(20, 32);
const v6Block = whole(116, 128);

/** Calico, for clusters whose pod network it is. */
export const calicoBlock = described(
  z.strictObject({
    manifest: described(
      z._default(oneOrMany(z.string().check(z.minLength(1))), [...CALICO_MANIFESTS]),
      "Its operator and the operator's resources: files beside the one that names them, or https URLs",
    ),
    encapsulation: described(
      z._default(z.enum(['VXLAN', 'VXLANCrossSubnet', 'IPIP', 'IPIPCrossSubnet', 'None']), DEFAULT_ENCAPSULATION),
      'How packets travel between nodes; IPIP carries IPv4 only',
    ),
    blockSize: described(
      z.optional(z.union([v4Block, v6Block, z.tuple([v4Block, v6Block])])),
      'Prefix length of the blocks that nodes take: [v4, v6], or one number; default [26, 122]',
    ),
    pools: described(
      z.optional(oneOrMany(cidrText())),
      'The part of the pod range from which pods get addresses, at most one a family; all of it by default',
    ),
  }),
  'Calico, for clusters with cni: calico',
);
