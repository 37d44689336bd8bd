/** Linkerd's proxy outside of a pod: its ports, and what leads packets to it. */
import type { Family } from '../net/address.ts';

/** The proxy's user and ports, as in Linkerd's charts. */
export const PROXY = { uid: 2102, inbound: 4143, outbound: 4140, control: 4190, admin: 4191 } as const;

/** The program in the proxy's image; what the image runs by itself asks for an identity as a pod does. */
export const PROXY_PROGRAM = '/usr/lib/linkerd/linkerd2-proxy';

/** Ports that the charts leave alone: those of the proxy itself, and two of Galera. */
const IGNORED = { inbound: `${PROXY.control},${PROXY.admin},4567,4568`, outbound: '4567,4568' };

/** Lines that lead what comes in and what goes out through the proxy, as Linkerd's own init container does; once. */
export function redirectLines(family: Family): string[] {
  const nat = `${family === 4 ? 'iptables' : 'ip6tables'} -w -t nat`;
  const chain = (name: string, hook: string, rules: readonly string[]) => [
    `${nat} -N ${name} 2>/dev/null || ${nat} -F ${name}`,
    ...rules.map((rule) => `${nat} -A ${name} ${rule}`),
    `${nat} -C ${hook} -j ${name} 2>/dev/null || ${nat} -A ${hook} -j ${name}`,
  ];
  return [
    ...chain('LAB_INBOUND', 'PREROUTING', [
      `-p tcp -m multiport --dports ${IGNORED.inbound} -j RETURN`,
      `-p tcp -j REDIRECT --to-ports ${PROXY.inbound}`,
    ]),
    ...chain('LAB_OUTBOUND', 'OUTPUT', [
      `-m owner --uid-owner ${PROXY.uid} -j RETURN`,
      '-o lo -j RETURN',
      `-p tcp -m multiport --dports ${IGNORED.outbound} -j RETURN`,
      `-p tcp -j REDIRECT --to-ports ${PROXY.outbound}`,
    ]),
  ];
}

const READY = `http://127.0.0.1:${PROXY.admin}/ready`;

/** Succeeds where the proxy of a network has its identity; with what a node's image has, whatever that is. */
export const isProxyReady = `{ curl -sf -m 2 ${READY} || wget -q -T 2 -O - ${READY}; } >/dev/null 2>&1`;

/** The script that waits for that; `logs` are containers to look at when it never comes. */
export const awaitProxyScript = (seconds: number, logs: readonly string[]): string => `end=$(($(date +%s) + ${seconds}))
until ${isProxyReady}; do
  if [ "$(date +%s)" -ge "$end" ]; then
    echo "no identity after ${seconds} s; look at: ${logs.map((name) => `docker logs ${name}`).join(', ')}" >&2
    exit 1
  fi
  sleep 1
done
`;
