import * as z from 'zod/mini';
import { described } from '../lab/described.ts';
import type { MeshName } from '../lab/mesh.ts';
import { MESH_KEYS, MESHES } from '../mesh/index.ts';
import { durationText } from './durations.ts';
import { domainText } from './names.ts';

/** A block without a name means this one. */
const DEFAULT_MESH: MeshName = 'linkerd';

const meshName = z.enum(Object.keys(MESHES) as MeshName[]);
const name = described(z._default(meshName, DEFAULT_MESH), 'Which mesh; none for a cluster without one');
const issuerLifetime = described(
  z._default(durationText, '1y'),
  "How long a cluster's issuer is valid, such as 8760h or 1y",
);

const ofTheLab = (key: string) =>
  described(
    z.optional(z.never({ error: `the clusters of a lab share it: write it in lab.yaml as spec.mesh.${key}` })),
    `Not here: spec.mesh.${key} of lab.yaml`,
  );

const file = z.string().check(z.minLength(1));

const anchor = described(
  z.strictObject({
    certificate: described(z.optional(file), 'PEM file, relative to lab.yaml'),
    key: described(z.optional(file), 'PEM file of its key; without it issuers are only checked'),
  }),
  'A trust anchor of your own, instead of one that lab makes',
);

/** `mesh: none` is short for `mesh: {name: none}`. */
const withShortForm = <Block extends z.ZodMiniType>(block: Block) =>
  z.optional(
    z.union([
      block,
      z.pipe(
        meshName,
        z.transform((short: MeshName) => block.parse({ name: short })),
      ),
    ]),
  );

/** The mesh of one cluster. */
export const clusterMesh = described(
  withShortForm(
    z.strictObject({
      name,
      ...MESH_KEYS,
      trustDomain: ofTheLab('trustDomain'),
      certificates: described(
        z.prefault(
          z.strictObject({
            issuerLifetime,
            anchor: ofTheLab('certificates.anchor'),
            anchorLifetime: ofTheLab('certificates.anchorLifetime'),
          }),
          {},
        ),
        "The cluster's issuer",
      ),
    }),
  ),
  'The service mesh: `none`, or a block; what lab.yaml says, when left out',
);

/** The mesh of all clusters, and the trust that they share. */
export const labMesh = described(
  withShortForm(
    z.strictObject({
      name,
      ...MESH_KEYS,
      trustDomain: described(
        z.optional(domainText),
        "Trust domain of all identities; by default the clusters' domain where they have the same",
      ),
      certificates: described(
        z.prefault(
          z.strictObject({
            issuerLifetime,
            anchor: z.optional(anchor),
            anchorLifetime: described(z._default(durationText, '10y'), 'How long the trust anchor is valid'),
          }),
          {},
        ),
        'The trust anchor of the lab, and the issuers that it signs',
      ),
    }),
  ),
  'The service mesh of every cluster that does not say otherwise: a block, or its name',
);
