/** Traffic from pod to pod with what a node has, on kind's nodes (curl) and on k3s' (busybox): no image is needed. */
import { run } from './engine.ts';

/** Runs a command in the network namespace of a CoreDNS pod on this node. */
const inPod = (node: string, command: string): string =>
  run('docker', ['exec', node, 'sh', '-c', `pids=$(pidof coredns); nsenter -t "\${pids##* }" -n ${command}`]);

const urlOf = (address: string): string => `http://${address.includes(':') ? `[${address}]` : address}:8181/ready`;

/** The answer of CoreDNS' readiness port at an address, asked from a pod; nothing when it does not come. */
export function askReady(node: string, address: string): string | undefined {
  const url = urlOf(address);
  const fetch = `sh -c 'if command -v curl >/dev/null; then curl -sS -m 3 "${url}"; else wget -q -T 3 -O - "${url}"; fi'`;
  try {
    return inPod(node, fetch);
  } catch {
    return undefined;
  }
}

/** The source address with which a request of a pod on one node arrives at a pod of another; nothing when it does not. */
export function sourceSeen(from: string, to: string, address: string): string | undefined {
  run('docker', ['exec', to, 'conntrack', '-F']);
  if (askReady(from, address) !== 'OK') return undefined;
  const family = address.includes(':') ? 'ipv6' : 'ipv4';
  const flows = run('docker', ['exec', to, 'conntrack', '-L', '-f', family, '-p', 'tcp', '-d', address]);
  // The node's own kubelet asks the same port, from the pod range's first address or the node's own.
  const sources = [...flows.matchAll(/^tcp .*? src=(\S+) /gm)].map(([, source]) => source as string);
  const own = ownAddresses(to);
  return sources.find((source) => !own.includes(source));
}

const ownAddresses = (node: string): string[] =>
  [...run('docker', ['exec', node, 'ip', 'addr']).matchAll(/inet6? ([^/ ]+)/g)].map(([, address]) => address as string);
