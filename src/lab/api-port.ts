const FIRST = 20_000;
const WINDOW = 100;

/**
 * Ports of 127.0.0.1 for the API servers of one lab, best first: below those that kernels give to outgoing
 * connections, so that none is lost while a cluster is stopped, and another window for each of 100 labs, so that one
 * that is started again seldom finds its port taken. `uid` is the lab's, in hexadecimal.
 */
export function apiPorts(uid: string): readonly number[] {
  const start = FIRST + (Number.parseInt(uid.slice(0, 6), 16) % WINDOW) * WINDOW;
  return Array.from({ length: WINDOW }, (_, n) => start + n);
}
