import * as z from 'zod';
import type { MeshName } from '../lab/mesh.ts';
import { MESH_KEYS, MESHES } from '../mesh/index.ts';
import { durationText } from './durations.ts';
import { domainText } from './names.ts';

/** A block without a name means this one. */
const DEFAULT_MESH: MeshName = 'linkerd';

const meshName = z.enum(Object.keys(MESHES) as MeshName[]);
const name = meshName.default(DEFAULT_MESH).describe('Which mesh; none for a cluster without one');
const issuerLifetime = durationText.default('1y').describe("How long a cluster's issuer is valid, such as 8760h or 1y");

const ofTheLab = (key: string) =>
  z
    .never({ error: `the clusters of a lab share it: write it in lab.yaml as spec.mesh.${key}` })
    .optional()
    .describe(`Not here: spec.mesh.${key} of lab.yaml`);

const anchor = z
  .strictObject({
    certificate: z.string().min(1).optional().describe('PEM file, relative to lab.yaml'),
    key: z.string().min(1).optional().describe('PEM file of its key; without it issuers are only checked'),
  })
  .describe('A trust anchor of your own, instead of one that lab makes');

/** `mesh: none` is short for `mesh: {name: none}`. */
const withShortForm = <Block extends z.ZodType>(block: Block) =>
  z.union([block, meshName.transform((name) => block.parse({ name }))]);

/** The mesh of one cluster. */
export const clusterMesh = withShortForm(
  z.strictObject({
    name,
    ...MESH_KEYS,
    trustDomain: ofTheLab('trustDomain'),
    certificates: z
      .strictObject({
        issuerLifetime,
        anchor: ofTheLab('certificates.anchor'),
        anchorLifetime: ofTheLab('certificates.anchorLifetime'),
      })
      .prefault({})
      .describe("The cluster's issuer"),
  }),
)
  .optional()
  .describe('The service mesh: `none`, or a block; what lab.yaml says, when left out');

/** The mesh of all clusters, and the trust that they share. */
export const labMesh = withShortForm(
  z.strictObject({
    name,
    ...MESH_KEYS,
    trustDomain: domainText
      .optional()
      .describe("Trust domain of all identities; by default the clusters' domain where they have the same"),
    certificates: z
      .strictObject({
        issuerLifetime,
        anchor: anchor.optional(),
        anchorLifetime: durationText.default('10y').describe('How long the trust anchor is valid'),
      })
      .prefault({})
      .describe('The trust anchor of the lab, and the issuers that it signs'),
  }),
)
  .optional()
  .describe('The service mesh of every cluster that does not say otherwise: a block, or its name');
