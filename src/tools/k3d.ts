/** `k3d`: its version, and how its options select nodes. */

export const versionArgv = ['k3d', 'version'] as const;

/** The version in `k3d version`, such as `5.9.0`; undefined when there is none. */
export const parseVersion = (stdout: string): string | undefined => /^k3d version v?(\d+\.\d+\.\d+)/m.exec(stdout)?.[1];

/** What k3d takes as a node filter, such as `server:*`, `agent:0,1`, `loadbalancer` or `server:0:direct`. */
export const NODE_FILTER = /^(servers?|agents?|loadbalancer|all)(:((\d+,?)+|\d*-\d*|\*))?(:[a-zA-Z]+)?$/;
