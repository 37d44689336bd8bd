/** A request by name from the network namespace of a pod, with what its node has: the script, and what it prints. */
import { quoteArgv } from '../step/shell.ts';
import { SPACE } from './probe.ts';

/** Seconds that one request may take. */
const PATIENCE = 10;
/** Bytes of an answer that are looked at. */
const KEPT = 65_536;

/**
 * The pod's own proxy sees it, because rules of that namespace redirect it there. The node's resolver is of no use in
 * there: names are asked of the cluster's DNS. Nodes of k3s have busybox' wget in place of curl.
 */
const ASK = `${SPACE}
ns=$(space "$1")
[ -n "$ns" ] || { echo "lab-check lost"; exit; }
conf=$(mktemp) body=$(mktemp)
printf 'nameserver %s\\nsearch %s\\noptions ndots:5 timeout:2 attempts:2\\n' "$2" "$3" >"$conf"
inside() { nsenter --net="$ns" unshare -m sh -c 'mount --bind "$1" /etc/resolv.conf && shift && exec "$@"' - "$conf" "$@"; }
if command -v curl >/dev/null; then
  said=$(inside curl -sS -g -m ${PATIENCE} -o "$body" -w 'HTTP/1 %{http_code}' "$4" 2>&1)
else
  said=$(inside wget -S -T ${PATIENCE} -O "$body" "$4" 2>&1)
fi
status=$(printf '%s\\n' "$said" | grep -o 'HTTP/[0-9.]* [0-9]*' | tail -n 1 | grep -o '[0-9]*$')
case "$status" in
  '' | 0 | 000) echo "lab-check silent $(printf '%s' "$said" | tr '\\n' ' ')" ;;
  *) echo "lab-check $status"; head -c ${KEPT} "$body" ;;
esac
rm -f "$conf" "$body"
`;

export interface CheckFrom {
  /** Of the pod. */
  readonly address: string;
  /** Of the cluster's DNS. */
  readonly dns: string;
  readonly namespace: string;
  readonly domain: string;
}

/** For `sh` on the node of the pod. */
export function checkScript({ address, dns, namespace, domain }: CheckFrom, request: string): string {
  const search = [`${namespace}.svc.${domain}`, `svc.${domain}`, domain].join(' ');
  return `${quoteArgv(['set', '--', address, dns, search, request])}\n${ASK}`;
}

/** What came of a request. */
export function parseCheck(
  output: string,
): { readonly status: number; readonly body: string } | { readonly silent: string } {
  const [, status, rest = ''] = /^lab-check (\S+)([\s\S]*)$/.exec(output) ?? [];
  if (status !== undefined && /^\d+$/.test(status)) return { status: Number(status), body: rest.replace(/^\n/, '') };
  // What curl prints in place of a status.
  const said = rest.trim().replace(/ *HTTP\/1 000$/, '');
  return { silent: status === 'lost' ? 'its network namespace was not found' : said || 'no answer' };
}
