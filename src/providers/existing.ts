import type { Provider } from './provider.ts';

/** A cluster that somebody else made, by whatever means and wherever: a lab takes it in as it is. */
export const existing: Provider = {
  name: 'existing',
  binaries: [],
  check: () => [],
  contextName: (cluster) => cluster,
  image: () => undefined,
  nodes: () => [],
  helpers: () => 0,
  recognise: () => undefined,
  readRanges: () => undefined,
  kubeconfigQuery: ({ access }, from) => ({
    argv: ['kubectl', 'config', 'view', '--minify', '--flatten', '--raw', '--context', access?.context ?? ''],
    ...(from !== undefined && { env: { KUBECONFIG: from } }),
  }),
  hostPorts: () => [],
};
