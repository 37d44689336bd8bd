import { type Cni, perNode } from './cni.ts';

/**
 * k3s' pod network. It empties its own chain at every start, and looks every few seconds whether its rules are all
 * there; it only ever appends to POSTROUTING, so the exemption at the head of that stays before its jump, until the node
 * restarts. ACCEPT there also skips kube-proxy's masquerading, so it names the pair and nothing wider. A packet that
 * enters by a node that does not own the pod would be masqueraded again: hence routes per node. IPv6 is masqueraded
 * only with --flannel-ipv6-masq, which every k3d cluster of ours that has IPv6 is made with.
 * https://github.com/flannel-io/flannel/blob/master/pkg/trafficmngr/iptables/iptables.go
 */
export const flannel: Cni = {
  name: 'flannel',
  destinations: perNode,
  masquerades: 'FLANNEL-POSTRTG',
  ownRules: (pods) => [
    '-A POSTROUTING -j FLANNEL-POSTRTG',
    `-A FLANNEL-POSTRTG -s ${pods} -d ${pods} -j RETURN`,
    `-A FLANNEL-POSTRTG -s ${pods} -j MASQUERADE --random-fully`,
  ],
  exemption: (family, own, peer) => ({ family, chain: 'POSTROUTING', args: ['-s', own, '-d', peer, '-j', 'ACCEPT'] }),
};
