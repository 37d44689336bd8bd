import type { LinkMode } from '../lab/mesh.ts';

const EXPORTED = 'mirror.linkerd.io/exported';
const FEDERATED = 'mirror.linkerd.io/federated';

/** Labels of a service that other clusters are to see, as words of `kubectl label`. */
export const exportWords = (mode: LinkMode): string[] =>
  mode === 'federated'
    ? [`${FEDERATED}=member`, `${EXPORTED}-`]
    : [`${EXPORTED}=${mode === 'flat' ? 'remote-discovery' : 'true'}`, `${FEDERATED}-`];

/** The same for one that they are to see no more. */
export const WITHDRAW_WORDS = [`${EXPORTED}-`, `${FEDERATED}-`];

/** Annotations of a namespace whose pods get Linkerd's proxy. */
export const INJECT = { 'linkerd.io/inject': 'enabled' };
