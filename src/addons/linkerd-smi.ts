import type { Addon } from './addon.ts';

export const linkerdSmi: Addon = {
  name: 'linkerd-smi',
  summary: 'TrafficSplit for Linkerd; retired: HTTPRoute does it now',
  namespace: 'linkerd-smi',
  inject: false,
  needs: ['linkerd'],
  sources: () => [
    {
      kind: 'chart',
      chart: 'linkerd-smi',
      repo: 'https://linkerd.github.io/linkerd-smi',
      version: '1.0.4',
      values: {},
      only: [],
    },
  ],
  domainValues: (clusterDomain) => ({ clusterDomain }),
  retired:
    'the project is archived since October 2025, and TrafficSplit deprecated: HTTPRoute of the Gateway API splits traffic now',
};
