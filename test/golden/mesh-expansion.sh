#!/usr/bin/env bash
# lab create, lab mesh-expansion. Plan: 1 cluster to create, 0 to finish, 0 to leave; takes about 0.6 GiB of memory and 1.3 GiB of disk.
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

# lab: create Docker network lab-mesh-expansion
# IPv4 first, because k3d reads only the first entry; an ip-range, so that Docker never hands out pool addresses.
[ -z "$(docker network ls --quiet --filter 'name=^lab-mesh-expansion$')" ] || { echo 'a Docker network called lab-mesh-expansion appeared while this ran' >&2; exit 1; }
docker network create --driver bridge --label lab.uid=0123456789ab --label lab.name=mesh-expansion --label lab.dir=/labs/practical/clusters --subnet 172.28.0.0/20 --gateway 172.28.0.1 --ip-range 172.28.0.0/21 --ipv6 --subnet fd00:1ab::/64 --gateway fd00:1ab::1 --ip-range fd00:1ab::/112 lab-mesh-expansion

# mesh-exp: create the nodes
# k3d waits for a line in the log, not for nodes; readiness is its own step.
[ -z "$(docker ps -aq --filter label=k3d.cluster=mesh-exp)" ] || { echo 'a k3d cluster called mesh-exp appeared while this ran' >&2; exit 1; }
K3D_IMAGE= K3D_NETWORK= K3D_SERVERS= K3D_AGENTS= k3d cluster create mesh-exp --config - <<'EOF'
apiVersion: k3d.io/v1alpha5
kind: Simple
servers: 1
agents: 0
network: lab-mesh-expansion
kubeAPI:
  hostIP: 127.0.0.1
  hostPort: "26500"
volumes:
  - volume: /dev/null:/lab/owner/0123456789ab:ro
    nodeFilters:
      - server:*
ports:
  - port: "80:80/tcp"
    nodeFilters:
      - server:0:direct
  - port: "443:443/tcp"
    nodeFilters:
      - server:0:direct
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

# mesh-exp: read its kubeconfig
mesh_exp_kubeconfig=$(k3d kubeconfig get mesh-exp)

# mesh-exp: keep its kubeconfig
(umask 077 && printf '%s\n' "$mesh_exp_kubeconfig" > "$STATE/kubeconfigs/mesh-exp.yaml")

# mesh-exp: wait for the node
retry 300 2 kubectl --kubeconfig "$STATE/kubeconfigs/mesh-exp.yaml" wait --for=condition=Ready nodes --all --timeout=30s </dev/null

# mesh-exp: note on the node that it was ready
# A cluster with this note is never made anew by a create; it can be read when the node is stopped.
docker exec -i k3d-mesh-exp-server-0 sh -c 'IFS= read -r record && printf '\''%s\n'\'' "$record" > /lab/cluster.json.new && mv /lab/cluster.json.new /lab/cluster.json' <<'EOF'
{"version":1,"lab":"mesh-expansion","uid":"0123456789ab","dir":"/labs/practical/clusters","fixed":{"provider":"k3d","ipFamily":"ipv4","nodes.servers":"1","nodes.workers":"0","kubernetes.image":"","kubernetes.version":"","network.name":"lab-mesh-expansion","network.pods":"10.0.0.0/16","network.services":"10.128.0.0/16","network.nodeMask":"24,64","network.domain":"cluster.local","network.proxyMode":"iptables","network.cni":"flannel","ports":"443:443/tcp,80:80/tcp","k3d":"{}"},"pods":["10.0.0.0/16"],"services":["10.128.0.0/16"],"loadBalancer":["172.28.8.0/28"],"images":{}}
EOF

# mesh-exp: note the same in the cluster
kubectl --kubeconfig "$STATE/kubeconfigs/mesh-exp.yaml" annotate node k3d-mesh-exp-server-0 --overwrite 'lab/cluster={"version":1,"lab":"mesh-expansion","uid":"0123456789ab","dir":"/labs/practical/clusters","fixed":{"provider":"k3d","ipFamily":"ipv4","nodes.servers":"1","nodes.workers":"0","kubernetes.image":"","kubernetes.version":"","network.name":"lab-mesh-expansion","network.pods":"10.0.0.0/16","network.services":"10.128.0.0/16","network.nodeMask":"24,64","network.domain":"cluster.local","network.proxyMode":"iptables","network.cni":"flannel","ports":"443:443/tcp,80:80/tcp","k3d":"{}"},"pods":["10.0.0.0/16"],"services":["10.128.0.0/16"],"loadBalancer":["172.28.8.0/28"],"images":{}}'

# mesh-exp: install MetalLB
retry 120 2 kubectl --kubeconfig "$STATE/kubeconfigs/mesh-exp.yaml" apply --server-side --force-conflicts --field-manager=lab -f https://raw.githubusercontent.com/metallb/metallb/v0.15.2/config/manifests/metallb-native.yaml </dev/null

# mesh-exp: wait for MetalLB's controller
kubectl --kubeconfig "$STATE/kubeconfigs/mesh-exp.yaml" --namespace metallb-system rollout status deployment/controller --timeout=180s

# mesh-exp: wait for MetalLB's speaker
kubectl --kubeconfig "$STATE/kubeconfigs/mesh-exp.yaml" --namespace metallb-system rollout status daemonset/speaker --timeout=180s

# mesh-exp: hand out 172.28.8.0/28
# A running controller is not enough: its webhook certificate is made at run time, so this is tried again.
retry 120 2 kubectl --kubeconfig "$STATE/kubeconfigs/mesh-exp.yaml" apply --server-side --force-conflicts --field-manager=lab -f - <<'EOF'
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

# mesh-exp: add context mesh-exp and k3d-mesh-exp
merge_contexts "$STATE/kubeconfigs/mesh-exp.yaml" mesh-exp k3d-mesh-exp
