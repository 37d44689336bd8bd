import * as z from 'zod/mini';
import { described } from '../lab/described.ts';
import { API_VERSION } from './cluster-schema.ts';
import { imageText, labelText, nameText } from './names.ts';
import { once } from './once.ts';

const keyText = z.string().check(z.regex(/^[A-Za-z_]\w*$/, 'expected the name of a variable'));
const labelKey = z.string().check(z.regex(/^[\w./-]+$/, 'expected the key of a label'));
const lineText = z.string().check(z.regex(/^[^\r\n]*$/, 'expected one line'));

const port = z.strictObject({
  name: described(z.optional(labelText), 'Name of the port; by default port- and its number'),
  port: described(z.int().check(z.gte(1), z.lte(65535)), 'Where the workload listens'),
  protocol: described(z._default(z.enum(['TCP', 'UDP']), 'TCP'), 'TCP or UDP'),
});

const SPIRE = '1.15.3';

const spire = z.strictObject({
  useTrustAnchorKey: described(
    z.literal(true),
    'Your word that the key of the trust anchor may be put beside the workload, where SPIRE signs with it',
  ),
  images: described(
    z.prefault(
      z.strictObject({
        server: described(z._default(imageText, `ghcr.io/spiffe/spire-server:${SPIRE}`), "SPIRE's server"),
        agent: described(z._default(imageText, `ghcr.io/spiffe/spire-agent:${SPIRE}`), "SPIRE's agent"),
        proxy: described(z.optional(imageText), "Linkerd's proxy; by default of the version that the cluster runs"),
      }),
      {},
    ),
    'What runs beside the workload',
  ),
});

/** A container beside a cluster that its mesh knows. */
export const workloadFile = once(() =>
  z
    .strictObject({
      apiVersion: described(z.literal(API_VERSION), 'Version of this format'),
      kind: described(z.literal('ExternalWorkload'), 'Makes this a workload outside of a cluster'),
      metadata: described(
        z.strictObject({ name: described(z.clone(nameText), 'Name of the workload and of its container') }),
        'What the workload is called',
      ),
      spec: described(
        z.strictObject({
          cluster: described(z.clone(nameText), 'The cluster whose names it resolves and whose mesh knows it'),
          namespace: described(z._default(labelText, 'default'), 'The namespace of its resource'),
          image: described(z.clone(imageText), 'What it runs'),
          command: described(z.optional(z.array(z.string())), 'Arguments in place of what the image runs'),
          env: described(
            z._default(z.record(keyText, z.union([lineText, z.number(), z.boolean()])), {}),
            'Variables of the container; no place for secrets, for a plan shows them',
          ),
          ports: described(z.array(port).check(z.minLength(1)), 'Where it listens'),
          labels: described(
            z.optional(z.record(labelKey, z.string())),
            'By which Services find it; by default app and its name',
          ),
          identity: described(
            z.optional(z.string().check(z.regex(/^spiffe:\/\/\S+$/, 'expected spiffe://...'))),
            'Its identity in the mesh; by default one in the trust domain of the lab',
          ),
          spire: described(z.optional(spire), "Gives it that identity by SPIRE, and runs Linkerd's proxy beside it"),
          addresses: described(
            z.optional(z.union([z.string(), z.array(z.string())])),
            'Its addresses on the network of the lab, at most one a family; planned when left out',
          ),
        }),
        'What the workload is',
      ),
    })
    .register(z.globalRegistry, { title: 'ExternalWorkload', description: 'A workload outside of a cluster' }),
);

export type WorkloadFile = z.output<ReturnType<typeof workloadFile>>;
