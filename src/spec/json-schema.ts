import * as z from 'zod/mini';
import { clusterFile } from './cluster-schema.ts';
import { labFile } from './lab-schema.ts';
import { workloadFile } from './workload-schema.ts';

export type JsonSchema = Readonly<Record<string, unknown>>;

/** The JSON schema of a cluster's file, for editors. */
export const clusterJsonSchema = (): JsonSchema => toJsonSchema(clusterFile());

/** The JSON schema of lab.yaml, for editors. */
export const labJsonSchema = (): JsonSchema => toJsonSchema(labFile());

/** The JSON schema of a workload's file, for editors. */
export const workloadJsonSchema = (): JsonSchema => toJsonSchema(workloadFile());

// The YAML language server reads no later draft than this one.
const toJsonSchema = (schema: z.ZodMiniType): JsonSchema => ({
  ...z.toJSONSchema(schema, { target: 'draft-7', io: 'input' }),
});
