import type { LoadBalancerName } from '../lab/lab.ts';
import type { Addon, AddonName, LoadBalancer } from './addon.ts';
import { emissary } from './emissary.ts';
import { envoyGateway } from './envoy-gateway.ts';
import { grafana } from './grafana.ts';
import { linkerdFailover } from './linkerd-failover.ts';
import { linkerdSmi } from './linkerd-smi.ts';
import { linkerdViz } from './linkerd-viz.ts';
import { metallb } from './metallb.ts';

/** Every load balancer that lab.yaml can name. */
export const LOAD_BALANCERS: Readonly<Record<LoadBalancerName, LoadBalancer>> = { metallb };

/** Every add-on that `addons` of a spec can name, in an order in which each has what it needs. */
export const ADDONS: Readonly<Record<AddonName, Addon>> = {
  grafana,
  'linkerd-viz': linkerdViz,
  'linkerd-smi': linkerdSmi,
  'linkerd-failover': linkerdFailover,
  emissary,
  'envoy-gateway': envoyGateway,
};
