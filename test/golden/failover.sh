#!/usr/bin/env bash
# lab create, lab failover. Plan: 2 clusters to create, 0 to finish, 0 to leave; takes about 1.2 GiB of memory and 2.6 GiB of disk.
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

# lab: create Docker network lab-failover
# IPv4 first, because k3d reads only the first entry; an ip-range, so that Docker never hands out pool addresses.
[ -z "$(docker network ls --quiet --filter 'name=^lab-failover$')" ] || { echo 'a Docker network called lab-failover appeared while this ran' >&2; exit 1; }
docker network create --driver bridge --label lab.uid=0123456789ab --label lab.name=failover --label lab.dir=/labs/practical/clusters --subnet 172.28.0.0/20 --gateway 172.28.0.1 --ip-range 172.28.0.0/21 --ipv6 --subnet fd00:1ab::/64 --gateway fd00:1ab::1 --ip-range fd00:1ab::/112 lab-failover

# east: create the nodes
# k3d waits for a line in the log, not for nodes; readiness is its own step.
[ -z "$(docker ps -aq --filter label=k3d.cluster=east)" ] || { echo 'a k3d cluster called east appeared while this ran' >&2; exit 1; }
K3D_IMAGE= K3D_NETWORK= K3D_SERVERS= K3D_AGENTS= k3d cluster create east --config - <<'EOF'
apiVersion: k3d.io/v1alpha5
kind: Simple
servers: 1
agents: 0
network: lab-failover
kubeAPI:
  hostIP: 127.0.0.1
  hostPort: "26500"
volumes:
  - volume: /dev/null:/lab/owner/0123456789ab:ro
    nodeFilters:
      - server:*
options:
  k3d:
    wait: true
    timeout: 840s
    disableLoadbalancer: true
  k3s:
    extraArgs:
      - arg: --cluster-cidr=10.0.0.0/16
        nodeFilters:
          - server:*
      - arg: --service-cidr=10.128.0.0/16
        nodeFilters:
          - server:*
      - arg: --disable=servicelb
        nodeFilters:
          - server:*
      - arg: --disable=traefik
        nodeFilters:
          - server:*
  kubeconfig:
    updateDefaultKubeconfig: false
    switchCurrentContext: false
EOF

# east: read its kubeconfig
east_kubeconfig=$(k3d kubeconfig get east)

# east: keep its kubeconfig
(umask 077 && printf '%s\n' "$east_kubeconfig" > "$STATE/kubeconfigs/east.yaml")

# east: wait for the node
retry 300 2 kubectl --kubeconfig "$STATE/kubeconfigs/east.yaml" wait --for=condition=Ready nodes --all --timeout=30s </dev/null

# east: note on the node that it was ready
# A cluster with this note is never made anew by a create; it can be read when the node is stopped.
docker exec -i k3d-east-server-0 sh -c 'IFS= read -r record && printf '\''%s\n'\'' "$record" > /lab/cluster.json.new && mv /lab/cluster.json.new /lab/cluster.json' <<'EOF'
{"version":1,"lab":"failover","uid":"0123456789ab","dir":"/labs/practical/clusters","fixed":{"provider":"k3d","ipFamily":"ipv4","nodes.servers":"1","nodes.workers":"0","kubernetes.image":"","kubernetes.version":"","network.name":"lab-failover","network.pods":"10.0.0.0/16","network.services":"10.128.0.0/16","network.nodeMask":"24,64","network.domain":"cluster.local","network.proxyMode":"iptables","network.cni":"flannel","ports":"","k3d":"{}"},"pods":["10.0.0.0/16"],"services":["10.128.0.0/16"],"loadBalancer":["172.28.8.0/28"],"images":{}}
EOF

# east: note the same in the cluster
kubectl --kubeconfig "$STATE/kubeconfigs/east.yaml" annotate node k3d-east-server-0 --overwrite 'lab/cluster={"version":1,"lab":"failover","uid":"0123456789ab","dir":"/labs/practical/clusters","fixed":{"provider":"k3d","ipFamily":"ipv4","nodes.servers":"1","nodes.workers":"0","kubernetes.image":"","kubernetes.version":"","network.name":"lab-failover","network.pods":"10.0.0.0/16","network.services":"10.128.0.0/16","network.nodeMask":"24,64","network.domain":"cluster.local","network.proxyMode":"iptables","network.cni":"flannel","ports":"","k3d":"{}"},"pods":["10.0.0.0/16"],"services":["10.128.0.0/16"],"loadBalancer":["172.28.8.0/28"],"images":{}}'

# east: install MetalLB
retry 120 2 kubectl --kubeconfig "$STATE/kubeconfigs/east.yaml" apply --server-side --force-conflicts --field-manager=lab -f https://raw.githubusercontent.com/metallb/metallb/v0.15.2/config/manifests/metallb-native.yaml </dev/null

# east: wait for MetalLB's controller
kubectl --kubeconfig "$STATE/kubeconfigs/east.yaml" --namespace metallb-system rollout status deployment/controller --timeout=180s

# east: wait for MetalLB's speaker
kubectl --kubeconfig "$STATE/kubeconfigs/east.yaml" --namespace metallb-system rollout status daemonset/speaker --timeout=180s

# east: hand out 172.28.8.0/28
# A running controller is not enough: its webhook certificate is made at run time, so this is tried again.
retry 120 2 kubectl --kubeconfig "$STATE/kubeconfigs/east.yaml" apply --server-side --force-conflicts --field-manager=lab -f - <<'EOF'
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

# east: add context east and k3d-east
merge_contexts "$STATE/kubeconfigs/east.yaml" east k3d-east

# west: create the nodes
# k3d waits for a line in the log, not for nodes; readiness is its own step.
[ -z "$(docker ps -aq --filter label=k3d.cluster=west)" ] || { echo 'a k3d cluster called west appeared while this ran' >&2; exit 1; }
K3D_IMAGE= K3D_NETWORK= K3D_SERVERS= K3D_AGENTS= k3d cluster create west --config - <<'EOF'
apiVersion: k3d.io/v1alpha5
kind: Simple
servers: 1
agents: 0
network: lab-failover
kubeAPI:
  hostIP: 127.0.0.1
  hostPort: "26501"
volumes:
  - volume: /dev/null:/lab/owner/0123456789ab:ro
    nodeFilters:
      - server:*
options:
  k3d:
    wait: true
    timeout: 840s
    disableLoadbalancer: true
  k3s:
    extraArgs:
      - arg: --cluster-cidr=10.1.0.0/16
        nodeFilters:
          - server:*
      - arg: --service-cidr=10.129.0.0/16
        nodeFilters:
          - server:*
      - arg: --disable=servicelb
        nodeFilters:
          - server:*
      - arg: --disable=traefik
        nodeFilters:
          - server:*
  kubeconfig:
    updateDefaultKubeconfig: false
    switchCurrentContext: false
EOF

# west: read its kubeconfig
west_kubeconfig=$(k3d kubeconfig get west)

# west: keep its kubeconfig
(umask 077 && printf '%s\n' "$west_kubeconfig" > "$STATE/kubeconfigs/west.yaml")

# west: wait for the node
retry 300 2 kubectl --kubeconfig "$STATE/kubeconfigs/west.yaml" wait --for=condition=Ready nodes --all --timeout=30s </dev/null

# west: note on the node that it was ready
# A cluster with this note is never made anew by a create; it can be read when the node is stopped.
docker exec -i k3d-west-server-0 sh -c 'IFS= read -r record && printf '\''%s\n'\'' "$record" > /lab/cluster.json.new && mv /lab/cluster.json.new /lab/cluster.json' <<'EOF'
{"version":1,"lab":"failover","uid":"0123456789ab","dir":"/labs/practical/clusters","fixed":{"provider":"k3d","ipFamily":"ipv4","nodes.servers":"1","nodes.workers":"0","kubernetes.image":"","kubernetes.version":"","network.name":"lab-failover","network.pods":"10.1.0.0/16","network.services":"10.129.0.0/16","network.nodeMask":"24,64","network.domain":"cluster.local","network.proxyMode":"iptables","network.cni":"flannel","ports":"","k3d":"{}"},"pods":["10.1.0.0/16"],"services":["10.129.0.0/16"],"loadBalancer":["172.28.8.16/28"],"images":{}}
EOF

# west: note the same in the cluster
kubectl --kubeconfig "$STATE/kubeconfigs/west.yaml" annotate node k3d-west-server-0 --overwrite 'lab/cluster={"version":1,"lab":"failover","uid":"0123456789ab","dir":"/labs/practical/clusters","fixed":{"provider":"k3d","ipFamily":"ipv4","nodes.servers":"1","nodes.workers":"0","kubernetes.image":"","kubernetes.version":"","network.name":"lab-failover","network.pods":"10.1.0.0/16","network.services":"10.129.0.0/16","network.nodeMask":"24,64","network.domain":"cluster.local","network.proxyMode":"iptables","network.cni":"flannel","ports":"","k3d":"{}"},"pods":["10.1.0.0/16"],"services":["10.129.0.0/16"],"loadBalancer":["172.28.8.16/28"],"images":{}}'

# west: install MetalLB
retry 120 2 kubectl --kubeconfig "$STATE/kubeconfigs/west.yaml" apply --server-side --force-conflicts --field-manager=lab -f https://raw.githubusercontent.com/metallb/metallb/v0.15.2/config/manifests/metallb-native.yaml </dev/null

# west: wait for MetalLB's controller
kubectl --kubeconfig "$STATE/kubeconfigs/west.yaml" --namespace metallb-system rollout status deployment/controller --timeout=180s

# west: wait for MetalLB's speaker
kubectl --kubeconfig "$STATE/kubeconfigs/west.yaml" --namespace metallb-system rollout status daemonset/speaker --timeout=180s

# west: hand out 172.28.8.16/28
# A running controller is not enough: its webhook certificate is made at run time, so this is tried again.
retry 120 2 kubectl --kubeconfig "$STATE/kubeconfigs/west.yaml" apply --server-side --force-conflicts --field-manager=lab -f - <<'EOF'
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

# west: add context west and k3d-west
merge_contexts "$STATE/kubeconfigs/west.yaml" west k3d-west
