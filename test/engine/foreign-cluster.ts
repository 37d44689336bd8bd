/** A cluster that kind made by itself, on its own network, as somebody else would have it. */
import { readFileSync } from 'node:fs';
import { type Access, run } from './engine.ts';

export class ForeignCluster implements Access {
  readonly name: string;
  readonly kubeconfig: string;
  readonly node: string;

  constructor(name: string, kubeconfig: string) {
    this.name = name;
    this.kubeconfig = kubeconfig;
    this.node = `${name}-control-plane`;
  }

  create(): void {
    const image = process.env.LAB_TEST_NODE_IMAGE;
    const network = { ...process.env, KIND_EXPERIMENTAL_DOCKER_NETWORK: 'kind' };
    const args = ['create', 'cluster', '--name', this.name, '--kubeconfig', this.kubeconfig, '--wait', '120s'];
    run('kind', [...args, ...(image ? ['--image', image] : [])], undefined, network);
    // kind waits for the node, and each pod that comes up adds a route of its own.
    this.kubectl('wait', 'pod', '--all', '-A', '--for=condition=Ready', '--timeout=120s');
  }

  remove(): void {
    run('kind', ['delete', 'cluster', '--name', this.name, '--kubeconfig', '/dev/null']);
  }

  readonly kubectl = (...args: string[]): string => run('kubectl', ['--kubeconfig', this.kubeconfig, ...args]);

  readonly apply = (manifest: string): void => {
    run('kubectl', ['--kubeconfig', this.kubeconfig, 'apply', '-f', '-'], manifest);
  };

  /** Routes and rules of its node, and all of its container that a lab could have touched. */
  machine(): string {
    const inside = 'ip -4 route; ip -6 route; iptables -t nat -S POSTROUTING; iptables -t nat -S KIND-MASQ-AGENT; ls /';
    return [
      run('docker', ['exec', this.node, 'sh', '-c', inside]),
      run('docker', ['inspect', '--format', '{{.Id}} {{.State.StartedAt}}', this.node]),
      // Docker gives them in any order.
      run('docker', ['inspect', '--format', '{{range .Mounts}}{{println .Destination}}{{end}}', this.node])
        .split('\n')
        .sort(),
      readFileSync(this.kubeconfig, 'utf8'),
    ].join('\n');
  }

  /** What is in it, a line each; not what lives by itself, such as leases and counters. */
  objects(): string[] {
    const kinds = 'namespaces,nodes,deployments,daemonsets,services,secrets,configmaps,crds';
    const metadata = 'jsonpath={range .items[*]}{.metadata.labels}{.metadata.annotations}{end}';
    const lines = this.kubectl('get', kinds, '-A', '-o', 'name').split('\n');
    return [...lines, this.kubectl('get', 'nodes', '-o', metadata)].toSorted();
  }
}
