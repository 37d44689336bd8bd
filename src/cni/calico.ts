import { installSteps, waitStep } from './calico-install.ts';
import type { Cni } from './cni.ts';

/**
 * Calico (https://docs.tigera.io/calico). Its pods are not in the node's share of the pod range but in blocks that it
 * hands out as it needs them, so peers route the whole range to one node, which passes on what is not its own: between
 * the nodes of one Docker network that goes without encapsulation, by the way it came. Answers take the straight way
 * back, so that node sees one half of each connection; kube-proxy must not drop what it then calls invalid
 * (`providers/kind.ts`). Packets to another cluster are masqueraded unless their destination is in an IPPool: each
 * peer's range is one that hands out no address.
 * https://github.com/projectcalico/calico/blob/v3.32.1/felix/dataplane/linux/masq_mgr.go
 */
export const calico: Cni = {
  name: 'calico',
  destinations: ({ pods, nodes }) => {
    const [first] = nodes;
    return first ? pods.map((cidr) => ({ cidr, node: first.node })) : [];
  },
  passesOn: true,
  masquerades: 'cali-nat-outgoing',
  ownRules: () => [],
  install: installSteps,
  wait: waitStep,
};
