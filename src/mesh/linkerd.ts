import * as z from 'zod';
import type { Mesh } from './mesh.ts';

/** Fits Linkerd 2.18 to 2.20; `linkerd install` wants it there since 2.18. */
const GATEWAY_API = 'https://github.com/kubernetes-sigs/gateway-api/releases/download/v1.2.1/standard-install.yaml';

/** Open source Linkerd, and Buoyant Enterprise for Linkerd, whose CLI is another binary with the same words. */
export const linkerd: Mesh = {
  name: 'linkerd',
  // The names that Linkerd's own guides use.
  certificateNames: {
    anchor: (trustDomain) => `root.linkerd.${trustDomain}`,
    issuer: (trustDomain) => `identity.linkerd.${trustDomain}`,
  },
};

const values = (what: string) => z.record(z.string(), z.unknown()).default({}).describe(`${what}, merged last`);

const variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected the name of a variable');

/** A message about a value must not show it: it may be a licence. */
const secretText = z
  .unknown()
  .check(({ value, issues }) => {
    if (typeof value !== 'string')
      issues.push({ code: 'custom', input: '', message: 'expected text', params: { hint: 'put it in quotes' } });
  })
  .meta({ type: 'string' });

/** What `mesh` of a cluster may say of Linkerd. */
export const linkerdKeys = {
  binary: z
    .string()
    .min(1)
    .regex(/^[^-]/, 'expected the name of a program')
    .default('linkerd')
    .describe("Linkerd's CLI: a name on the PATH, or a path"),
  version: z
    .string()
    .regex(/^[\w.+-]{1,64}$/, 'expected a version such as edge-26.8.3')
    .optional()
    .describe('What the CLI must say that it is; any version when left out'),
  gatewayAPI: z
    .strictObject({
      manifest: z
        .string()
        .min(1)
        .default(GATEWAY_API)
        .describe('Its manifest: a file beside this one, or an https URL'),
    })
    .prefault({})
    .describe('The Gateway API CRDs that Linkerd needs'),
  values: values('Chart values of the control plane'),
  multicluster: z
    .strictObject({ values: values('Chart values of the extension') })
    .prefault({})
    .describe('The multicluster extension'),
  env: z
    .union([z.record(variable, secretText), z.array(variable)])
    .default([])
    .describe('Variables for the CLI: {NAME: value}, or a list of names that are passed on; values are never shown'),
};
