/** Whatever is wrong: one clear message, the right exit code, and nothing is touched. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { clusterText, expectCode, expectUntouched, makeWorld, messages, specs, type World } from './machine.ts';

interface Bad {
  readonly files?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  readonly prepare?: (world: World) => void;
  /** The message, and its hint if it has one. */
  readonly says: RegExp;
  readonly code?: number;
}

async function expectRefused({ files = {}, args = ['create'], prepare, says, code = 2 }: Bad): Promise<void> {
  const world = await makeWorld(files);
  prepare?.(world);
  const outcome = await world.lab(...args);
  expectCode(outcome, code);
  expect(outcome.stderr).toMatch(says);
  expect(messages(outcome.stderr)).toHaveLength(1);
  expect(outcome.stderr).not.toMatch(/at .*\(.*:\d+\)/);
  expect(outcome.stderr).not.toContain('bug in lab');
  expect(outcome.stdout).toBe('');
  expectUntouched(world);
}

const all = (cases: Readonly<Record<string, Bad>>) =>
  it.each(Object.entries(cases))('%s', (_, bad) => expectRefused(bad));
const file = (text: string) => ({ 'clusters/a.yaml': text });
const spec = (text: string, lab?: string) => specs({ a: text }, lab);
const named = (name: string): Bad => ({
  files: file(clusterText(name)),
  says: /^clusters\/a\.yaml:3:18: name: expected at most 32 lower-case letters, digits and dashes/,
});
const network = (text: string, says: RegExp): Bad => ({ files: spec(`{network: {${text}}}`), says });

/** Nine levels of nine references each: four hundred million values. */
const BOMB = [
  'a: &a [x,x,x,x,x,x,x,x,x]',
  ...[...'bcdefghi'].map((key, index) => `${key}: &${key} [${Array(9).fill(`*${'abcdefgh'[index]}`).join(',')}]`),
].join('\n');

describe('a folder that is no lab', () => {
  all({
    'does not exist': { args: ['create', './nowhere'], says: /^\.\/nowhere: no such directory$/m },
    'does not exist, nor does the default': {
      args: ['create', 'nowhere'],
      says: /^nowhere: no such directory\n {2}nor is there clusters, /,
    },
    'is empty': {
      args: ['create', 'empty'],
      prepare: ({ root }) => mkdirSync(join(root, 'empty')),
      says: /^empty: no cluster in this folder\n {2}a cluster is a file NAME\.yaml/,
    },
    'is a file': { files: { 'x.yaml': '' }, args: ['create', './x.yaml'], says: /^\.\/x\.yaml: not a directory/ },
    'is a loop of links': {
      prepare: ({ root }) => symlinkSync('clusters', join(root, 'clusters')),
      says: /^clusters: a loop of symbolic links$/m,
    },
  });
});

describe('a file that is no spec', () => {
  all({
    'is a FIFO': {
      files: spec('{}'),
      prepare: ({ root }) => execFileSync('mkfifo', [join(root, 'clusters/b.yaml')]),
      says: /^clusters\/b\.yaml: not a regular file$/m,
    },
    'is a loop of links': {
      files: spec('{}'),
      prepare: ({ root }) => symlinkSync('b.yaml', join(root, 'clusters/b.yaml')),
      says: /^clusters\/b\.yaml: a loop of symbolic links$/m,
    },
    'leads out of the folder': {
      files: { ...spec('{}'), 'secret.yaml': clusterText('b') },
      prepare: ({ root }) => symlinkSync('../secret.yaml', join(root, 'clusters/b.yaml')),
      says: /^clusters\/b\.yaml: a symbolic link that leaves the folder/,
    },
    'is huge': {
      files: file(`${clusterText('a')}${'#'.repeat(2e6)}`),
      says: /^clusters\/a\.yaml: larger than 256 KiB$/m,
    },
    'is an alias bomb': {
      files: file(BOMB),
      says: /^clusters\/a\.yaml:1:\d+: aliases are expanded to at most 1000 values/,
    },
    'has 20,000 nested brackets': {
      files: file(`${'['.repeat(20_000)}${']'.repeat(20_000)}`),
      says: /^clusters\/a\.yaml:1:\d+: nested more than 64 levels deep$/m,
    },
    'has 100,000 keys': {
      files: file(Array.from({ length: 100_000 }, (_, n) => `k${n}: 1`).join('\n')),
      says: /^clusters\/a\.yaml: larger than 256 KiB$/m,
    },
    'has as many keys as fit': {
      files: file(Array.from({ length: 24_000 }, (_, n) => `k${n}: 1`).join('\n')),
      says: /^clusters\/a\.yaml:1:1: kind is missing/,
    },
    'is not text': {
      files: file(''),
      prepare: ({ root }) => writeFileSync(join(root, 'clusters/a.yaml'), Buffer.from([0xff, 0xfe, 0, 0x80])),
      says: /^clusters\/a\.yaml:1:1: not UTF-8 text$/m,
    },
    'asks for code': { files: file('a: !!js/function x'), says: /^clusters\/a\.yaml:1:4: Unresolved tag/ },
  });
});

describe('a spec that is wrong', () => {
  all({
    'misspells a key': {
      files: spec('{ipFamliy: dual}'),
      says: /^clusters\/a\.yaml:4:8: unknown key "ipFamliy"\n {2}did you mean "ipFamily"\?$/m,
    },
    'has a key of its own': { files: spec('{colour: red}'), says: /^clusters\/a\.yaml:4:8: unknown key "colour"/ },
    'has a name that is taken': {
      files: { 'clusters/a.yaml': clusterText('a'), 'clusters/b.yaml': clusterText('a') },
      says: /^clusters\/b\.yaml:3:18: a second cluster named "a"\n {2}the first is at clusters\/a\.yaml:3:18$/m,
    },
    'has a name that is a flag': named('--privileged'),
    'has a name that is a short flag': named('-x'),
    'has a name in upper case': named('A'),
    'has a name of 40 letters': named('a'.repeat(40)),
    'has a name that is a path': named('../../x'),
    'has a name that is a command': named('"a;rm"'),
    'pins a range that another cluster pins': {
      files: specs({ a: '{network: {pods: [10.1.0.0/16]}}', b: '{network: {pods: [10.1.128.0/17]}}' }),
      says: /^clusters\/b\.yaml:4:25: pods of b: 10\.1\.128\.0\/17 overlaps 10\.1\.0\.0\/16 \(pods of a, clusters\/a\.yaml:4:25\)$/m,
    },
    'pins too few pods for its nodes': {
      files: spec('{nodes: {servers: 1, workers: 4}, network: {pods: [10.1.0.0/23]}}'),
      says: /^clusters\/a\.yaml:4:58: pods: 10\.1\.0\.0\/23 has room for 2 nodes of \/24, but the cluster has 5\n {2}at most \/21/,
    },
    'pins too few services': network(
      'services: [10.1.0.0/29]',
      /^\S+: services: 10\.1\.0\.0\/29 has fewer than 10 addresses/,
    ),
    'pins too many services': network(
      'services: [10.0.0.0/8]',
      /^\S+: services: 10\.0\.0\.0\/8 is larger than Kubernetes allows/,
    ),
    'pins a range with host bits': network(
      'pods: [10.1.0.1/16]',
      /^\S+: .*10\.1\.0\.1\/16 has bits set .*\n {2}did you mean 10\.1\.0\.0\/16\?/,
    ),
    'pins loopback': network('pods: [127.0.0.0/16]', /^\S+: .*127\.0\.0\.0\/16: it holds loopback addresses/),
    'pins multicast': network('pods: [224.0.0.0/16]', /^\S+: .*224\.0\.0\.0\/16: it holds multicast addresses/),
    'pins IPv4 as IPv6': {
      files: spec('{ipFamily: ipv6, network: {pods: ["::ffff:10.0.0.0/112"]}}'),
      says: /^\S+: .*: it holds IPv4-mapped addresses/,
    },
    'publishes a port that is none': { files: spec('{ports: ["99999:80"]}'), says: /^clusters\/a\.yaml:4:16: .*99999/ },
  });
});

describe('a spec that contradicts the machine', () => {
  const shared = ({ addNetwork, ...rest }: World) => addNetwork.call(rest, 'shared', '172.30.0.0/24');
  const foreign = (world: World) => world.addForeign('f');
  all({
    'pins a range of a Docker network': {
      ...network(
        'pods: [172.17.0.0/16]',
        /^clusters\/a\.yaml:4:25: 172\.17\.0\.0\/16 is held by Docker network bridge/,
      ),
    },
    'pins a range of a running cluster': {
      ...network('services: [10.96.0.0/16]', /^clusters\/a\.yaml:4:29: 10\.96\.0\.0\/16 is held by kind cluster f/),
      prepare: foreign,
    },
    'wants IPv6 on an adopted network without': {
      files: spec('{ipFamily: ipv6}', '{network: {adopt: shared}}'),
      prepare: shared,
      says: /^clusters\/a\.yaml:3:18: cluster a is ipv6, but Docker network shared has no IPv6\n {2}adopt a network that has it/,
    },
    'adopts a network that does not exist': {
      files: spec('{}', '{network: {adopt: shared}}'),
      says: /^clusters\/lab\.yaml:2:17: there is no Docker network shared to adopt/,
    },
    'takes the name of a network': {
      files: spec('{}', '{network: {name: shared}}'),
      prepare: shared,
      says: /^clusters\/lab\.yaml:2:17: Docker network shared exists and was not made by lab/,
    },
    'pins a pool outside the network': {
      files: spec('{network: {loadBalancer: [10.9.0.0/28]}}', '{network: {adopt: shared}}'),
      prepare: shared,
      says: /^clusters\/a\.yaml:4:33: pool 10\.9\.0\.0\/28 is outside 172\.30\.0\.0\/24 of Docker network shared/,
    },
    'takes the name of a cluster': {
      files: specs({ f: '{}' }),
      prepare: foreign,
      says: /^clusters\/f\.yaml:3:18: a kind cluster called f exists and was not made by lab\n {2}choose another name/,
    },
    'takes the name of a cluster, and would recreate it': {
      files: specs({ f: '{}' }),
      args: ['create', '--recreate', 'f'],
      prepare: foreign,
      says: /^clusters\/f\.yaml:3:18: a kind cluster called f exists and was not made by lab/,
    },
    'is of k3d on a network that it cannot use': {
      files: specs({ a: '{provider: k3d}' }, '{network: {adopt: mine}}'),
      prepare: (world) =>
        world.store.write('networks', 'mine', {
          id: 'mine',
          name: 'mine',
          labels: {},
          subnets: [{ Subnet: 'fd00:9::/64' }, { Subnet: '172.20.0.0/16', Gateway: '172.20.0.1' }],
        }),
      says: /^clusters\/a\.yaml:3:18: cluster a: k3d cannot use Docker network mine, whose first subnet fd00:9::\/64 is IPv6\n {2}let lab make a network/m,
    },
    'is of k3d with IPv6 alone': {
      files: specs({ a: '{provider: k3d, ipFamily: ipv6}' }),
      says: /^clusters\/a\.yaml:4:\d+: ipFamily: k3d cannot make an IPv6-only cluster: .*\n {2}use ipFamily dual, or provider kind$/m,
    },
    'is of k3d with a name of 33 characters': {
      files: { 'clusters/x.yaml': clusterText('a'.repeat(33), '{provider: k3d}') },
      says: /^clusters\/x\.yaml:3:18: .*at most 32 lower-case letters/m,
    },
  });
});

describe('an app or an add-on that cannot be', () => {
  const app = (words: string, says: RegExp, files: Readonly<Record<string, string>> = {}): Bad => ({
    files: { ...spec(`{apps: [{name: x, ${words}}]}`, '{mesh: linkerd}'), ...files },
    args: ['apps'],
    says,
  });
  const web = { 'clusters/m/web.yaml': 'apiVersion: v1\nkind: Service\nmetadata: {name: web}\n' };
  all({
    'has a chart that is missing': app(
      'helm: {chart: ./nope}',
      /^clusters\/a\.yaml:4:\d+: chart: "\.\/nope": no such file$/m,
    ),
    'has a manifest that is missing': app(
      'manifests: [m/web.yaml]',
      /^clusters\/a\.yaml:4:\d+: manifest: "m\/web\.yaml": no such file$/m,
    ),
    'has a manifest that is not YAML': app(
      'manifests: [m/bad.yaml]',
      /^clusters\/a\.yaml:4:\d+: manifests: "m\/bad\.yaml": not YAML: line \d+: /m,
      { 'clusters/m/bad.yaml': 'kind: "open\n' },
    ),
    'exports a service that does not exist': app(
      'manifests: [m/web.yaml], exports: {wep: gateway}',
      /^clusters\/a\.yaml:4:\d+: exports: no service "wep" in the manifests of x\n {2}did you mean "web"/m,
      web,
    ),
    'runs a command': app('manifests: [m/web.yaml], run: rm', /^clusters\/a\.yaml:4:\d+: unknown key "run"/m, web),
    'is not known': {
      files: spec('{addons: {linkerd-vis: {}}}', '{mesh: linkerd}'),
      says: /^clusters\/a\.yaml:4:\d+: unknown key "linkerd-vis"\n {2}did you mean "linkerd-viz"\?/m,
    },
    'is asked from a cluster that is not there': {
      files: spec('{}', '{checks: [{name: x, from: b/shop, request: "http://web/"}]}'),
      args: ['verify'],
      says: /^clusters\/lab\.yaml:2:\d+: .*no cluster is named "b"/m,
    },
    'takes pods from outside the range of its cluster': {
      files: spec('{network: {cni: calico, pods: [10.4.0.0/16], calico: {pools: [10.5.0.0/18]}}}'),
      says: /^clusters\/a\.yaml:4:\d+: .*pools: 10\.5\.0\.0\/18 is outside the pod range 10\.4\.0\.0\/16/m,
    },
  });
});

describe('a command line that is wrong', () => {
  const line = (args: string, says: RegExp): Bad => ({ files: specs({ smiley: '{}' }), args: args.split(' '), says });
  all({
    'names an unknown cluster': line(
      'create smily',
      /^command line: no cluster smily in clusters\n {2}did you mean smiley\?$/m,
    ),
    'has no verb': { args: [], says: /^command line: which verb\?/ },
    'has an unknown verb': line('creat', /^command line: Did you mean create\?/),
    'has an unknown flag': line('create --recrate smiley', /^command line: Unknown argument: recrate/),
    'has no jobs': line('create --jobs 0', /^command line: --jobs takes a whole number from 1 on$/m),
    'has half a job': line('create --jobs 1.5', /^command line: --jobs takes a whole number from 1 on$/m),
    'waits for a word': line(
      'create --wait soon',
      /^command line: soon is not a duration\n {2}such as 90s, 5m or 1h$/m,
    ),
    'wants an unknown format': line(
      'create -o xml',
      /^command line: Invalid values:\n {2}Argument: output, Given: "xml"/,
    ),
    'wants a script of what is done at once': line(
      'route -o script',
      /^command line: -o script goes with --dryrun\n {2}it prints a script/,
    ),
    'wants no format': line('create -o', /^command line: Not enough arguments following: o/),
    'recreates an unknown cluster': line(
      'create --recreate faces',
      /^command line: --recreate faces: not among the clusters/,
    ),
    'ignores an unknown check': line(
      'create --ignore-preflight luck',
      /^command line: --ignore-preflight luck: no such check\n {2}there are inotify, /,
    ),
    'has defaults that do not exist': line('create --defaults mine.yaml', /^mine\.yaml: no such file$/m),
    'asks for an unknown schema': line('schema node', /^command line: Invalid values:/),
  });
});
