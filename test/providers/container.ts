import type { Container } from '../../src/tools/docker.ts';

/** A container as `docker inspect` shows it, read. */
export const container = (more: Partial<Container> = {}): Container => ({
  id: 'c0ffee',
  name: 'x',
  running: true,
  image: 'kindest/node:v1.34.4',
  args: [],
  labels: {},
  mountTargets: [],
  networks: {},
  hostPorts: [],
  ...more,
});
