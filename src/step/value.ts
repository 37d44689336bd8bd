/** The private kubeconfig of a cluster, in the state directory of its lab. */
export const kubeconfigFile = (cluster: string): { readonly file: string } => ({ file: `kubeconfigs/${cluster}.yaml` });
