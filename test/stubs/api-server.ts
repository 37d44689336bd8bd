/** The API server of every stub cluster at once; the token of a request says which one is meant. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { answerApps } from './apps.ts';
import { answerLinkerd } from './linkerd.ts';
import { clusterOf, nodesOf, shareOf } from './nodes.ts';
import type { Store } from './store.ts';

interface Certificate {
  readonly key: Buffer;
  readonly cert: Buffer;
}

/** A certificate for 127.0.0.1 and more addresses, signed by `ca`; without one by itself, and fit to sign others. */
export function makeCertificate(addresses: readonly string[] = [], ca?: Certificate): Certificate {
  const dir = mkdtempSync(join(tmpdir(), 'lab-stub-'));
  const at = (name: string) => join(dir, name);
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'];
  const names = `subjectAltName=${['127.0.0.1', ...addresses].map((address) => `IP:${address}`).join()}`;
  const output = ['-addext', names, '-keyout', at('key.pem'), '-out', at('cert.pem')];
  if (ca) {
    writeFileSync(at('ca.pem'), ca.cert);
    writeFileSync(at('ca-key.pem'), ca.key);
  }
  const signer = ca ? ['-subj', '/CN=server', '-CA', at('ca.pem'), '-CAkey', at('ca-key.pem')] : ['-subj', '/CN=stub'];
  execFileSync('openssl', [...request, ...signer, ...output], { stdio: 'ignore' });
  const certificate = { key: readFileSync(at('key.pem')), cert: readFileSync(at('cert.pem')) };
  rmSync(dir, { recursive: true });
  return certificate;
}

/** Of every cluster that is asked: those of a lab never are. */
const FOREIGN_SERVICES = '10.96.0.0/16';

let authority: Certificate | undefined;

/** Answers from what the stubs noted in the store, and writes there where it listens. */
export async function startApiServer(store: Store): Promise<Server> {
  authority ??= makeCertificate();
  const ca = authority;
  const server = createServer(ca, (request, response) => {
    const cluster = clusterOf((request.headers.authorization ?? '').replace('Bearer ', ''));
    if (!nodesOf(store, cluster).some(({ running }) => running)) return void request.socket.destroy();
    const object = answer(store, cluster, request.url ?? '');
    response.statusCode = object === undefined ? 404 : 200;
    response.end(JSON.stringify(object ?? { kind: 'Status', status: 'Failure' }));
  });
  // One server for all: its certificate holds what was added for any, from the next connection on.
  let held = '';
  server.prependListener('connection', () => {
    const addresses = store.list('certificates').flat();
    if (held === addresses.join()) return;
    held = addresses.join();
    server.setSecureContext(makeCertificate(addresses, ca));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  store.write('api', 'api', { server: `https://127.0.0.1:${port}`, ca: ca.cert.toString('base64') });
  return server;
}

function answer(store: Store, cluster: string, path: string): unknown {
  const applied = (kind: string) => store.read('applied', `${cluster}:${kind}`);
  const rolledOut = { metadata: {}, spec: { replicas: 1 }, status: { updatedReplicas: 1, availableReplicas: 1 } };
  const everywhere = {
    metadata: {},
    status: { desiredNumberScheduled: 1, updatedNumberScheduled: 1, numberAvailable: 1 },
  };
  switch (path) {
    case '/api/v1/nodes':
      return {
        items: nodesOf(store, cluster).map((node, index) => ({
          metadata: {
            name: node.name,
            annotations: store.read('annotations', node.name),
            labels: store.read('labels', node.name),
          },
          spec: { podCIDRs: shareOf(node, index) },
          status: {
            addresses: node.addresses.map((address) => ({ type: 'InternalIP', address })),
            conditions: [{ type: 'Ready', status: node.running ? 'True' : 'Unknown' }],
          },
        })),
      };
    case '/api/v1/namespaces/default/services?dryRun=All':
      // As API servers up to 1.32 say it, which have no objects for it.
      return {
        kind: 'Status',
        message: `Service is invalid: failed to allocate IP: the provided IP is not in the valid range. The range of valid IPs is ${FOREIGN_SERVICES}`,
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
    case '/api/v1/namespaces/kube-system/services/kube-dns':
      return { spec: { clusterIPs: ['10.128.0.10'] } };
    default:
      return answerLinkerd(store, cluster, path) ?? answerApps(store, cluster, path);
  }
}
