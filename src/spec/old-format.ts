import * as z from 'zod/mini';
import type { Problem } from '../errors.ts';
import { API_VERSION } from './cluster-schema.ts';
import { checkedText } from './fault.ts';
import { checkSchema } from './issues.ts';
import { labelText, nameText } from './names.ts';
import { once } from './once.ts';
import { show } from './show.ts';
import { findPlace, type Path, type Sourced, whereValue } from './source.ts';

export const OLD_KIND = 'SMA-cluster';

const SUBNET = /^([0-9a-f]{2})\/([0-9a-f])$/i;

const subnetText = checkedText((text) =>
  SUBNET.test(text)
    ? undefined
    : { message: `expected two hexadecimal digits, a slash and one more, found ${show(text)}` },
);

const oldFile = once(() =>
  z.strictObject({
    apiVersion: z.literal('sma.buoyant.io/v1alpha1'),
    kind: z.literal(OLD_KIND),
    metadata: z.strictObject({ name: nameText }),
    spec: z.strictObject({
      subnet: subnetText,
      v4Enabled: z._default(z.boolean(), false),
      v6Enabled: z._default(z.boolean(), false),
      provider: z._default(z.enum(['kind', 'k3d']), 'kind'),
      group: z.optional(labelText),
      zone: z.optional(labelText),
    }),
  }),
);

type OldSpec = z.output<ReturnType<typeof oldFile>>['spec'];

/** A document of the old format as one of today's, its ranges standing where `subnet` was written. */
export function convertOldFormat(
  sourced: Sourced,
): { sourced: Sourced; notes: readonly string[] } | { problems: readonly Problem[] } {
  const read = checkSchema(oldFile, sourced);
  if ('problems' in read) return read;
  const { metadata, spec } = read.value;
  const { subnet, v4Enabled, v6Enabled, ...kept } = spec;
  if (!v4Enabled && !v6Enabled) {
    const message = 'neither v4Enabled nor v6Enabled is true';
    return {
      problems: [{ at: whereValue(sourced, ['spec']), message, hint: 'the old format has both off by default' }],
    };
  }
  const ipFamily = v4Enabled && v6Enabled ? 'dual' : v4Enabled ? 'ipv4' : 'ipv6';
  const network = rangesOf(spec);
  const value = { apiVersion: API_VERSION, kind: 'Cluster', metadata, spec: { ...kept, ipFamily, network } };
  return { sourced: { value, places: placesOf(sourced, v4Enabled) }, notes: notesOf(sourced, spec, ipFamily) };
}

/** The original's rule: the digit makes the IPv4 ranges, the byte the IPv6 ones. */
function rangesOf({ subnet, v4Enabled, v6Enabled }: OldSpec): { pods: string[]; services: string[] } {
  const [, byte = '', digit = ''] = SUBNET.exec(subnet) ?? [];
  const v4 = (third: number, prefix: number) =>
    v4Enabled ? [`10.${Number.parseInt(digit, 16)}.${third}.0/${prefix}`] : [];
  const v6 = (third: number, prefix: number) => (v6Enabled ? [`fd00:${byte.toLowerCase()}:${third}::/${prefix}`] : []);
  return { pods: [...v4(1, 24), ...v6(1, 64)], services: [...v4(2, 24), ...v6(2, 112)] };
}

function placesOf(sourced: Sourced, v4Enabled: boolean): Sourced['places'] {
  const place = (path: Path) => findPlace(sourced, path);
  const subnet = place(['spec', 'subnet']);
  const ranges = ['', '.pods', '.pods.0', '.pods.1', '.services', '.services.0', '.services.1'];
  return new Map([
    ...sourced.places,
    ['spec.ipFamily', place(['spec', v4Enabled ? 'v4Enabled' : 'v6Enabled'])],
    ...ranges.map((key) => [`spec.network${key}`, subnet] as const),
  ]);
}

function notesOf(sourced: Sourced, spec: OldSpec, ipFamily: string): string[] {
  const { shown } = findPlace(sourced, []).source;
  const { pods, services } = rangesOf(spec);
  const digit = spec.subnet.slice(-1).toUpperCase();
  return [
    `subnet ${spec.subnet} became network.pods ${pods.join(', ')} and network.services ${services.join(', ')} (one node); the pool is planned from the network`,
    `v4Enabled ${spec.v4Enabled} and v6Enabled ${spec.v6Enabled} became ipFamily ${ipFamily}`,
    ...(digit === '0' ? ['digit 0 meant "no load balancer"; now the cluster gets a pool like any other'] : []),
    ...(digit === 'F' ? ['digit F was a pool with the broadcast address in it; the planned pool has not'] : []),
  ].map((note) => `${shown}: ${note}`);
}
