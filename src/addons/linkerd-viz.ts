import type { Addon } from './addon.ts';
import { GRAFANA_URL } from './grafana.ts';

/** Its version is the CLI's: the two must fit. Prometheus comes with it. */
export const linkerdViz: Addon = {
  name: 'linkerd-viz',
  summary:
    'Metrics and the dashboard of Linkerd, rendered by the CLI of the mesh; with grafana beside it, linked to that',
  namespace: 'linkerd-viz',
  inject: false,
  needs: ['linkerd'],
  sources: (others) => [
    { kind: 'linkerd', extension: 'viz', values: others.has('grafana') ? { grafana: { url: GRAFANA_URL } } : {} },
  ],
  domainValues: (clusterDomain, identityTrustDomain) => ({ clusterDomain, identityTrustDomain }),
};
