#!/usr/bin/env bash
# lab workloads, lab practical. Plan: 1 workload, 19 steps.
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

# a: pull spire/server:1, which smiley.yaml:3 asks for
if ! docker image inspect spire/server:1 >/dev/null 2>&1; then
docker pull spire/server:1
fi

# a: pull spire/agent:1, which smiley.yaml:3 asks for
if ! docker image inspect spire/agent:1 >/dev/null 2>&1; then
docker pull spire/agent:1
fi

# a: pull cr.l5d.io/linkerd/proxy:edge-26.8.3, which smiley.yaml:3 asks for
if ! docker image inspect cr.l5d.io/linkerd/proxy:edge-26.8.3 >/dev/null 2>&1; then
docker pull cr.l5d.io/linkerd/proxy:edge-26.8.3
fi

# a: run workload smiley at 172.28.15.254 and fd00:1ab::3:ffff
# Docker's own resolver asks the cluster's DNS from inside the container, by way of the route to its services.
[ -z "$(docker ps -aq --filter 'name=^/smiley$')" ] || { echo 'a container called smiley is there already' >&2; exit 1; }
docker run --detach --name smiley --hostname smiley --restart on-failure:1 --network lab-practical --ip 172.28.15.254 --ip6 fd00:1ab::3:ffff --dns 10.128.0.10 --label lab.uid=0123456789ab --label lab.workload=smiley --label lab.workload.cluster=a --label lab.workload.digest=digest-smiley --label lab.workload.addresses=172.28.15.254,fd00:1ab::3:ffff --label lab.workload.network=lab-practical --env ZONE=outside lab/probe:local

# a: route on workload smiley (2 routes)
# Its image may have no program for routes: that of a node has, and is on the engine.
docker run --rm --network container:smiley --entrypoint sh --interactive --cap-add NET_ADMIN kindest/node:v1.34.4 -e <<'EOF'
ip route replace 10.0.0.0/24 via 172.28.0.2 metric 76
ip route replace 10.128.0.0/16 via 172.28.0.2 metric 76
EOF

# a: make the SPIRE server of smiley
docker create --name smiley-spire-server --network none --user 0:0 --tmpfs /run/spire --volume /lab/spire --label lab.uid=0123456789ab --label lab.workload=smiley --label lab.workload.cluster=a spire/server:1 -config /lab/spire/server.conf

# a: write SPIRE's settings
docker run --rm --interactive --network none --volumes-from smiley-spire-server --entrypoint sh kindest/node:v1.34.4 -e <<'EOF'
cat > /lab/spire/server.conf <<'END'
server {
  trust_domain = "root.linkerd.trust.test"
  bind_address = "127.0.0.1"
  bind_port = "8081"
  data_dir = "/run/spire"
  socket_path = "/run/spire/server.sock"
}
plugins {
  DataStore "sql" { plugin_data { database_type = "sqlite3", connection_string = "/run/spire/datastore.sqlite3" } }
  NodeAttestor "join_token" { plugin_data {} }
  KeyManager "memory" { plugin_data {} }
  UpstreamAuthority "disk" {
    plugin_data {
      cert_file_path = "/lab/spire/anchor.crt"
      key_file_path = "/anchor.key"
      bundle_file_path = "/lab/spire/bundle.crt"
    }
  }
}
END
cat > /lab/spire/agent.conf <<'END'
agent {
  trust_domain = "root.linkerd.trust.test"
  server_address = "127.0.0.1"
  server_port = "8081"
  trust_bundle_path = "/lab/spire/bundle.crt"
  join_token_file = "/lab/spire/token"
  data_dir = "/run/spire"
  socket_path = "/lab/spire/agent.sock"
}
plugins {
  NodeAttestor "join_token" { plugin_data {} }
  KeyManager "memory" { plugin_data {} }
  WorkloadAttestor "unix" { plugin_data {} }
}
END
EOF

# a: give SPIRE what the mesh trusts
docker cp "$STATE/certificates/bundle.crt" smiley-spire-server:/lab/spire/bundle.crt

# a: give SPIRE the trust anchor
docker cp "$STATE/certificates/anchor.crt" smiley-spire-server:/lab/spire/anchor.crt

# a: give SPIRE the key of the trust anchor
# spire.useTrustAnchorKey says so. Whoever can use Docker on this engine can read it there.
docker cp "$STATE/certificates/anchor.key" smiley-spire-server:/anchor.key

# a: start the SPIRE server of smiley
docker start smiley-spire-server

# a: register spiffe://root.linkerd.trust.test/smiley
retry 30 1 docker exec smiley-spire-server /opt/spire/bin/spire-server entry create -parentID spiffe://root.linkerd.trust.test/lab/agent -spiffeID spiffe://root.linkerd.trust.test/smiley -selector unix:uid:2102 -socketPath /run/spire/server.sock </dev/null

# a: ask for a token to join with
smiley_token=$(docker exec smiley-spire-server /opt/spire/bin/spire-server token generate -spiffeID spiffe://root.linkerd.trust.test/lab/agent -socketPath /run/spire/server.sock)

# a: put the token where SPIRE's agent finds it
docker run --rm --interactive --network none --volumes-from smiley-spire-server --entrypoint sh kindest/node:v1.34.4 -ec 'umask 077; sed -n '\''s/^Token: //p'\'' > /lab/spire/token' <<<"$smiley_token"

# a: run the SPIRE agent of smiley
# It tells who asks by the process that does, so it has to see that one.
docker run --detach --name smiley-spire-agent --user 0:0 --tmpfs /run/spire --network container:smiley-spire-server --pid container:smiley --volumes-from smiley-spire-server --label lab.uid=0123456789ab --label lab.workload=smiley --label lab.workload.cluster=a spire/agent:1 -config /lab/spire/agent.conf

# a: lead the packets of smiley through its proxy
docker run --rm --network container:smiley --entrypoint sh --interactive --cap-add NET_ADMIN kindest/node:v1.34.4 -e <<'EOF'
iptables -w -t nat -N LAB_INBOUND 2>/dev/null || iptables -w -t nat -F LAB_INBOUND
iptables -w -t nat -A LAB_INBOUND -p tcp -m multiport --dports 4190,4191,4567,4568 -j RETURN
iptables -w -t nat -A LAB_INBOUND -p tcp -j REDIRECT --to-ports 4143
iptables -w -t nat -C PREROUTING -j LAB_INBOUND 2>/dev/null || iptables -w -t nat -A PREROUTING -j LAB_INBOUND
iptables -w -t nat -N LAB_OUTBOUND 2>/dev/null || iptables -w -t nat -F LAB_OUTBOUND
iptables -w -t nat -A LAB_OUTBOUND -m owner --uid-owner 2102 -j RETURN
iptables -w -t nat -A LAB_OUTBOUND -o lo -j RETURN
iptables -w -t nat -A LAB_OUTBOUND -p tcp -m multiport --dports 4567,4568 -j RETURN
iptables -w -t nat -A LAB_OUTBOUND -p tcp -j REDIRECT --to-ports 4140
iptables -w -t nat -C OUTPUT -j LAB_OUTBOUND 2>/dev/null || iptables -w -t nat -A OUTPUT -j LAB_OUTBOUND
ip6tables -w -t nat -N LAB_INBOUND 2>/dev/null || ip6tables -w -t nat -F LAB_INBOUND
ip6tables -w -t nat -A LAB_INBOUND -p tcp -m multiport --dports 4190,4191,4567,4568 -j RETURN
ip6tables -w -t nat -A LAB_INBOUND -p tcp -j REDIRECT --to-ports 4143
ip6tables -w -t nat -C PREROUTING -j LAB_INBOUND 2>/dev/null || ip6tables -w -t nat -A PREROUTING -j LAB_INBOUND
ip6tables -w -t nat -N LAB_OUTBOUND 2>/dev/null || ip6tables -w -t nat -F LAB_OUTBOUND
ip6tables -w -t nat -A LAB_OUTBOUND -m owner --uid-owner 2102 -j RETURN
ip6tables -w -t nat -A LAB_OUTBOUND -o lo -j RETURN
ip6tables -w -t nat -A LAB_OUTBOUND -p tcp -m multiport --dports 4567,4568 -j RETURN
ip6tables -w -t nat -A LAB_OUTBOUND -p tcp -j REDIRECT --to-ports 4140
ip6tables -w -t nat -C OUTPUT -j LAB_OUTBOUND 2>/dev/null || ip6tables -w -t nat -A OUTPUT -j LAB_OUTBOUND
EOF

# a: read what the mesh trusts
smiley_trusted=$(cat "$STATE/certificates/bundle.crt")

# a: run Linkerd's proxy beside smiley
LINKERD2_PROXY_IDENTITY_TRUST_ANCHORS="$smiley_trusted" docker run --detach --name smiley-proxy --user 2102:2102 --network container:smiley --pid container:smiley --volumes-from smiley-spire-server:ro --entrypoint /usr/lib/linkerd/linkerd2-proxy --label lab.uid=0123456789ab --label lab.workload=smiley --label lab.workload.cluster=a --label 'lab.workload.proxy=[{"server":"spire/server:1","agent":"spire/agent:1","proxy":"cr.l5d.io/linkerd/proxy:edge-26.8.3"},{"LINKERD2_PROXY_LOG":"warn,linkerd=info","LINKERD2_PROXY_IDENTITY_SERVER_ID":"spiffe://root.linkerd.trust.test/smiley","LINKERD2_PROXY_IDENTITY_SERVER_NAME":"smiley.a.test","LINKERD2_PROXY_IDENTITY_SPIRE_SOCKET":"unix:///lab/spire/agent.sock","LINKERD2_PROXY_DESTINATION_SVC_ADDR":"linkerd-dst-headless.linkerd.svc.a.test.:8086","LINKERD2_PROXY_DESTINATION_SVC_NAME":"linkerd-destination.linkerd.serviceaccount.identity.linkerd.trust.test","LINKERD2_PROXY_DESTINATION_CONTEXT":"{\"ns\":\"faces\",\"external_workload\":\"smiley\",\"nodeName\":\"smiley\"}","LINKERD2_PROXY_DESTINATION_PROFILE_NETWORKS":"10.0.0.0/8,100.64.0.0/10,172.16.0.0/12,192.168.0.0/16,fd00::/8","LINKERD2_PROXY_DESTINATION_PROFILE_SUFFIXES":"svc.a.test.","LINKERD2_PROXY_POLICY_SVC_ADDR":"linkerd-policy.linkerd.svc.a.test.:8090","LINKERD2_PROXY_POLICY_SVC_NAME":"linkerd-destination.linkerd.serviceaccount.identity.linkerd.trust.test","LINKERD2_PROXY_POLICY_WORKLOAD":"{\"ns\":\"faces\",\"external_workload\":\"smiley\"}","LINKERD2_PROXY_POLICY_CLUSTER_NETWORKS":"10.0.0.0/8,100.64.0.0/10,172.16.0.0/12,192.168.0.0/16,fd00::/8","LINKERD2_PROXY_INBOUND_DEFAULT_POLICY":"all-unauthenticated","LINKERD2_PROXY_INBOUND_IPS":"172.28.15.254,fd00:1ab::3:ffff","LINKERD2_PROXY_INBOUND_LISTEN_ADDR":"[::]:4143","LINKERD2_PROXY_OUTBOUND_LISTEN_ADDRS":"127.0.0.1:4140,[::1]:4140","LINKERD2_PROXY_CONTROL_LISTEN_ADDR":"[::]:4190","LINKERD2_PROXY_ADMIN_LISTEN_ADDR":"[::]:4191"},["A","A"]]' --env LINKERD2_PROXY_LOG=warn,linkerd=info --env LINKERD2_PROXY_IDENTITY_SERVER_ID=spiffe://root.linkerd.trust.test/smiley --env LINKERD2_PROXY_IDENTITY_SERVER_NAME=smiley.a.test --env LINKERD2_PROXY_IDENTITY_SPIRE_SOCKET=unix:///lab/spire/agent.sock --env LINKERD2_PROXY_DESTINATION_SVC_ADDR=linkerd-dst-headless.linkerd.svc.a.test.:8086 --env LINKERD2_PROXY_DESTINATION_SVC_NAME=linkerd-destination.linkerd.serviceaccount.identity.linkerd.trust.test --env 'LINKERD2_PROXY_DESTINATION_CONTEXT={"ns":"faces","external_workload":"smiley","nodeName":"smiley"}' --env LINKERD2_PROXY_DESTINATION_PROFILE_NETWORKS=10.0.0.0/8,100.64.0.0/10,172.16.0.0/12,192.168.0.0/16,fd00::/8 --env LINKERD2_PROXY_DESTINATION_PROFILE_SUFFIXES=svc.a.test. --env LINKERD2_PROXY_POLICY_SVC_ADDR=linkerd-policy.linkerd.svc.a.test.:8090 --env LINKERD2_PROXY_POLICY_SVC_NAME=linkerd-destination.linkerd.serviceaccount.identity.linkerd.trust.test --env 'LINKERD2_PROXY_POLICY_WORKLOAD={"ns":"faces","external_workload":"smiley"}' --env LINKERD2_PROXY_POLICY_CLUSTER_NETWORKS=10.0.0.0/8,100.64.0.0/10,172.16.0.0/12,192.168.0.0/16,fd00::/8 --env LINKERD2_PROXY_INBOUND_DEFAULT_POLICY=all-unauthenticated --env LINKERD2_PROXY_INBOUND_IPS=172.28.15.254,fd00:1ab::3:ffff --env 'LINKERD2_PROXY_INBOUND_LISTEN_ADDR=[::]:4143' --env 'LINKERD2_PROXY_OUTBOUND_LISTEN_ADDRS=127.0.0.1:4140,[::1]:4140' --env 'LINKERD2_PROXY_CONTROL_LISTEN_ADDR=[::]:4190' --env 'LINKERD2_PROXY_ADMIN_LISTEN_ADDR=[::]:4191' --env LINKERD2_PROXY_IDENTITY_TRUST_ANCHORS cr.l5d.io/linkerd/proxy:edge-26.8.3

# a: wait until the proxy of smiley has its identity
docker run --rm --network container:smiley --entrypoint sh --interactive kindest/node:v1.34.4 <<'EOF'
end=$(($(date +%s) + 120))
until { curl -sf -m 2 http://127.0.0.1:4191/ready || wget -q -T 2 -O - http://127.0.0.1:4191/ready; } >/dev/null 2>&1; do
  if [ "$(date +%s)" -ge "$end" ]; then
    echo "no identity after 120 s; look at: docker logs smiley-proxy, docker logs smiley-spire-agent" >&2
    exit 1
  fi
  sleep 1
done
EOF
