import { type Cni, perNode } from './cni.ts';

/**
 * k3s' pod network. Its own chain is emptied at every start, so the exemption stands in POSTROUTING before the jump;
 * ACCEPT there also skips kube-proxy's masquerading, so it names the pair and nothing wider. A packet that enters by
 * a node that does not own the pod would be masqueraded again: hence routes per node.
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
