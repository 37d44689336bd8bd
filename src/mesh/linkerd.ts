import * as z from 'zod/mini';
import { described } from '../lab/described.ts';
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

const values = (what: string) => described(z._default(z.record(z.string(), z.unknown()), {}), `${what}, merged last`);

const variable = z.string().check(z.regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected the name of a variable'));

/** A message about a value must not show it: it may be a licence. */
const secretText = z
  .unknown()
  .check(({ value, issues }) => {
    if (typeof value !== 'string')
      issues.push({ code: 'custom', input: '', message: 'expected text', params: { hint: 'put it in quotes' } });
  })
  .register(z.globalRegistry, { type: 'string' });

const binary = z.string().check(z.minLength(1), z.regex(/^[^-]/, 'expected the name of a program'));
const version = z.string().check(z.regex(/^[\w.+-]{1,64}$/, 'expected a version such as edge-26.8.3'));
const manifest = z.string().check(z.minLength(1));

/** What `mesh` of a cluster may say of Linkerd. */
export const linkerdKeys = {
  binary: described(z._default(binary, 'linkerd'), "Linkerd's CLI: a name on the PATH, or a path"),
  version: described(z.optional(version), 'What the CLI must say that it is; any version when left out'),
  gatewayAPI: described(
    z.prefault(
      z.strictObject({
        manifest: described(z._default(manifest, GATEWAY_API), 'Its manifest: a file beside this one, or an https URL'),
      }),
      {},
    ),
    'The Gateway API CRDs that Linkerd needs',
  ),
  values: values('Chart values of the control plane'),
  multicluster: described(
    z.prefault(z.strictObject({ values: values('Chart values of the extension') }), {}),
    'The multicluster extension',
  ),
  env: described(
    z._default(z.union([z.record(variable, secretText), z.array(variable)]), []),
    'Variables for the CLI: {NAME: value}, or a list of names that are passed on; values are never shown',
  ),
};
