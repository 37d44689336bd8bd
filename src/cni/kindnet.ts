import { type Cni, perNode } from './cni.ts';

/**
 * kind's own pod network. Its agent masquerades everything but its own pod range, in the chain KIND-MASQ-AGENT, and
 * only ever appends to it: a RETURN at the head stays there until the node restarts.
 */
export const kindnet: Cni = {
  name: 'kindnet',
  destinations: perNode,
  exemption: (family, _own, peer) => ({ family, chain: 'KIND-MASQ-AGENT', args: ['-d', peer, '-j', 'RETURN'] }),
};
