import { describe, expect, test } from 'vitest';
import { problemsIn, problemsOfLab, problemsOfSpec } from './spec-folder.ts';

describe('one wrong key or value of a cluster', () => {
  test.each([
    ['{gruop: face}', 'labs/a.yaml:4:8: unknown key "gruop" (did you mean "group"?)'],
    ['{ipfamily: dual}', 'labs/a.yaml:4:8: unknown key "ipfamily" (did you mean "ipFamily"?)'],
    ['{nodes: {agents: 1}}', 'labs/a.yaml:4:16: unknown key "agents" (did you mean "workers"?)'],
    ['{nodes: {constructor: 1}}', 'labs/a.yaml:4:16: unknown key "constructor" (keys here: servers, workers)'],
    [
      '{provider: kid}',
      'labs/a.yaml:4:18: provider: expected kind, k3d or existing, found "kid" (did you mean "kind"?)',
    ],
    ['{provider: minikube}', 'labs/a.yaml:4:18: provider: expected kind, k3d or existing, found "minikube"'],
    ['{nodes: {servers: two}}', 'labs/a.yaml:4:25: servers: expected a whole number, found "two"'],
    ['{nodes: {servers: 1.5}}', 'labs/a.yaml:4:25: servers: expected a whole number, found "1.5"'],
    ['{nodes: {servers: 0}}', 'labs/a.yaml:4:25: servers: expected at least 1, found number 0'],
    ['{nodes: {servers: 10}}', 'labs/a.yaml:4:25: servers: expected at most 9, found number 10'],
    ['{nodes: 3}', 'labs/a.yaml:4:15: nodes: expected a map, found number 3'],
    ['{nodes: }', 'labs/a.yaml:4:15: nodes: expected a map, found nothing'],
    ['{group: 5}', 'labs/a.yaml:4:15: group: expected text, found number 5 (put it in quotes)'],
    [
      '{zone: Zone_1}',
      'labs/a.yaml:4:14: zone: expected at most 63 lower-case letters, digits and dashes, found "Zone_1"',
    ],
    [
      '{images: [-rf]}',
      'labs/a.yaml:4:17: images[0]: expected the name of an image, such as registry/name:tag, found "-rf"',
    ],
    ['{images: my/app:dev}', 'labs/a.yaml:4:16: images: expected a list, found "my/app:dev"'],
    [
      '{kubernetes: {version: latest}}',
      'labs/a.yaml:4:30: version: expected a version such as 1.34 or 1.34.4, found "latest"',
    ],
    ['{network: {pods: 5}}', 'labs/a.yaml:4:24: pods: expected text or a list, found number 5'],
    ['{network: {nodeMask: 4}}', 'labs/a.yaml:4:28: nodeMask: expected at least 8, found number 4'],
    ['{network: {nodeMask: [24]}}', 'labs/a.yaml:4:28: nodeMask: expected at least 2 items, found a list'],
    ['{network: {domain: a..b}}', 'labs/a.yaml:4:26: domain: expected a domain such as cluster.local, found "a..b"'],
    ['{kind: {networking: {podSubnet: x}}}', 'labs/a.yaml:4:39: podSubnet: the plan sets this: use spec.network.pods'],
    ['{kind: {featureGate: {}}}', 'labs/a.yaml:4:15: unknown key "featureGate" (did you mean "featureGates"?)'],
    [
      '{provider: k3d, k3d: {network: x}}',
      'labs/a.yaml:4:38: network: the plan sets this: use spec.network in lab.yaml',
    ],
    ['{provider: k3d, k3d: {agent: 1}}', 'labs/a.yaml:4:29: unknown key "agent" (did you mean "agents"?)'],
    [
      '{provider: k3d, k3d: {token: s3cret}}',
      'labs/a.yaml:4:36: token: k3d makes a token by itself; one in a spec would be printed with every plan',
    ],
    [
      '{provider: k3d, k3d: {options: {k3d: {disableImageVolume: true}}}}',
      'labs/a.yaml:4:65: disableImageVolume: k3d cannot create a cluster without its image volume',
    ],
    [
      '{provider: k3d, k3d: {kubeAPI: {hostPort: 6550}}}',
      'labs/a.yaml:4:49: hostPort: expected text, found number 6550 (put it in quotes)',
    ],
    [
      '{provider: k3d, k3d: {env: [{envVar: A=1, nodeFilters: [servr]}]}}',
      'labs/a.yaml:4:63: nodeFilters[0]: expected a node filter such as "server:*", "agent:0" or "loadbalancer", found "servr"',
    ],
    ['[]', 'labs/a.yaml:4:7: spec: expected a map, found a list'],
  ])('%s', async (spec, problem) => {
    expect(await problemsOfSpec(spec)).toEqual([problem]);
  });

  test.each([
    ['Smiley', 'found "Smiley"'],
    ['-x', 'found "-x"'],
    ['a-', 'found "a-"'],
    ['9a', 'found "9a"'],
    ['a'.repeat(33), `found "${'a'.repeat(33)}"`],
    ['{}', 'found a map'],
    ['7', 'expected text, found number 7 (put it in quotes)'],
  ])('the name %s', async (name, message) => {
    const problems = await problemsIn({
      'a.yaml': `apiVersion: lab/v1alpha1\nkind: Cluster\nmetadata: {name: ${name}}\n`,
    });
    expect(problems).toEqual([expect.stringMatching(/^labs\/a\.yaml:3:18: name: /)]);
    expect(problems[0]).toContain(message);
  });
});

describe('ranges', () => {
  test.each([
    ['10.4.0.0', 'expected a range such as 10.4.0.0/16, found "10.4.0.0"'],
    ['10.04.0.0/16', 'expected a range such as 10.4.0.0/16, found "10.04.0.0/16"'],
    ['10.4.1.0/16', '10.4.1.0/16 has bits set after its prefix (did you mean 10.4.0.0/16?)'],
    ['10.4.0.0/33', 'the prefix of 10.4.0.0/33 has more bits than an address'],
    ['127.0.0.0/16', 'no cluster can use 127.0.0.0/16: it holds loopback addresses'],
    ['224.0.0.0/16', 'no cluster can use 224.0.0.0/16: it holds multicast addresses'],
    ['169.254.0.0/16', 'no cluster can use 169.254.0.0/16: it holds link-local addresses'],
    ['169.0.0.0/8', 'no cluster can use 169.0.0.0/8: it holds link-local addresses'],
    ['0.0.0.0/8', 'no cluster can use 0.0.0.0/8: it holds the unspecified address'],
    ['"fe80::/64"', 'no cluster can use fe80::/64: it holds link-local addresses'],
    ['"::ffff:10.0.0.0/112"', 'no cluster can use ::ffff:10.0.0.0/112: it holds IPv4-mapped addresses'],
  ])('pods %s', async (range, problem) => {
    expect(await problemsOfSpec(`{network: {pods: [${range}]}}`)).toEqual([`labs/a.yaml:4:25: pods[0]: ${problem}`]);
    expect(await problemsOfSpec(`{network: {services: ${range}}}`)).toEqual([`labs/a.yaml:4:28: services: ${problem}`]);
  });

  test.each([
    ['172.28.0.9-172.28.0.1', 'expected first-last, two addresses of one family in ascending order'],
    ['172.28.0.9-fd00::1', 'expected first-last, two addresses of one family in ascending order'],
    ['172.28.0.1/28', '172.28.0.1/28 has bits set after its prefix (did you mean 172.28.0.0/28?)'],
    ['127.0.0.1-127.0.0.9', 'it holds loopback addresses'],
  ])('pool %s', async (range, problem) => {
    expect((await problemsOfSpec(`{network: {loadBalancer: ["${range}"]}}`))[0]).toContain(problem);
  });
});

describe('ports', () => {
  test.each([
    ['"8080"', 'expected a port such as "8080:80" or "127.0.0.1:5353:53/udp", found "8080"'],
    ['"0:80"', 'port 0 is not between 1 and 65535'],
    ['"8080:65536"', 'port 65536 is not between 1 and 65535'],
    ['"8080:80/sctp"', 'expected protocol tcp or udp, found "sctp"'],
    ['"1.2.3:8080:80"', '"1.2.3" is not an address to listen on'],
    ['"[10.0.0.1]:8080:80"', '"10.0.0.1" is not an address to listen on'],
    ['8080', 'expected text, found number 8080 (put it in quotes)'],
  ])('%s', async (port, problem) => {
    expect(await problemsOfSpec(`{ports: [${port}]}`)).toEqual([`labs/a.yaml:4:16: ports[0]: ${problem}`]);
  });
});

describe('lab.yaml', () => {
  test.each([
    ['{netwrok: {}}', 'labs/lab.yaml:2:8: unknown key "netwrok" (did you mean "network"?)'],
    ['{ranges: {pods: {v4: "fd00::/32"}}}', 'labs/lab.yaml:2:28: v4: expected an IPv4 range, found "fd00::/32"'],
    ['{ranges: {loadBalancer: {size: 0}}}', 'labs/lab.yaml:2:38: size: expected at least 1, found number 0'],
    [
      '{loadBalancer: {addon: metalb}}',
      'labs/lab.yaml:2:30: addon: expected metallb or none, found "metalb" (did you mean "metallb"?)',
    ],
    ['{defaults: {nodes: {worker: 1}}}', 'labs/lab.yaml:2:27: unknown key "worker" (did you mean "workers"?)'],
    ['{defaults: {nodes: {workers: x}}}', 'labs/lab.yaml:2:36: workers: expected a whole number, found "x"'],
    [
      '{groups: {Face: {}}}',
      'labs/lab.yaml:2:17: Face: expected at most 63 lower-case letters, digits and dashes, found "Face"',
    ],
    ['{links: [{from: a}]}', 'labs/lab.yaml:2:16: to is missing'],
    [
      '{links: [{from: a, to: b, mode: routes-only}]}',
      'labs/lab.yaml:2:39: mode: expected flat, gateway or federated, found "routes-only"',
    ],
    [
      '{network: {adopt: kind, name: x}}',
      'labs/lab.yaml:2:31: name: an adopted network is used as it is (leave out either this or adopt)',
    ],
    ['{network: {name: a b}}', 'labs/lab.yaml:2:24: name: expected the name of a Docker network, found "a b"'],
  ])('%s', async (spec, problem) => {
    expect(await problemsOfLab(spec)).toContain(problem);
  });

  test('a wrong default is reported once, not once a cluster', async () => {
    expect(await problemsOfLab('{defaults: {zone: A}}', { a: '{}', b: '{}' })).toHaveLength(1);
  });
});

test('missing keys are reported where they belong', async () => {
  expect(await problemsIn({ 'a.yaml': 'kind: Cluster\nmetadata:\n' })).toEqual([
    'labs/a.yaml:1:1: apiVersion is missing',
    'labs/a.yaml:2:10: metadata: expected a map, found nothing',
  ]);
  expect(await problemsIn({ 'a.yaml': 'apiVersion: v1\nkind: Cluster\nmetadata: {}\n' })).toEqual([
    'labs/a.yaml:1:13: apiVersion: expected lab/v1alpha1, found "v1"',
    'labs/a.yaml:3:1: name is missing',
  ]);
});

test('everything that is wrong in all files comes at once', async () => {
  const problems = await problemsIn({
    'a.yaml':
      'apiVersion: lab/v1alpha1\nkind: Cluster\nmetadata: {name: A}\nspec:\n  gruop: x\n  nodes: {servers: 0}\n',
    'b.yaml': 'kind: Clutser\n',
    'c/cluster.yaml': 'a: [\n',
    'lab.yaml': 'kind: Lab\nspec: {rangs: {}}\n',
  });
  expect(problems.map((problem) => problem.split(': ')[0])).toEqual([
    'labs/a.yaml:3:18',
    'labs/a.yaml:5:3',
    'labs/a.yaml:6:20',
    'labs/b.yaml:1:7',
    'labs/c/cluster.yaml:2:1',
    'labs/lab.yaml:2:8',
  ]);
});
