/** Requests from the network namespace of a pod, with what a node has anyway: the script, and what it prints. */
import type { Lookup, Probe, Sighting } from '../lab/reach.ts';
import { quoteArgv } from '../step/shell.ts';

/** Seconds that a request may take. */
const PATIENCE = 3;

/**
 * The namespace of a pod is found by its address: not every node has crictl. Nodes of k3s have busybox' wget and
 * nslookup in place of curl and getent.
 */
export const SPACE = `space() {
  for ns in /var/run/netns/*; do
    if nsenter --net="$ns" ip -o addr 2>/dev/null | grep -qF " $1/"; then echo "$ns"; return; fi
  done
}
`;

const TOOLS = `${SPACE}request() {
  if command -v curl >/dev/null; then
    nsenter --net="$1" curl -sv -g -o /dev/null -m ${PATIENCE} "http://$2/" 2>&1
  else
    nsenter --net="$1" wget -T ${PATIENCE} -O /dev/null "http://$2/" 2>&1
  fi
}
ask() {
  ns=$(space "$2")
  if [ -z "$ns" ]; then echo "$1 lost"; return; fi
  left=$4
  while :; do
    said=$(request "$ns" "$3")
    case "$?:$said" in
      0:* | *HTTP/*) echo "$1 answered"; return ;;
      *refused*) echo "$1 refused"; return ;;
    esac
    left=$((left - 1))
    if [ "$left" = 0 ]; then echo "$1 silent"; return; fi
    sleep 1
  done
}
look() {
  ns=$(space "$2")
  if [ -z "$ns" ]; then echo "$1 lost"; return; fi
  if command -v getent >/dev/null; then
    conf=$(mktemp)
    printf 'nameserver %s\\noptions timeout:2 attempts:2\\n' "$3" >"$conf"
    nsenter --net="$ns" unshare -m sh -c 'mount --bind "$1" /etc/resolv.conf && exec getent ahosts "$2"' - "$conf" "$4" >/dev/null 2>&1
    code=$?
    rm -f "$conf"
  else
    nsenter --net="$ns" nslookup "$4" "$3" >/dev/null 2>&1
    code=$?
  fi
  if [ "$code" = 0 ]; then echo "$1 answered"; else echo "$1 silent"; fi
}
`;

const authority = ({ address, port }: Probe): string => `${address.includes(':') ? `[${address}]` : address}:${port}`;

/** Requests of one node at the same time. */
const AT_ONCE = 32;

/** A script that does all probes and lookups of one node, and prints a line for each. */
export function probeScript(probes: readonly Probe[], lookups: readonly Lookup[]): string {
  const lines = [
    ...probes.map((probe) => ['ask', `p${probe.id}`, probe.pod, authority(probe), String(probe.tries ?? 1)]),
    ...lookups.map(({ id, pod, server, name }) => ['look', `l${id}`, pod, server, name]),
  ];
  const calls = lines.map((words, index) => `${quoteArgv(words)} &${(index + 1) % AT_ONCE === 0 ? '\nwait' : ''}`);
  return `${TOOLS}${calls.join('\n')}\nwait\n`;
}

/** What the script printed: the answer of each probe (`p` and its id) and lookup (`l`); what is missing was silent. */
export function parseAnswers(text: string): ReadonlyMap<string, Sighting['answer'] | 'lost'> {
  const answers = new Map<string, Sighting['answer'] | 'lost'>();
  for (const line of text.split('\n')) {
    const [, id, answer] = /^([pl]\d+) (answered|refused|silent|lost)$/.exec(line.trim()) ?? [];
    if (id) answers.set(id, answer as Sighting['answer'] | 'lost');
  }
  return answers;
}

const LOG = '/run/lab-verify.log';

/**
 * Begins to note every new connection on a node, and ends once it does. A node tracks connections for kube-proxy's
 * sake, but forgets one that was refused at once: a listing would not show it, events do.
 */
export const WATCH = `command -v conntrack >/dev/null || { echo 'conntrack is missing on the node' >&2; exit 1; }
timeout 120 conntrack -E -e NEW -p tcp >${LOG} 2>/dev/null </dev/null &
echo $! >${LOG}.pid
for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  if command -v curl >/dev/null; then curl -s -m 1 http://127.0.0.1:1/; else wget -q -T 1 -O /dev/null http://127.0.0.1:1/; fi 2>/dev/null
  grep -q 'dport=1 ' ${LOG} && exit 0
  sleep 0.2
done
echo 'conntrack reports no connection' >&2
exit 1
`;

/** Ends what `WATCH` began, and prints what it noted. */
export const COLLECT = `kill "$(cat ${LOG}.pid)" 2>/dev/null; cat ${LOG}; rm -f ${LOG} ${LOG}.pid`;

/** A connection as the first packet asked for it, before any address was replaced. */
export interface Flow {
  readonly source: string;
  readonly destination: string;
  readonly port: number;
}

export function parseFlows(text: string): Flow[] {
  return [...text.matchAll(/^\s*\[NEW\] tcp .*?\bsrc=(\S+) dst=(\S+) sport=\d+ dport=(\d+)/gm)].map(
    ([, source, destination, port]) => ({
      source: source as string,
      destination: destination as string,
      port: Number(port),
    }),
  );
}
