/** What each program says of its version, without asking a cluster. */
export const VERSIONS: Readonly<Record<string, readonly string[]>> = {
  docker: ['docker', 'version', '--format', 'client {{.Client.Version}}, server {{.Server.Version}}'],
  kind: ['kind', 'version'],
  k3d: ['k3d', 'version'],
  kubectl: ['kubectl', 'version', '--client'],
  helm: ['helm', 'version', '--short'],
  linkerd: ['linkerd', 'version', '--client'],
};
