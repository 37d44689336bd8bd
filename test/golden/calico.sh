#!/usr/bin/env bash
# lab create, lab calico. Plan: 2 clusters to create, 0 to finish, 0 to leave; takes about 1.8 GiB of memory and 3.9 GiB of disk.
set -euo pipefail

STATE=${XDG_STATE_HOME:-$HOME/.local/state}/lab/labs/0123456789ab
(umask 077 && mkdir -p "$STATE/kubeconfigs")

# retry SECONDS EVERY COMMAND...: until it succeeds; standard input is the same for every try
retry() {
  local end=$((SECONDS + $1)) every=$2 input
  shift 2
  input=$(cat)
  until "$@" <<<"$input"; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep "$every"
  done
}

# merge_contexts PRIVATE NAME...: puts the cluster of a private kubeconfig in yours, as a context of each name
merge_contexts() (
  umask 077
  private=$1 yours=${KUBECONFIG:-$HOME/.kube/config}
  shift
  yours=${yours%%:*}
  mkdir -p "$(dirname "$yours")" && touch "$yours"
  copy=$(mktemp) && merged=$(mktemp) && cp "$private" "$copy"
  cluster=$(kubectl --kubeconfig "$copy" config view --minify -o 'jsonpath={.contexts[0].context.cluster}')
  user=$(kubectl --kubeconfig "$copy" config view --minify -o 'jsonpath={.contexts[0].context.user}')
  for name; do
    kubectl --kubeconfig "$copy" config set-context "$name" --cluster="$cluster" --user="$user" >/dev/null
  done
  kubectl --kubeconfig "$copy" config unset current-context >/dev/null
  # Of two entries with one name the first counts; but your current context stays.
  current=$(kubectl --kubeconfig "$yours" config current-context 2>/dev/null) || true
  KUBECONFIG="$copy:$yours" kubectl config view --flatten --raw >"$merged" && cat "$merged" >"$yours"
  [ -z "$current" ] || kubectl --kubeconfig "$yours" config use-context "$current" >/dev/null
  rm -f "$copy" "$merged"
)

# remove_contexts FILES NAME...: takes contexts out, with the cluster and user that no other one refers to
remove_contexts() (
  export KUBECONFIG=$1
  shift
  for name; do
    context="{.contexts[?(@.name=='$name')].context"
    cluster=$(kubectl config view -o "jsonpath=$context.cluster}") || true
    user=$(kubectl config view -o "jsonpath=$context.user}") || true
    kubectl config delete-context "$name" || continue
    used=$(kubectl config view -o 'jsonpath={range .contexts[*]}{.context.cluster}{"\n"}{.context.user}{"\n"}{end}')
    grep -qxF -- "$cluster" <<<"$used" || kubectl config delete-cluster "$cluster"
    grep -qxF -- "$user" <<<"$used" || kubectl config delete-user "$user"
  done
)

# lab: create Docker network lab-calico
# IPv4 first, because k3d reads only the first entry; an ip-range, so that Docker never hands out pool addresses.
[ -z "$(docker network ls --quiet --filter 'name=^lab-calico$')" ] || { echo 'a Docker network called lab-calico appeared while this ran' >&2; exit 1; }
docker network create --driver bridge --label lab.uid=0123456789ab --label lab.name=calico --label lab.dir=/labs/practical/clusters --subnet 172.28.0.0/20 --gateway 172.28.0.1 --ip-range 172.28.0.0/21 --ipv6 --subnet fd00:1ab::/64 --gateway fd00:1ab::1 --ip-range fd00:1ab::/112 lab-calico

# calico-dual: create the nodes
# Without --wait, because kind exits 0 when that wait times out; readiness is its own step.
[ -z "$(docker ps -aq --filter label=io.x-k8s.kind.cluster=calico-dual)" ] || { echo 'a kind cluster called calico-dual appeared while this ran' >&2; exit 1; }
KIND_EXPERIMENTAL_PROVIDER=docker KIND_EXPERIMENTAL_DOCKER_NETWORK=lab-calico kind create cluster --name calico-dual --config - --kubeconfig "$STATE/kubeconfigs/calico-dual.yaml" --wait 0s <<'EOF'
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
networking:
  ipFamily: dual
  podSubnet: fd00:10:ca::/104,10.72.0.0/16
  serviceSubnet: fd00:96:ca::/112,10.200.0.0/16
  kubeProxyMode: nftables
  disableDefaultCNI: true
  apiServerAddress: 127.0.0.1
nodes:
  - role: control-plane
    extraMounts:
      - hostPath: /dev/null
        containerPath: /lab/owner/0123456789ab
        readOnly: true
  - role: worker
    extraMounts:
      - hostPath: /dev/null
        containerPath: /lab/owner/0123456789ab
        readOnly: true
kubeadmConfigPatches:
  - |
    apiVersion: kubeadm.k8s.io/v1beta3
    kind: ClusterConfiguration
    controllerManager:
      extraArgs:
        node-cidr-mask-size-ipv4: "24"
        node-cidr-mask-size-ipv6: "112"
  - |
    apiVersion: kubeadm.k8s.io/v1beta4
    kind: ClusterConfiguration
    controllerManager:
      extraArgs:
        - name: node-cidr-mask-size-ipv4
          value: "24"
        - name: node-cidr-mask-size-ipv6
          value: "112"
  - |
    kind: KubeProxyConfiguration
    conntrack:
      tcpBeLiberal: true
EOF

# calico-dual: install Calico's operator
# On the server: its resources are too large for an annotation with all of them.
retry 120 2 kubectl --kubeconfig "$STATE/kubeconfigs/calico-dual.yaml" apply --server-side --force-conflicts --field-manager=lab -f https://raw.githubusercontent.com/projectcalico/calico/v3.32.1/manifests/operator-crds.yaml -f https://raw.githubusercontent.com/projectcalico/calico/v3.32.1/manifests/tigera-operator.yaml </dev/null

# calico-dual: give pods fd00:10:ca::/104 and 10.72.0.0/16 by Calico
retry 120 2 kubectl --kubeconfig "$STATE/kubeconfigs/calico-dual.yaml" apply --server-side --force-conflicts --field-manager=lab -f - <<'EOF'
apiVersion: operator.tigera.io/v1
kind: Installation
metadata:
  name: default
spec:
  calicoNetwork:
    bgp: Disabled
    linuxDataplane: Nftables
    nodeAddressAutodetectionV4:
      firstFound: true
    nodeAddressAutodetectionV6:
      firstFound: true
    ipPools:
      - name: lab-v6
        cidr: fd00:10:ca::/104
        blockSize: 122
        encapsulation: VXLANCrossSubnet
        natOutgoing: Enabled
        nodeSelector: "all()"
      - name: lab-v4
        cidr: 10.72.0.0/16
        blockSize: 26
        encapsulation: VXLANCrossSubnet
        natOutgoing: Enabled
        nodeSelector: "all()"
EOF

# calico-dual: wait for 2 nodes
retry 600 2 kubectl --kubeconfig "$STATE/kubeconfigs/calico-dual.yaml" wait --for=condition=Ready nodes --all --timeout=30s </dev/null

# calico-dual: wait for Calico on every node
kubectl --kubeconfig "$STATE/kubeconfigs/calico-dual.yaml" --namespace calico-system rollout status daemonset/calico-node --timeout=300s

# calico-dual: add calico-dual-control-plane's IPv4 address to its API server's certificate
# kubeadm's certificate holds the address of the first family only; a restart makes it from the same configuration.
docker exec -i calico-dual-control-plane sh -e <<'EOF'
conf=/kind/kubeadm.conf pki=/etc/kubernetes/pki new=/etc/kubernetes/pki.lab
address=$(ip -4 -o addr show dev eth0 scope global | awk '{ sub("/.*", "", $4); print $4; exit }')
[ -n "$address" ] || { echo "eth0 has no IPv4 address" >&2; exit 1; }
sed -i -e '/ # lab$/d' -e "/^  certSANs:$/{n;s|^\( *- \).*|&\n\1\"$address\" # lab|}" $conf
grep -q ' # lab$' $conf || { echo "$conf has no list of certSANs" >&2; exit 1; }
rm -rf $new
mkdir -m 700 $new
ln -s $pki/ca.crt $pki/ca.key $new
sed "s|^kind: ClusterConfiguration$|&\ncertificatesDir: $new|" $conf > $new/kubeadm.conf
kubeadm init phase certs apiserver --config $new/kubeadm.conf
mv $new/apiserver.key $new/apiserver.crt $pki
rm -rf $new
for second in $(seq 90); do
  curl -s -m 3 -o /dev/null --cacert $pki/ca.crt "https://$address:6443/livez" && exit
  sleep 1
done
echo "the API server does not show its new certificate" >&2
exit 1
EOF

# calico-dual: note on the node that it was ready
# A cluster with this note is never made anew by a create; it can be read when the node is stopped.
docker exec -i calico-dual-control-plane sh -c 'IFS= read -r record && printf '\''%s\n'\'' "$record" > /lab/cluster.json.new && mv /lab/cluster.json.new /lab/cluster.json' <<'EOF'
{"version":1,"lab":"calico","uid":"0123456789ab","dir":"/labs/practical/clusters","fixed":{"provider":"kind","ipFamily":"dual","nodes.servers":"1","nodes.workers":"1","kubernetes.image":"","kubernetes.version":"","network.name":"lab-calico","network.pods":"fd00:10:ca::/104,10.72.0.0/16","network.services":"fd00:96:ca::/112,10.200.0.0/16","network.nodeMask":"24,112","network.domain":"cluster.local","network.proxyMode":"nftables","network.cni":"calico, VXLANCrossSubnet, fd00:10:ca::/104 in /122, 10.72.0.0/16 in /26","ports":"","kind":"{}"},"pods":["fd00:10:ca::/104","10.72.0.0/16"],"services":["fd00:96:ca::/112","10.200.0.0/16"],"loadBalancer":["172.28.8.0/28","fd00:1ab::1:0/124"],"images":{}}
EOF

# calico-dual: note the same in the cluster
kubectl --kubeconfig "$STATE/kubeconfigs/calico-dual.yaml" annotate node calico-dual-control-plane --overwrite 'lab/cluster={"version":1,"lab":"calico","uid":"0123456789ab","dir":"/labs/practical/clusters","fixed":{"provider":"kind","ipFamily":"dual","nodes.servers":"1","nodes.workers":"1","kubernetes.image":"","kubernetes.version":"","network.name":"lab-calico","network.pods":"fd00:10:ca::/104,10.72.0.0/16","network.services":"fd00:96:ca::/112,10.200.0.0/16","network.nodeMask":"24,112","network.domain":"cluster.local","network.proxyMode":"nftables","network.cni":"calico, VXLANCrossSubnet, fd00:10:ca::/104 in /122, 10.72.0.0/16 in /26","ports":"","kind":"{}"},"pods":["fd00:10:ca::/104","10.72.0.0/16"],"services":["fd00:96:ca::/112","10.200.0.0/16"],"loadBalancer":["172.28.8.0/28","fd00:1ab::1:0/124"],"images":{}}'

# calico-dual: install MetalLB
retry 120 2 kubectl --kubeconfig "$STATE/kubeconfigs/calico-dual.yaml" apply --server-side --force-conflicts --field-manager=lab -f https://raw.githubusercontent.com/metallb/metallb/v0.15.2/config/manifests/metallb-native.yaml </dev/null

# calico-dual: wait for MetalLB's controller
kubectl --kubeconfig "$STATE/kubeconfigs/calico-dual.yaml" --namespace metallb-system rollout status deployment/controller --timeout=180s

# calico-dual: wait for MetalLB's speaker
kubectl --kubeconfig "$STATE/kubeconfigs/calico-dual.yaml" --namespace metallb-system rollout status daemonset/speaker --timeout=180s

# calico-dual: hand out 172.28.8.0/28 and fd00:1ab::1:0/124
# A running controller is not enough: its webhook certificate is made at run time, so this is tried again.
retry 120 2 kubectl --kubeconfig "$STATE/kubeconfigs/calico-dual.yaml" apply --server-side --force-conflicts --field-manager=lab -f - <<'EOF'
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata:
  name: lab
  namespace: metallb-system
  annotations:
    lab/manifest: https://raw.githubusercontent.com/metallb/metallb/v0.15.2/config/manifests/metallb-native.yaml
spec:
  addresses:
    - 172.28.8.0/28
    - fd00:1ab::1:0/124
---
apiVersion: metallb.io/v1beta1
kind: L2Advertisement
metadata:
  name: lab
  namespace: metallb-system
spec:
  ipAddressPools:
    - lab
EOF

# calico-dual: add context calico-dual and kind-calico-dual
merge_contexts "$STATE/kubeconfigs/calico-dual.yaml" calico-dual kind-calico-dual

# calico-peer: create the nodes
# Without --wait, because kind exits 0 when that wait times out; readiness is its own step.
[ -z "$(docker ps -aq --filter label=io.x-k8s.kind.cluster=calico-peer)" ] || { echo 'a kind cluster called calico-peer appeared while this ran' >&2; exit 1; }
KIND_EXPERIMENTAL_PROVIDER=docker KIND_EXPERIMENTAL_DOCKER_NETWORK=lab-calico kind create cluster --name calico-peer --config - --kubeconfig "$STATE/kubeconfigs/calico-peer.yaml" --wait 0s <<'EOF'
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
networking:
  ipFamily: dual
  podSubnet: 10.0.0.0/16,fd00:10::/56
  serviceSubnet: 10.128.0.0/16,fd00:96::/112
  kubeProxyMode: iptables
  apiServerAddress: 127.0.0.1
nodes:
  - role: control-plane
    extraMounts:
      - hostPath: /dev/null
        containerPath: /lab/owner/0123456789ab
        readOnly: true
EOF

# calico-peer: wait for the node
retry 300 2 kubectl --kubeconfig "$STATE/kubeconfigs/calico-peer.yaml" wait --for=condition=Ready nodes --all --timeout=30s </dev/null

# calico-peer: add calico-peer-control-plane's IPv6 address to its API server's certificate
# kubeadm's certificate holds the address of the first family only; a restart makes it from the same configuration.
docker exec -i calico-peer-control-plane sh -e <<'EOF'
conf=/kind/kubeadm.conf pki=/etc/kubernetes/pki new=/etc/kubernetes/pki.lab
address=$(ip -6 -o addr show dev eth0 scope global | awk '{ sub("/.*", "", $4); print $4; exit }')
[ -n "$address" ] || { echo "eth0 has no IPv6 address" >&2; exit 1; }
sed -i -e '/ # lab$/d' -e "/^  certSANs:$/{n;s|^\( *- \).*|&\n\1\"$address\" # lab|}" $conf
grep -q ' # lab$' $conf || { echo "$conf has no list of certSANs" >&2; exit 1; }
rm -rf $new
mkdir -m 700 $new
ln -s $pki/ca.crt $pki/ca.key $new
sed "s|^kind: ClusterConfiguration$|&\ncertificatesDir: $new|" $conf > $new/kubeadm.conf
kubeadm init phase certs apiserver --config $new/kubeadm.conf
mv $new/apiserver.key $new/apiserver.crt $pki
rm -rf $new
for second in $(seq 90); do
  curl -s -m 3 -o /dev/null --cacert $pki/ca.crt "https://[$address]:6443/livez" && exit
  sleep 1
done
echo "the API server does not show its new certificate" >&2
exit 1
EOF

# calico-peer: note on the node that it was ready
# A cluster with this note is never made anew by a create; it can be read when the node is stopped.
docker exec -i calico-peer-control-plane sh -c 'IFS= read -r record && printf '\''%s\n'\'' "$record" > /lab/cluster.json.new && mv /lab/cluster.json.new /lab/cluster.json' <<'EOF'
{"version":1,"lab":"calico","uid":"0123456789ab","dir":"/labs/practical/clusters","fixed":{"provider":"kind","ipFamily":"dual","nodes.servers":"1","nodes.workers":"0","kubernetes.image":"","kubernetes.version":"","network.name":"lab-calico","network.pods":"10.0.0.0/16,fd00:10::/56","network.services":"10.128.0.0/16,fd00:96::/112","network.nodeMask":"24,64","network.domain":"cluster.local","network.proxyMode":"iptables","network.cni":"kindnet","ports":"","kind":"{}"},"pods":["10.0.0.0/16","fd00:10::/56"],"services":["10.128.0.0/16","fd00:96::/112"],"loadBalancer":["172.28.8.16/28","fd00:1ab::1:10/124"],"images":{}}
EOF

# calico-peer: note the same in the cluster
kubectl --kubeconfig "$STATE/kubeconfigs/calico-peer.yaml" annotate node calico-peer-control-plane --overwrite 'lab/cluster={"version":1,"lab":"calico","uid":"0123456789ab","dir":"/labs/practical/clusters","fixed":{"provider":"kind","ipFamily":"dual","nodes.servers":"1","nodes.workers":"0","kubernetes.image":"","kubernetes.version":"","network.name":"lab-calico","network.pods":"10.0.0.0/16,fd00:10::/56","network.services":"10.128.0.0/16,fd00:96::/112","network.nodeMask":"24,64","network.domain":"cluster.local","network.proxyMode":"iptables","network.cni":"kindnet","ports":"","kind":"{}"},"pods":["10.0.0.0/16","fd00:10::/56"],"services":["10.128.0.0/16","fd00:96::/112"],"loadBalancer":["172.28.8.16/28","fd00:1ab::1:10/124"],"images":{}}'

# calico-peer: install MetalLB
retry 120 2 kubectl --kubeconfig "$STATE/kubeconfigs/calico-peer.yaml" apply --server-side --force-conflicts --field-manager=lab -f https://raw.githubusercontent.com/metallb/metallb/v0.15.2/config/manifests/metallb-native.yaml </dev/null

# calico-peer: wait for MetalLB's controller
kubectl --kubeconfig "$STATE/kubeconfigs/calico-peer.yaml" --namespace metallb-system rollout status deployment/controller --timeout=180s

# calico-peer: wait for MetalLB's speaker
kubectl --kubeconfig "$STATE/kubeconfigs/calico-peer.yaml" --namespace metallb-system rollout status daemonset/speaker --timeout=180s

# calico-peer: hand out 172.28.8.16/28 and fd00:1ab::1:10/124
# A running controller is not enough: its webhook certificate is made at run time, so this is tried again.
retry 120 2 kubectl --kubeconfig "$STATE/kubeconfigs/calico-peer.yaml" apply --server-side --force-conflicts --field-manager=lab -f - <<'EOF'
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata:
  name: lab
  namespace: metallb-system
  annotations:
    lab/manifest: https://raw.githubusercontent.com/metallb/metallb/v0.15.2/config/manifests/metallb-native.yaml
spec:
  addresses:
    - 172.28.8.16/28
    - fd00:1ab::1:10/124
---
apiVersion: metallb.io/v1beta1
kind: L2Advertisement
metadata:
  name: lab
  namespace: metallb-system
spec:
  ipAddressPools:
    - lab
EOF

# calico-peer: add context calico-peer and kind-calico-peer
merge_contexts "$STATE/kubeconfigs/calico-peer.yaml" calico-peer kind-calico-peer
