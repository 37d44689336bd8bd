import type { DesiredCluster } from '../lab/desired.ts';
import type { RunStep } from '../step/step.ts';

/**
 * Makes the API server's certificate of one server node anew, with its address of the cluster's second family:
 * kubeadm puts in the first family's only, and the other is not known before the node exists. The address goes into
 * the configuration that the node keeps, where a boot with another address rewrites it before it makes the certificate
 * again. The API server takes a new pair of files by itself once both are there, so they are made aside and moved.
 */
export function certificateStep({ name, services }: DesiredCluster, node: string, needs: readonly string[]): RunStep {
  const family = services[1]?.family ?? 6;
  return {
    kind: 'run',
    id: `${name}/certificate/${node}`,
    title: `add ${node}'s IPv${family} address to its API server's certificate`,
    clusters: [name],
    needs,
    timeout: 150,
    why: "kubeadm's certificate holds the address of the first family only; a restart makes it from the same configuration.",
    argv: ['docker', 'exec', '-i', node, 'sh', '-e'],
    stdin: script(family),
  };
}

const script = (family: number): string => `\
conf=/kind/kubeadm.conf pki=/etc/kubernetes/pki new=/etc/kubernetes/pki.lab
address=$(ip -${family} -o addr show dev eth0 scope global | awk '{ sub("/.*", "", $4); print $4; exit }')
[ -n "$address" ] || { echo "eth0 has no IPv${family} address" >&2; exit 1; }
sed -i -e '/ # lab$/d' -e "/^  certSANs:$/{n;s|^\\( *- \\).*|&\\n\\1\\"$address\\" # lab|}" $conf
grep -q ' # lab$' $conf || { echo "$conf has no list of certSANs" >&2; exit 1; }
rm -rf $new
mkdir -m 700 $new
ln -s $pki/ca.crt $pki/ca.key $new
sed "s|^kind: ClusterConfiguration$|&\\ncertificatesDir: $new|" $conf > $new/kubeadm.conf
kubeadm init phase certs apiserver --config $new/kubeadm.conf
mv $new/apiserver.key $new/apiserver.crt $pki
rm -rf $new
for second in $(seq 90); do
  curl -s -m 3 -o /dev/null --cacert $pki/ca.crt "https://${family === 6 ? '[$address]' : '$address'}:6443/livez" && exit
  sleep 1
done
echo "the API server does not show its new certificate" >&2
exit 1
`;
