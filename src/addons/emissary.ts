import type { Addon } from './addon.ts';

const VERSION = '4.0.0-rc.1';
const chart = (name: string) =>
  ({ kind: 'chart', chart: `oci://ghcr.io/emissary-ingress/${name}`, version: VERSION, values: {}, only: [] }) as const;

/** The CRDs come with a conversion webhook, which has to run before anything of their kind is applied. */
export const emissary: Addon = {
  name: 'emissary',
  summary: 'Emissary-ingress, as the workshops use it; envoy-gateway is the choice for anything new',
  namespace: 'emissary',
  inject: true,
  needs: [],
  sources: () => [chart('emissary-crds-chart'), { ...chart('emissary-ingress'), values: { replicaCount: 1 } }],
  retired:
    'the workshops use release 3, which gets no more releases, and 4 is a release candidate: Gateway API (envoy-gateway) takes its place',
};
