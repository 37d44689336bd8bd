import type { LoadBalancerName } from '../lab/lab.ts';
import type { LoadBalancer } from './addon.ts';
import { metallb } from './metallb.ts';

/** Every load balancer that lab.yaml can name. */
export const LOAD_BALANCERS: Readonly<Record<LoadBalancerName, LoadBalancer>> = { metallb };
