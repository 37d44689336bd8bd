#!/usr/bin/env bash
# lab create, lab practical. Plan: 7 clusters to create, 0 to finish, 0 to leave; takes about 4.2 GiB of memory and 9.1 GiB of disk.
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

# lab: create Docker network lab-practical
# IPv4 first, because k3d reads only the first entry; an ip-range, so that Docker never hands out pool addresses.
[ -z "$(docker network ls --quiet --filter 'name=^lab-practical$')" ] || { echo 'a Docker network called lab-practical appeared while this ran' >&2; exit 1; }
docker network create --driver bridge --label lab.uid=0123456789ab --label lab.name=practical --label lab.dir=/labs/practical/clusters --subnet 172.28.0.0/20 --gateway 172.28.0.1 --ip-range 172.28.0.0/21 --ipv6 --subnet fd00:1ab::/64 --gateway fd00:1ab::1 --ip-range fd00:1ab::/112 lab-practical

# cdn: create the nodes
# k3d waits for a line in the log, not for nodes; readiness is its own step.
[ -z "$(docker ps -aq --filter label=k3d.cluster=cdn)" ] || { echo 'a k3d cluster called cdn appeared while this ran' >&2; exit 1; }
K3D_IMAGE= K3D_NETWORK= K3D_SERVERS= K3D_AGENTS= k3d cluster create cdn --config - <<'EOF'
apiVersion: k3d.io/v1alpha5
kind: Simple
servers: 1
agents: 0
network: lab-practical
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

# cdn: read its kubeconfig
cdn_kubeconfig=$(k3d kubeconfig get cdn)

# cdn: keep its kubeconfig
(umask 077 && printf '%s\n' "$cdn_kubeconfig" > "$STATE/kubeconfigs/cdn.yaml")

# cdn: wait for the node
retry 300 2 kubectl --kubeconfig "$STATE/kubeconfigs/cdn.yaml" wait --for=condition=Ready nodes --all --timeout=30s </dev/null

# cdn: note on the node that it was ready
# A cluster with this note is never made anew by a create; it can be read when the node is stopped.
docker exec -i k3d-cdn-server-0 sh -c 'IFS= read -r record && printf '\''%s\n'\'' "$record" > /lab/cluster.json.new && mv /lab/cluster.json.new /lab/cluster.json' <<'EOF'
{"version":1,"lab":"practical","uid":"0123456789ab","dir":"/labs/practical/clusters","fixed":{"provider":"k3d","ipFamily":"ipv4","nodes.servers":"1","nodes.workers":"0","kubernetes.image":"","kubernetes.version":"","network.name":"lab-practical","network.pods":"10.0.0.0/16","network.services":"10.128.0.0/16","network.nodeMask":"24,64","network.domain":"cluster.local","network.proxyMode":"iptables","network.cni":"flannel","ports":"","k3d":"{}"},"pods":["10.0.0.0/16"],"services":["10.128.0.0/16"],"loadBalancer":["172.28.8.0/28"],"images":{}}
EOF

# cdn: note the same in the cluster
kubectl --kubeconfig "$STATE/kubeconfigs/cdn.yaml" annotate node k3d-cdn-server-0 --overwrite 'lab/cluster={"version":1,"lab":"practical","uid":"0123456789ab","dir":"/labs/practical/clusters","fixed":{"provider":"k3d","ipFamily":"ipv4","nodes.servers":"1","nodes.workers":"0","kubernetes.image":"","kubernetes.version":"","network.name":"lab-practical","network.pods":"10.0.0.0/16","network.services":"10.128.0.0/16","network.nodeMask":"24,64","network.domain":"cluster.local","network.proxyMode":"iptables","network.cni":"flannel","ports":"","k3d":"{}"},"pods":["10.0.0.0/16"],"services":["10.128.0.0/16"],"loadBalancer":["172.28.8.0/28"],"images":{}}'

# cdn: install MetalLB
retry 120 2 kubectl --kubeconfig "$STATE/kubeconfigs/cdn.yaml" apply --server-side --force-conflicts --field-manager=lab -f https://raw.githubusercontent.com/metallb/metallb/v0.15.2/config/manifests/metallb-native.yaml </dev/null

# cdn: wait for MetalLB's controller
kubectl --kubeconfig "$STATE/kubeconfigs/cdn.yaml" --namespace metallb-system rollout status deployment/controller --timeout=180s

# cdn: wait for MetalLB's speaker
kubectl --kubeconfig "$STATE/kubeconfigs/cdn.yaml" --namespace metallb-system rollout status daemonset/speaker --timeout=180s

# cdn: hand out 172.28.8.0/28
# A running controller is not enough: its webhook certificate is made at run time, so this is tried again.
retry 120 2 kubectl --kubeconfig "$STATE/kubeconfigs/cdn.yaml" apply --server-side --force-conflicts --field-manager=lab -f - <<'EOF'
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

# cdn: add context cdn and k3d-cdn
merge_contexts "$STATE/kubeconfigs/cdn.yaml" cdn k3d-cdn

# color: create the nodes
# Without --wait, because kind exits 0 when that wait times out; readiness is its own step.
[ -z "$(docker ps -aq --filter label=io.x-k8s.kind.cluster=color)" ] || { echo 'a kind cluster called color appeared while this ran' >&2; exit 1; }
KIND_EXPERIMENTAL_PROVIDER=docker KIND_EXPERIMENTAL_DOCKER_NETWORK=lab-practical kind create cluster --name color --config - --kubeconfig "$STATE/kubeconfigs/color.yaml" --wait 0s <<'EOF'
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
networking:
  ipFamily: ipv4
  podSubnet: 10.1.0.0/16
  serviceSubnet: 10.129.0.0/16
  kubeProxyMode: iptables
  apiServerAddress: 127.0.0.1
nodes:
  - role: control-plane
    labels:
      topology.kubernetes.io/zone: zone-east
    extraMounts:
      - hostPath: /dev/null
        containerPath: /lab/owner/0123456789ab
        readOnly: true
EOF

# color: wait for the node
retry 300 2 kubectl --kubeconfig "$STATE/kubeconfigs/color.yaml" wait --for=condition=Ready nodes --all --timeout=30s </dev/null

# color: note on the node that it was ready
# A cluster with this note is never made anew by a create; it can be read when the node is stopped.
docker exec -i color-control-plane sh -c 'IFS= read -r record && printf '\''%s\n'\'' "$record" > /lab/cluster.json.new && mv /lab/cluster.json.new /lab/cluster.json' <<'EOF'
{"version":1,"lab":"practical","uid":"0123456789ab","dir":"/labs/practical/clusters","fixed":{"provider":"kind","ipFamily":"ipv4","nodes.servers":"1","nodes.workers":"0","kubernetes.image":"","kubernetes.version":"","network.name":"lab-practical","network.pods":"10.1.0.0/16","network.services":"10.129.0.0/16","network.nodeMask":"24,64","network.domain":"cluster.local","network.proxyMode":"iptables","network.cni":"kindnet","ports":"","kind":"{}"},"pods":["10.1.0.0/16"],"services":["10.129.0.0/16"],"loadBalancer":["172.28.8.16/28"],"zone":"zone-east","images":{}}
EOF

# color: note the same in the cluster
kubectl --kubeconfig "$STATE/kubeconfigs/color.yaml" annotate node color-control-plane --overwrite 'lab/cluster={"version":1,"lab":"practical","uid":"0123456789ab","dir":"/labs/practical/clusters","fixed":{"provider":"kind","ipFamily":"ipv4","nodes.servers":"1","nodes.workers":"0","kubernetes.image":"","kubernetes.version":"","network.name":"lab-practical","network.pods":"10.1.0.0/16","network.services":"10.129.0.0/16","network.nodeMask":"24,64","network.domain":"cluster.local","network.proxyMode":"iptables","network.cni":"kindnet","ports":"","kind":"{}"},"pods":["10.1.0.0/16"],"services":["10.129.0.0/16"],"loadBalancer":["172.28.8.16/28"],"zone":"zone-east","images":{}}'

# color: install MetalLB
retry 120 2 kubectl --kubeconfig "$STATE/kubeconfigs/color.yaml" apply --server-side --force-conflicts --field-manager=lab -f https://raw.githubusercontent.com/metallb/metallb/v0.15.2/config/manifests/metallb-native.yaml </dev/null

# color: wait for MetalLB's controller
kubectl --kubeconfig "$STATE/kubeconfigs/color.yaml" --namespace metallb-system rollout status deployment/controller --timeout=180s

# color: wait for MetalLB's speaker
kubectl --kubeconfig "$STATE/kubeconfigs/color.yaml" --namespace metallb-system rollout status daemonset/speaker --timeout=180s

# color: hand out 172.28.8.16/28
# A running controller is not enough: its webhook certificate is made at run time, so this is tried again.
retry 120 2 kubectl --kubeconfig "$STATE/kubeconfigs/color.yaml" apply --server-side --force-conflicts --field-manager=lab -f - <<'EOF'
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

# color: add context color and kind-color
merge_contexts "$STATE/kubeconfigs/color.yaml" color kind-color

# color-b: create the nodes
# Without --wait, because kind exits 0 when that wait times out; readiness is its own step.
[ -z "$(docker ps -aq --filter label=io.x-k8s.kind.cluster=color-b)" ] || { echo 'a kind cluster called color-b appeared while this ran' >&2; exit 1; }
KIND_EXPERIMENTAL_PROVIDER=docker KIND_EXPERIMENTAL_DOCKER_NETWORK=lab-practical kind create cluster --name color-b --config - --kubeconfig "$STATE/kubeconfigs/color-b.yaml" --wait 0s <<'EOF'
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
networking:
  ipFamily: ipv4
  podSubnet: 10.2.0.0/16
  serviceSubnet: 10.130.0.0/16
  kubeProxyMode: iptables
  apiServerAddress: 127.0.0.1
nodes:
  - role: control-plane
    labels:
      topology.kubernetes.io/zone: zone-east
    extraMounts:
      - hostPath: /dev/null
        containerPath: /lab/owner/0123456789ab
        readOnly: true
EOF

# color-b: wait for the node
retry 300 2 kubectl --kubeconfig "$STATE/kubeconfigs/color-b.yaml" wait --for=condition=Ready nodes --all --timeout=30s </dev/null

# color-b: note on the node that it was ready
# A cluster with this note is never made anew by a create; it can be read when the node is stopped.
docker exec -i color-b-control-plane sh -c 'IFS= read -r record && printf '\''%s\n'\'' "$record" > /lab/cluster.json.new && mv /lab/cluster.json.new /lab/cluster.json' <<'EOF'
{"version":1,"lab":"practical","uid":"0123456789ab","dir":"/labs/practical/clusters","fixed":{"provider":"kind","ipFamily":"ipv4","nodes.servers":"1","nodes.workers":"0","kubernetes.image":"","kubernetes.version":"","network.name":"lab-practical","network.pods":"10.2.0.0/16","network.services":"10.130.0.0/16","network.nodeMask":"24,64","network.domain":"cluster.local","network.proxyMode":"iptables","network.cni":"kindnet","ports":"","kind":"{}"},"pods":["10.2.0.0/16"],"services":["10.130.0.0/16"],"loadBalancer":["172.28.8.32/28"],"zone":"zone-east","images":{}}
EOF

# color-b: note the same in the cluster
kubectl --kubeconfig "$STATE/kubeconfigs/color-b.yaml" annotate node color-b-control-plane --overwrite 'lab/cluster={"version":1,"lab":"practical","uid":"0123456789ab","dir":"/labs/practical/clusters","fixed":{"provider":"kind","ipFamily":"ipv4","nodes.servers":"1","nodes.workers":"0","kubernetes.image":"","kubernetes.version":"","network.name":"lab-practical","network.pods":"10.2.0.0/16","network.services":"10.130.0.0/16","network.nodeMask":"24,64","network.domain":"cluster.local","network.proxyMode":"iptables","network.cni":"kindnet","ports":"","kind":"{}"},"pods":["10.2.0.0/16"],"services":["10.130.0.0/16"],"loadBalancer":["172.28.8.32/28"],"zone":"zone-east","images":{}}'

# color-b: install MetalLB
retry 120 2 kubectl --kubeconfig "$STATE/kubeconfigs/color-b.yaml" apply --server-side --force-conflicts --field-manager=lab -f https://raw.githubusercontent.com/metallb/metallb/v0.15.2/config/manifests/metallb-native.yaml </dev/null

# color-b: wait for MetalLB's controller
kubectl --kubeconfig "$STATE/kubeconfigs/color-b.yaml" --namespace metallb-system rollout status deployment/controller --timeout=180s

# color-b: wait for MetalLB's speaker
kubectl --kubeconfig "$STATE/kubeconfigs/color-b.yaml" --namespace metallb-system rollout status daemonset/speaker --timeout=180s

# color-b: hand out 172.28.8.32/28
# A running controller is not enough: its webhook certificate is made at run time, so this is tried again.
retry 120 2 kubectl --kubeconfig "$STATE/kubeconfigs/color-b.yaml" apply --server-side --force-conflicts --field-manager=lab -f - <<'EOF'
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata:
  name: lab
  namespace: metallb-system
  annotations:
    lab/manifest: https://raw.githubusercontent.com/metallb/metallb/v0.15.2/config/manifests/metallb-native.yaml
spec:
  addresses:
    - 172.28.8.32/28
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

# color-b: add context color-b and kind-color-b
merge_contexts "$STATE/kubeconfigs/color-b.yaml" color-b kind-color-b

# faces: create the nodes
# Without --wait, because kind exits 0 when that wait times out; readiness is its own step.
[ -z "$(docker ps -aq --filter label=io.x-k8s.kind.cluster=faces)" ] || { echo 'a kind cluster called faces appeared while this ran' >&2; exit 1; }
KIND_EXPERIMENTAL_PROVIDER=docker KIND_EXPERIMENTAL_DOCKER_NETWORK=lab-practical kind create cluster --name faces --config - --kubeconfig "$STATE/kubeconfigs/faces.yaml" --wait 0s <<'EOF'
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
networking:
  ipFamily: ipv4
  podSubnet: 10.3.0.0/16
  serviceSubnet: 10.131.0.0/16
  kubeProxyMode: iptables
  apiServerAddress: 127.0.0.1
nodes:
  - role: control-plane
    labels:
      topology.kubernetes.io/zone: zone-east
    extraMounts:
      - hostPath: /dev/null
        containerPath: /lab/owner/0123456789ab
        readOnly: true
EOF

# faces: wait for the node
retry 300 2 kubectl --kubeconfig "$STATE/kubeconfigs/faces.yaml" wait --for=condition=Ready nodes --all --timeout=30s </dev/null

# faces: note on the node that it was ready
# A cluster with this note is never made anew by a create; it can be read when the node is stopped.
docker exec -i faces-control-plane sh -c 'IFS= read -r record && printf '\''%s\n'\'' "$record" > /lab/cluster.json.new && mv /lab/cluster.json.new /lab/cluster.json' <<'EOF'
{"version":1,"lab":"practical","uid":"0123456789ab","dir":"/labs/practical/clusters","fixed":{"provider":"kind","ipFamily":"ipv4","nodes.servers":"1","nodes.workers":"0","kubernetes.image":"","kubernetes.version":"","network.name":"lab-practical","network.pods":"10.3.0.0/16","network.services":"10.131.0.0/16","network.nodeMask":"24,64","network.domain":"cluster.local","network.proxyMode":"iptables","network.cni":"kindnet","ports":"","kind":"{}"},"pods":["10.3.0.0/16"],"services":["10.131.0.0/16"],"loadBalancer":["172.28.8.48/28"],"zone":"zone-east","images":{}}
EOF

# faces: note the same in the cluster
kubectl --kubeconfig "$STATE/kubeconfigs/faces.yaml" annotate node faces-control-plane --overwrite 'lab/cluster={"version":1,"lab":"practical","uid":"0123456789ab","dir":"/labs/practical/clusters","fixed":{"provider":"kind","ipFamily":"ipv4","nodes.servers":"1","nodes.workers":"0","kubernetes.image":"","kubernetes.version":"","network.name":"lab-practical","network.pods":"10.3.0.0/16","network.services":"10.131.0.0/16","network.nodeMask":"24,64","network.domain":"cluster.local","network.proxyMode":"iptables","network.cni":"kindnet","ports":"","kind":"{}"},"pods":["10.3.0.0/16"],"services":["10.131.0.0/16"],"loadBalancer":["172.28.8.48/28"],"zone":"zone-east","images":{}}'

# faces: install MetalLB
retry 120 2 kubectl --kubeconfig "$STATE/kubeconfigs/faces.yaml" apply --server-side --force-conflicts --field-manager=lab -f https://raw.githubusercontent.com/metallb/metallb/v0.15.2/config/manifests/metallb-native.yaml </dev/null

# faces: wait for MetalLB's controller
kubectl --kubeconfig "$STATE/kubeconfigs/faces.yaml" --namespace metallb-system rollout status deployment/controller --timeout=180s

# faces: wait for MetalLB's speaker
kubectl --kubeconfig "$STATE/kubeconfigs/faces.yaml" --namespace metallb-system rollout status daemonset/speaker --timeout=180s

# faces: hand out 172.28.8.48/28
# A running controller is not enough: its webhook certificate is made at run time, so this is tried again.
retry 120 2 kubectl --kubeconfig "$STATE/kubeconfigs/faces.yaml" apply --server-side --force-conflicts --field-manager=lab -f - <<'EOF'
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata:
  name: lab
  namespace: metallb-system
  annotations:
    lab/manifest: https://raw.githubusercontent.com/metallb/metallb/v0.15.2/config/manifests/metallb-native.yaml
spec:
  addresses:
    - 172.28.8.48/28
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

# faces: add context faces and kind-faces
merge_contexts "$STATE/kubeconfigs/faces.yaml" faces kind-faces

# faces-dr: create the nodes
# k3d waits for a line in the log, not for nodes; readiness is its own step.
[ -z "$(docker ps -aq --filter label=k3d.cluster=faces-dr)" ] || { echo 'a k3d cluster called faces-dr appeared while this ran' >&2; exit 1; }
K3D_IMAGE= K3D_NETWORK= K3D_SERVERS= K3D_AGENTS= k3d cluster create faces-dr --config - <<'EOF'
apiVersion: k3d.io/v1alpha5
kind: Simple
servers: 1
agents: 0
network: lab-practical
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
      - arg: --cluster-cidr=10.4.0.0/16
        nodeFilters:
          - server:*
      - arg: --service-cidr=10.132.0.0/16
        nodeFilters:
          - server:*
      - arg: --disable=servicelb
        nodeFilters:
          - server:*
      - arg: --disable=traefik
        nodeFilters:
          - server:*
    nodeLabels:
      - label: topology.kubernetes.io/zone=zone-dr
        nodeFilters:
          - server:*
  kubeconfig:
    updateDefaultKubeconfig: false
    switchCurrentContext: false
EOF

# faces-dr: read its kubeconfig
faces_dr_kubeconfig=$(k3d kubeconfig get faces-dr)

# faces-dr: keep its kubeconfig
(umask 077 && printf '%s\n' "$faces_dr_kubeconfig" > "$STATE/kubeconfigs/faces-dr.yaml")

# faces-dr: wait for the node
retry 300 2 kubectl --kubeconfig "$STATE/kubeconfigs/faces-dr.yaml" wait --for=condition=Ready nodes --all --timeout=30s </dev/null

# faces-dr: note on the node that it was ready
# A cluster with this note is never made anew by a create; it can be read when the node is stopped.
docker exec -i k3d-faces-dr-server-0 sh -c 'IFS= read -r record && printf '\''%s\n'\'' "$record" > /lab/cluster.json.new && mv /lab/cluster.json.new /lab/cluster.json' <<'EOF'
{"version":1,"lab":"practical","uid":"0123456789ab","dir":"/labs/practical/clusters","fixed":{"provider":"k3d","ipFamily":"ipv4","nodes.servers":"1","nodes.workers":"0","kubernetes.image":"","kubernetes.version":"","network.name":"lab-practical","network.pods":"10.4.0.0/16","network.services":"10.132.0.0/16","network.nodeMask":"24,64","network.domain":"cluster.local","network.proxyMode":"iptables","network.cni":"flannel","ports":"","k3d":"{}"},"pods":["10.4.0.0/16"],"services":["10.132.0.0/16"],"loadBalancer":["172.28.8.64/28"],"zone":"zone-dr","images":{}}
EOF

# faces-dr: note the same in the cluster
kubectl --kubeconfig "$STATE/kubeconfigs/faces-dr.yaml" annotate node k3d-faces-dr-server-0 --overwrite 'lab/cluster={"version":1,"lab":"practical","uid":"0123456789ab","dir":"/labs/practical/clusters","fixed":{"provider":"k3d","ipFamily":"ipv4","nodes.servers":"1","nodes.workers":"0","kubernetes.image":"","kubernetes.version":"","network.name":"lab-practical","network.pods":"10.4.0.0/16","network.services":"10.132.0.0/16","network.nodeMask":"24,64","network.domain":"cluster.local","network.proxyMode":"iptables","network.cni":"flannel","ports":"","k3d":"{}"},"pods":["10.4.0.0/16"],"services":["10.132.0.0/16"],"loadBalancer":["172.28.8.64/28"],"zone":"zone-dr","images":{}}'

# faces-dr: install MetalLB
retry 120 2 kubectl --kubeconfig "$STATE/kubeconfigs/faces-dr.yaml" apply --server-side --force-conflicts --field-manager=lab -f https://raw.githubusercontent.com/metallb/metallb/v0.15.2/config/manifests/metallb-native.yaml </dev/null

# faces-dr: wait for MetalLB's controller
kubectl --kubeconfig "$STATE/kubeconfigs/faces-dr.yaml" --namespace metallb-system rollout status deployment/controller --timeout=180s

# faces-dr: wait for MetalLB's speaker
kubectl --kubeconfig "$STATE/kubeconfigs/faces-dr.yaml" --namespace metallb-system rollout status daemonset/speaker --timeout=180s

# faces-dr: hand out 172.28.8.64/28
# A running controller is not enough: its webhook certificate is made at run time, so this is tried again.
retry 120 2 kubectl --kubeconfig "$STATE/kubeconfigs/faces-dr.yaml" apply --server-side --force-conflicts --field-manager=lab -f - <<'EOF'
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata:
  name: lab
  namespace: metallb-system
  annotations:
    lab/manifest: https://raw.githubusercontent.com/metallb/metallb/v0.15.2/config/manifests/metallb-native.yaml
spec:
  addresses:
    - 172.28.8.64/28
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

# faces-dr: add context faces-dr and k3d-faces-dr
merge_contexts "$STATE/kubeconfigs/faces-dr.yaml" faces-dr k3d-faces-dr

# smiley: create the nodes
# Without --wait, because kind exits 0 when that wait times out; readiness is its own step.
[ -z "$(docker ps -aq --filter label=io.x-k8s.kind.cluster=smiley)" ] || { echo 'a kind cluster called smiley appeared while this ran' >&2; exit 1; }
KIND_EXPERIMENTAL_PROVIDER=docker KIND_EXPERIMENTAL_DOCKER_NETWORK=lab-practical kind create cluster --name smiley --config - --kubeconfig "$STATE/kubeconfigs/smiley.yaml" --wait 0s <<'EOF'
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
networking:
  ipFamily: ipv4
  podSubnet: 10.5.0.0/16
  serviceSubnet: 10.133.0.0/16
  kubeProxyMode: iptables
  apiServerAddress: 127.0.0.1
nodes:
  - role: control-plane
    labels:
      topology.kubernetes.io/zone: zone-east
    extraMounts:
      - hostPath: /dev/null
        containerPath: /lab/owner/0123456789ab
        readOnly: true
EOF

# smiley: wait for the node
retry 300 2 kubectl --kubeconfig "$STATE/kubeconfigs/smiley.yaml" wait --for=condition=Ready nodes --all --timeout=30s </dev/null

# smiley: note on the node that it was ready
# A cluster with this note is never made anew by a create; it can be read when the node is stopped.
docker exec -i smiley-control-plane sh -c 'IFS= read -r record && printf '\''%s\n'\'' "$record" > /lab/cluster.json.new && mv /lab/cluster.json.new /lab/cluster.json' <<'EOF'
{"version":1,"lab":"practical","uid":"0123456789ab","dir":"/labs/practical/clusters","fixed":{"provider":"kind","ipFamily":"ipv4","nodes.servers":"1","nodes.workers":"0","kubernetes.image":"","kubernetes.version":"","network.name":"lab-practical","network.pods":"10.5.0.0/16","network.services":"10.133.0.0/16","network.nodeMask":"24,64","network.domain":"cluster.local","network.proxyMode":"iptables","network.cni":"kindnet","ports":"","kind":"{}"},"pods":["10.5.0.0/16"],"services":["10.133.0.0/16"],"loadBalancer":["172.28.8.80/28"],"zone":"zone-east","images":{}}
EOF

# smiley: note the same in the cluster
kubectl --kubeconfig "$STATE/kubeconfigs/smiley.yaml" annotate node smiley-control-plane --overwrite 'lab/cluster={"version":1,"lab":"practical","uid":"0123456789ab","dir":"/labs/practical/clusters","fixed":{"provider":"kind","ipFamily":"ipv4","nodes.servers":"1","nodes.workers":"0","kubernetes.image":"","kubernetes.version":"","network.name":"lab-practical","network.pods":"10.5.0.0/16","network.services":"10.133.0.0/16","network.nodeMask":"24,64","network.domain":"cluster.local","network.proxyMode":"iptables","network.cni":"kindnet","ports":"","kind":"{}"},"pods":["10.5.0.0/16"],"services":["10.133.0.0/16"],"loadBalancer":["172.28.8.80/28"],"zone":"zone-east","images":{}}'

# smiley: install MetalLB
retry 120 2 kubectl --kubeconfig "$STATE/kubeconfigs/smiley.yaml" apply --server-side --force-conflicts --field-manager=lab -f https://raw.githubusercontent.com/metallb/metallb/v0.15.2/config/manifests/metallb-native.yaml </dev/null

# smiley: wait for MetalLB's controller
kubectl --kubeconfig "$STATE/kubeconfigs/smiley.yaml" --namespace metallb-system rollout status deployment/controller --timeout=180s

# smiley: wait for MetalLB's speaker
kubectl --kubeconfig "$STATE/kubeconfigs/smiley.yaml" --namespace metallb-system rollout status daemonset/speaker --timeout=180s

# smiley: hand out 172.28.8.80/28
# A running controller is not enough: its webhook certificate is made at run time, so this is tried again.
retry 120 2 kubectl --kubeconfig "$STATE/kubeconfigs/smiley.yaml" apply --server-side --force-conflicts --field-manager=lab -f - <<'EOF'
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata:
  name: lab
  namespace: metallb-system
  annotations:
    lab/manifest: https://raw.githubusercontent.com/metallb/metallb/v0.15.2/config/manifests/metallb-native.yaml
spec:
  addresses:
    - 172.28.8.80/28
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

# smiley: add context smiley and kind-smiley
merge_contexts "$STATE/kubeconfigs/smiley.yaml" smiley kind-smiley

# smiley-dr: create the nodes
# k3d waits for a line in the log, not for nodes; readiness is its own step.
[ -z "$(docker ps -aq --filter label=k3d.cluster=smiley-dr)" ] || { echo 'a k3d cluster called smiley-dr appeared while this ran' >&2; exit 1; }
K3D_IMAGE= K3D_NETWORK= K3D_SERVERS= K3D_AGENTS= k3d cluster create smiley-dr --config - <<'EOF'
apiVersion: k3d.io/v1alpha5
kind: Simple
servers: 1
agents: 0
network: lab-practical
kubeAPI:
  hostIP: 127.0.0.1
  hostPort: "26502"
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
      - arg: --cluster-cidr=10.6.0.0/16
        nodeFilters:
          - server:*
      - arg: --service-cidr=10.134.0.0/16
        nodeFilters:
          - server:*
      - arg: --disable=servicelb
        nodeFilters:
          - server:*
      - arg: --disable=traefik
        nodeFilters:
          - server:*
    nodeLabels:
      - label: topology.kubernetes.io/zone=zone-east
        nodeFilters:
          - server:*
  kubeconfig:
    updateDefaultKubeconfig: false
    switchCurrentContext: false
EOF

# smiley-dr: read its kubeconfig
smiley_dr_kubeconfig=$(k3d kubeconfig get smiley-dr)

# smiley-dr: keep its kubeconfig
(umask 077 && printf '%s\n' "$smiley_dr_kubeconfig" > "$STATE/kubeconfigs/smiley-dr.yaml")

# smiley-dr: wait for the node
retry 300 2 kubectl --kubeconfig "$STATE/kubeconfigs/smiley-dr.yaml" wait --for=condition=Ready nodes --all --timeout=30s </dev/null

# smiley-dr: note on the node that it was ready
# A cluster with this note is never made anew by a create; it can be read when the node is stopped.
docker exec -i k3d-smiley-dr-server-0 sh -c 'IFS= read -r record && printf '\''%s\n'\'' "$record" > /lab/cluster.json.new && mv /lab/cluster.json.new /lab/cluster.json' <<'EOF'
{"version":1,"lab":"practical","uid":"0123456789ab","dir":"/labs/practical/clusters","fixed":{"provider":"k3d","ipFamily":"ipv4","nodes.servers":"1","nodes.workers":"0","kubernetes.image":"","kubernetes.version":"","network.name":"lab-practical","network.pods":"10.6.0.0/16","network.services":"10.134.0.0/16","network.nodeMask":"24,64","network.domain":"cluster.local","network.proxyMode":"iptables","network.cni":"flannel","ports":"","k3d":"{}"},"pods":["10.6.0.0/16"],"services":["10.134.0.0/16"],"loadBalancer":["172.28.8.96/28"],"zone":"zone-east","images":{}}
EOF

# smiley-dr: note the same in the cluster
kubectl --kubeconfig "$STATE/kubeconfigs/smiley-dr.yaml" annotate node k3d-smiley-dr-server-0 --overwrite 'lab/cluster={"version":1,"lab":"practical","uid":"0123456789ab","dir":"/labs/practical/clusters","fixed":{"provider":"k3d","ipFamily":"ipv4","nodes.servers":"1","nodes.workers":"0","kubernetes.image":"","kubernetes.version":"","network.name":"lab-practical","network.pods":"10.6.0.0/16","network.services":"10.134.0.0/16","network.nodeMask":"24,64","network.domain":"cluster.local","network.proxyMode":"iptables","network.cni":"flannel","ports":"","k3d":"{}"},"pods":["10.6.0.0/16"],"services":["10.134.0.0/16"],"loadBalancer":["172.28.8.96/28"],"zone":"zone-east","images":{}}'

# smiley-dr: install MetalLB
retry 120 2 kubectl --kubeconfig "$STATE/kubeconfigs/smiley-dr.yaml" apply --server-side --force-conflicts --field-manager=lab -f https://raw.githubusercontent.com/metallb/metallb/v0.15.2/config/manifests/metallb-native.yaml </dev/null

# smiley-dr: wait for MetalLB's controller
kubectl --kubeconfig "$STATE/kubeconfigs/smiley-dr.yaml" --namespace metallb-system rollout status deployment/controller --timeout=180s

# smiley-dr: wait for MetalLB's speaker
kubectl --kubeconfig "$STATE/kubeconfigs/smiley-dr.yaml" --namespace metallb-system rollout status daemonset/speaker --timeout=180s

# smiley-dr: hand out 172.28.8.96/28
# A running controller is not enough: its webhook certificate is made at run time, so this is tried again.
retry 120 2 kubectl --kubeconfig "$STATE/kubeconfigs/smiley-dr.yaml" apply --server-side --force-conflicts --field-manager=lab -f - <<'EOF'
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata:
  name: lab
  namespace: metallb-system
  annotations:
    lab/manifest: https://raw.githubusercontent.com/metallb/metallb/v0.15.2/config/manifests/metallb-native.yaml
spec:
  addresses:
    - 172.28.8.96/28
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

# smiley-dr: add context smiley-dr and k3d-smiley-dr
merge_contexts "$STATE/kubeconfigs/smiley-dr.yaml" smiley-dr k3d-smiley-dr
