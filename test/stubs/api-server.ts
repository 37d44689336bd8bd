/** The API server of every stub cluster at once; the token of a request says which one is meant. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { blockAround, formatCidr, parseCidr } from '../../src/net/cidr.ts';
import { nodesOf } from './kind.ts';
import type { Store } from './store.ts';

/** A certificate of its own for 127.0.0.1. */
export function makeCertificate(): { readonly key: Buffer; readonly cert: Buffer } {
  const dir = mkdtempSync(join(tmpdir(), 'lab-stub-'));
  const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')];
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'];
  const names = ['-subj', '/CN=stub', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert];
  execFileSync('openssl', [...request, ...names], { stdio: 'ignore' });
  const certificate = { key: readFileSync(key), cert: readFileSync(cert) };
  rmSync(dir, { recursive: true });
  return certificate;
}

let certificate: ReturnType<typeof makeCertificate> | undefined;

/** Answers from what the stubs noted in the store, and writes there where it listens. */
export async function startApiServer(store: Store): Promise<Server> {
  certificate ??= makeCertificate();
  const server = createServer(certificate, (request, response) => {
    const cluster = (request.headers.authorization ?? '').replace('Bearer ', '');
    if (!nodesOf(store, cluster).some(({ running }) => running)) return void request.socket.destroy();
    const object = answer(store, cluster, request.url ?? '');
    response.statusCode = object === undefined ? 404 : 200;
    response.end(JSON.stringify(object ?? { kind: 'Status', status: 'Failure' }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  store.write('api', 'api', { server: `https://127.0.0.1:${port}`, ca: certificate.cert.toString('base64') });
  return server;
}

/** A node's share of its cluster's pod ranges, with the masks of kubeadm. */
function shareOf(node: string, index: number, store: Store): string[] {
  const pods = /podSubnet: (\S+)/.exec(store.read('files', `${node}:/kind/kubeadm.conf`) ?? '')?.[1] ?? '';
  return pods.split(',').map((range) => {
    const { family, first } = parseCidr(range);
    const size = family === 4 ? 2n ** 8n : 2n ** 64n;
    return formatCidr(blockAround({ family, value: first + BigInt(index) * size }, family === 4 ? 24 : 64));
  });
}

function answer(store: Store, cluster: string, path: string): unknown {
  const applied = (kind: string) => store.read('applied', `${cluster}:${kind}`);
  const rolledOut = { metadata: {}, spec: { replicas: 1 }, status: { availableReplicas: 1 } };
  const everywhere = { metadata: {}, status: { desiredNumberScheduled: 1, numberAvailable: 1 } };
  switch (path) {
    case '/api/v1/nodes':
      return {
        items: nodesOf(store, cluster).map(({ name, running }, index) => ({
          metadata: { name, annotations: store.read('annotations', name), labels: store.read('labels', name) },
          spec: { podCIDRs: shareOf(name, index, store) },
          status: { conditions: [{ type: 'Ready', status: running ? 'True' : 'Unknown' }] },
        })),
      };
    case '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases':
      return {
        items: nodesOf(store, cluster).map(({ name }) => ({
          metadata: { name },
          spec: { renewTime: `${Date.now()}` },
        })),
      };
    case '/apis/apps/v1/namespaces/metallb-system/deployments/controller':
      return applied('metallb') && rolledOut;
    case '/apis/apps/v1/namespaces/metallb-system/daemonsets/speaker':
      return applied('metallb') && everywhere;
    case '/apis/metallb.io/v1beta1/namespaces/metallb-system/ipaddresspools/lab':
      return applied('IPAddressPool');
    case '/apis/metallb.io/v1beta1/namespaces/metallb-system/l2advertisements/lab':
      return applied('L2Advertisement');
    default:
      return undefined;
  }
}
