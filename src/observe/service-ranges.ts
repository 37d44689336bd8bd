import { listOf } from '../tools/kube-api.ts';
import type { ApiClient } from './api-client.ts';

interface ServiceCidr {
  readonly spec?: { readonly cidrs?: readonly string[] };
}

const SERVICES = '/api/v1/namespaces/default/services';
/** Addresses that are for documentation only, so that no cluster has them among its services. */
const IMPOSSIBLE = { IPv4: '192.0.2.1', IPv6: '2001:db8::1' } as const;

/**
 * The service ranges of a cluster, its first family first. Kubernetes has them as objects from 1.33 on; an older API
 * server says them when it is asked, as a dry run, for a service with an address that cannot be: nothing is made.
 * https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/service-cidr-v1/
 */
export async function readServiceRanges(api: ApiClient): Promise<string[]> {
  // Whoever may not list them may still be told.
  const objects = await api.get('/apis/networking.k8s.io/v1/servicecidrs').catch(() => undefined);
  const ranges = listOf<ServiceCidr>(objects ?? { items: [] }).flatMap(({ spec }) => spec?.cidrs ?? []);
  if (ranges.length > 0) return [...new Set(ranges)];
  const answers = await Promise.all(
    Object.entries(IMPOSSIBLE).map(([family, address]) =>
      api.tryCreate(SERVICES, {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { generateName: 'lab-' },
        spec: { clusterIP: address, ipFamilies: [family], ipFamilyPolicy: 'SingleStack', ports: [{ port: 80 }] },
      }),
    ),
  );
  const said = answers.flatMap((answer) => /range of valid IPs is ([0-9a-f:.]+\/\d+)/i.exec(answer)?.[1] ?? []);
  return [...new Set(said)];
}
