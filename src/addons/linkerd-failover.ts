import type { Addon } from './addon.ts';

export const linkerdFailover: Addon = {
  name: 'linkerd-failover',
  summary: 'Moves the weights of a TrafficSplit to where pods are ready; retired: federated services do it now',
  namespace: 'linkerd-failover',
  inject: false,
  needs: ['linkerd', 'linkerd-smi'],
  sources: () => [
    {
      kind: 'chart',
      chart: 'linkerd-failover',
      repo: 'https://helm.linkerd.io/edge',
      version: '0.0.9-edge',
      values: {},
      only: [],
    },
  ],
  retired: 'Linkerd deprecates it: a federated service (exports: {SERVICE: federated}) goes on where one cluster fails',
};
