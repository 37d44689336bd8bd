import type { Addon } from './addon.ts';

/** Brings the CRDs of Gateway API 1.4, which Linkerd takes from 2.20 (edge-26.6.1) on. */
export const envoyGateway: Addon = {
  name: 'envoy-gateway',
  summary: 'An ingress by the Gateway API: Envoy Gateway',
  namespace: 'envoy-gateway-system',
  inject: false,
  needs: [],
  sources: () => [
    {
      kind: 'chart',
      chart: 'oci://docker.io/envoyproxy/gateway-helm',
      version: 'v1.7.0',
      values: {},
      only: [],
    },
  ],
};
