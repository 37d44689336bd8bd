import { type Cni, perNode } from './cni.ts';

/**
 * kind's own pod network. Its agent masquerades everything but its own pod range, in the chain KIND-MASQ-AGENT, and
 * only ever appends to it: a RETURN at the head stays there until the node restarts.
 */
export const kindnet: Cni = {
  name: 'kindnet',
  destinations: perNode,
  masquerades: 'KIND-MASQ-AGENT',
  ownRules: (pods) => [
    '-A POSTROUTING -m addrtype ! --dst-type LOCAL -j KIND-MASQ-AGENT',
    `-A KIND-MASQ-AGENT -d ${pods} -j RETURN`,
    '-A KIND-MASQ-AGENT -j MASQUERADE',
  ],
  exemption: (family, _own, peer) => ({ family, chain: 'KIND-MASQ-AGENT', args: ['-d', peer, '-j', 'RETURN'] }),
};
