import type { Addon } from './addon.ts';

/** Where the dashboards of linkerd-viz find it. */
export const GRAFANA_URL = 'grafana.grafana:3000';

/** Where Linkerd keeps what fits its dashboards to the chart, and lets Grafana ask its Prometheus. */
const LINKERD = 'https://raw.githubusercontent.com/linkerd/linkerd2/edge-26.8.3/grafana';

/** The chart of the community: the one of the workshops, in grafana.github.io, is deprecated since January 2026. */
export const grafana: Addon = {
  name: 'grafana',
  summary: "Grafana with Linkerd's dashboards, which it fetches from grafana.com",
  namespace: 'grafana',
  inject: true,
  needs: ['linkerd'],
  sources: (others) => [
    {
      kind: 'chart',
      chart: 'grafana',
      repo: 'https://grafana-community.github.io/helm-charts',
      version: '11.6.1',
      values: {},
      valuesFrom: `${LINKERD}/values.yaml`,
      only: [],
    },
    // The policy is for the Prometheus of linkerd-viz.
    ...(others.has('linkerd-viz')
      ? [{ kind: 'manifest', manifest: { location: `${LINKERD}/authzpolicy-grafana.yaml` } } as const]
      : []),
  ],
};
