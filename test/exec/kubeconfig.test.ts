import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { FailedError, InputError } from '../../src/errors.ts';
import { chooseKubeconfig, mergeContexts, readContexts, removeContexts } from '../../src/exec/kubeconfig.ts';
import { identifySelf } from '../../src/exec/process-identity.ts';
import { bundle, exited, makeTemporaryDirectory, start } from './real-process.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** What `kind create cluster --kubeconfig FILE` writes. */
const fromKind = (name: string, ca = `CA of ${name}`, server = 'https://127.0.0.1:40001'): string => `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: ${base64(ca)}
    server: ${server}
  name: kind-${name}
contexts:
- context:
    cluster: kind-${name}
    user: kind-${name}
  name: kind-${name}
current-context: kind-${name}
kind: Config
users:
- name: kind-${name}
  user:
    client-certificate-data: ${base64('certificate '.repeat(20))}
    client-key-data: ${base64(`key of ${name}`)}
`;

const USERS_OWN = `# my clusters
apiVersion: v1
kind: Config
clusters:
- cluster:
    server: https://prod:6443 # behind the VPN
    certificate-authority-data: ${base64('CA of prod')}
    proxy-url: socks5://localhost:1
  name: prod
contexts:
# careful
- context: {cluster: prod, user: me, namespace: shop}
  name: prod
current-context: prod
users:
- name: me
  user:
    token: 0123
x-team: {owner: us}
x-odd: [0123, 0x1F, 1_000, 1e3, .5, 1.10, +1, ~, yes, True, 2024-01-01, "quoted", 'single']
x-long: ${'word '.repeat(60)}
x-block: |
  one
    two
`;

let dir: string;
let file: string;
let privateFile: string;
beforeEach(() => {
  dir = makeTemporaryDirectory();
  file = join(dir, 'config');
  privateFile = join(dir, 'private.yaml');
  writeFileSync(privateFile, fromKind('smiley'));
});

const contexts = ['kind-smiley', 'smiley'];
const merge = (more: object = {}) =>
  mergeContexts({ file, privateFile, contexts, uid: 'u1', cluster: 'smiley', ...more });
const text = (path = file): string => readFileSync(path, 'utf8');
const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

describe('chooseKubeconfig', () => {
  it('follows client-go', () => {
    const [a, b, none] = [join(dir, 'a'), join(dir, 'b'), join(dir, 'none')];
    writeFileSync(b, '');
    expect(chooseKubeconfig({ KUBECONFIG: 'x', HOME: '/h' }, a)).toEqual({ file: a, all: [a] });
    expect(chooseKubeconfig({ KUBECONFIG: `:${none}::${b}:${a}:${b}` })).toEqual({ file: b, all: [none, b, a] });
    expect(chooseKubeconfig({ KUBECONFIG: `${none}:${a}` })).toEqual({ file: a, all: [none, a] });
    expect(chooseKubeconfig({ HOME: '/h' })).toEqual({ file: '/h/.kube/config', all: ['/h/.kube/config'] });
    expect(chooseKubeconfig({ KUBECONFIG: '::', HOME: '/h' }).file).toBe('/h/.kube/config');
  });
});

describe('mergeContexts', () => {
  it('makes a file, and chooses no context in it', async () => {
    file = join(dir, 'new', 'config');
    expect(await merge()).toBe(true);
    const { clusters, users, ...rest } = parse(text());
    const extensions = [{ extension: { uid: 'u1', cluster: 'smiley' }, name: 'lab' }];
    const context = { cluster: 'kind-smiley', user: 'kind-smiley', extensions };
    expect(rest).toEqual({
      apiVersion: 'v1',
      kind: 'Config',
      contexts: contexts.map((name) => ({ context, name })),
      'current-context': '',
    });
    const original = parse(fromKind('smiley'));
    expect(clusters).toEqual([{ ...original.clusters[0], cluster: { ...original.clusters[0].cluster, extensions } }]);
    expect(users).toEqual([{ ...original.users[0], user: { ...original.users[0].user, extensions } }]);
    expect([modeOf(file), modeOf(join(dir, 'new')), readdirSync(join(dir, 'new'))]).toEqual(['600', '700', ['config']]);
    expect(text()).toMatch(/^- context:\n {4}cluster: kind-smiley$/m);
  });

  it('changes nothing the second time, even while the file is locked', async () => {
    await merge();
    const before = [text(), statSync(file).ino];
    writeFileSync(`${file}.lock`, '');
    expect(await merge()).toBe(false);
    expect([text(), statSync(file).ino]).toEqual(before);
  });

  it("keeps the user's comments, fields and choices", async () => {
    writeFileSync(file, USERS_OWN);
    chmodSync(file, 0o644);
    await merge();
    for (const line of USERS_OWN.replace(/[{}]/g, '').split('\n'))
      expect(text().replace(/[{} ]/g, '')).toContain(line.replaceAll(' ', ''));
    const { contexts: all, ...rest } = parse(text());
    expect(all.map(({ name }: { name: string }) => name)).toEqual(['prod', ...contexts]);
    expect(rest).toMatchObject({ 'current-context': 'prod', 'x-team': { owner: 'us' } });
    expect(modeOf(file)).toBe('644');
  });

  it.each(['', '# nothing yet\n', '---\n', '{}', 'apiVersion: v1\nclusters: null\ncontexts: []\n'])(
    'fills an empty file: %j',
    async (empty) => {
      writeFileSync(file, empty);
      expect(await merge()).toBe(true);
      expect(text()).toContain(empty.includes('#') ? '# nothing yet' : '');
      expect(await readContexts([file])).toHaveLength(2);
    },
  );

  it('replaces what a cluster of before the last delete had', async () => {
    await merge();
    writeFileSync(
      privateFile,
      fromKind('smiley', 'a new CA')
        .replace(/client-(certificate|key)-data: .*\n */g, '')
        .replace(/user:\s*$/, 'user:\n    token: t\n'),
    );
    expect(await merge()).toBe(true);
    const { clusters, users } = parse(text());
    expect([clusters.length, clusters[0].cluster['certificate-authority-data']]).toEqual([1, base64('a new CA')]);
    expect(Object.keys(users[0].user).sort()).toEqual(['extensions', 'token']);
  });

  it('adopts a context of the same cluster, with what the user set in it', async () => {
    writeFileSync(
      file,
      fromKind('smiley').replace('    user: kind-smiley\n', '    user: kind-smiley\n    namespace: mine\n'),
    );
    await merge();
    expect(parse(text()).contexts[0]).toMatchObject({
      name: 'kind-smiley',
      context: { namespace: 'mine', extensions: [{ name: 'lab' }] },
    });
  });

  it.each([
    ['the provider context', fromKind('smiley', 'another CA'), ['kind-smiley', 'kind-smiley']],
    [
      'the short context',
      USERS_OWN.replaceAll('name: prod', 'name: smiley').replace('cluster: prod', 'cluster: smiley'),
      ['smiley'],
    ],
    ['a context that leads nowhere', 'contexts:\n- name: smiley\n', ['smiley']],
    ["another lab's", fromKind('smiley', 'another CA').replaceAll('kind-smiley', 'smiley'), ['smiley']],
  ])('refuses %s of another cluster', async (_, foreign, names) => {
    writeFileSync(file, foreign);
    const error = await merge().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(InputError);
    expect((error as InputError).problems.map(({ message }) => message.split('"')[1])).toEqual(
      expect.arrayContaining(names),
    );
    expect((error as InputError).problems[0]).toMatchObject({
      at: expect.stringMatching(`^${file}:\\d+:\\d+$`),
      message: expect.stringContaining(`in ${file} is not this lab's`),
      hint: expect.stringContaining('--kubeconfig'),
    });
    expect([text(), existsSync(`${file}.lock`)]).toEqual([foreign, false]);
  });

  it('refuses to overwrite a user that another cluster needs', async () => {
    writeFileSync(privateFile, fromKind('smiley').replaceAll(/(user|users:\n- name): kind-smiley/g, '$1: me'));
    writeFileSync(file, USERS_OWN);
    await expect(merge()).rejects.toThrow('user "me"');
  });

  it('writes names so that kubectl reads them', async () => {
    writeFileSync(privateFile, fromKind('no'));
    await merge({ contexts: ['no'], cluster: 'no', uid: '12_0' });
    expect(parse(text(), { version: '1.1' }).contexts[0]).toMatchObject({
      name: 'no',
      context: { extensions: [{ extension: { uid: '12_0', cluster: 'no' } }] },
    });
  });

  it('keeps a link, and the mode of what it leads to', async () => {
    const target = join(dir, 'target');
    writeFileSync(target, USERS_OWN, { mode: 0o640 });
    symlinkSync('target', file);
    await merge();
    expect([lstatSync(file).isSymbolicLink(), modeOf(target)]).toEqual([true, '640']);
    expect(await readContexts([target])).toHaveLength(3);
  });

  it('gives up on a lock of somebody else, and says what to do', async () => {
    writeFileSync(`${file}.lock`, '', { mode: 0 });
    const error = await merge().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(FailedError);
    expect(error).toMatchObject({ hint: expect.stringMatching(`--kubeconfig ${privateFile}; .*remove ${file}.lock`) });
    expect([existsSync(`${file}.lock`), existsSync(file)]).toEqual([true, false]);
  }, 10_000);

  it('takes the lock of a run of ours that was killed, at once', async () => {
    const dead = { lab: { ...identifySelf(), startedAt: '1' } };
    writeFileSync(`${file}.lock`, JSON.stringify(dead));
    const begun = performance.now();
    await Promise.all(['a', 'b', 'c'].map((name) => merge({ contexts: [name], cluster: name })));
    expect(performance.now() - begun).toBeLessThan(4000);
    expect(readdirSync(dir).sort()).toEqual(['config', 'private.yaml']);
    expect((await readContexts([file])).map(({ name }) => name).toSorted()).toEqual(['a', 'b', 'c']);
  });

  it('loses nothing when many write at once', async () => {
    const program = bundle(
      dir,
      `import { writeFileSync } from 'node:fs';
      import { mergeContexts } from '../../src/exec/kubeconfig.ts';
      const [, , file, privateFile, which] = process.argv;
      (async () => {
        for (let i = 0; i < 50; i++) {
          const name = 'c' + which + '-' + i;
          await mergeContexts({ file, privateFile, contexts: [name], uid: 'u1', cluster: name });
        }
      })();`,
    );
    writeFileSync(file, USERS_OWN);
    const children = ['a', 'b', 'c', 'd'].map((which) => start(program, file, privateFile, which));
    expect(await Promise.all(children.map(exited))).toEqual([0, 0, 0, 0]);
    expect(await readContexts([file])).toHaveLength(201);
    expect(readdirSync(dir).sort()).toEqual(['config', 'private.yaml', 'program.cjs']);
  }, 300_000);
});

describe('broken files', () => {
  it.each([
    ['a: [', '1:5'],
    ['a: 1\nb:\n\t- c', '3:1'],
    ['a: 1\na: 2', '2:1'],
    ['a: 1\n---\nb: 2', '2:1'],
    ['- a', '1:1'],
    ['contexts: {}', '1:11'],
    ['users:\n- name: [a]\n', '2:3'],
    ['clusters:\n- name: a\n  cluster: b\n', '3:12'],
    ['contexts:\n- name: a\n  context: {extensions: b}\n', '3:25'],
    ['a: *b', '1:1'],
    ['\0\xff', '1:1'],
  ])('%j is wrong at %s, and stays as it is', async (broken, position) => {
    writeFileSync(file, broken);
    const attempts = [merge(), removeContexts({ file, contexts, uid: 'u1' }), readContexts([privateFile, file])];
    for (const attempt of await Promise.allSettled(attempts)) {
      const { reason } = attempt as PromiseRejectedResult;
      expect(reason).toBeInstanceOf(InputError);
      expect((reason as InputError).problems.map(({ at }) => at)).toContain(`${file}:${position}`);
    }
    expect([text(), existsSync(`${file}.lock`)]).toEqual([broken, false]);
  });

  it('are all named at once', async () => {
    mkdirSync(file);
    writeFileSync(join(dir, 'second'), 'users: 1');
    await expect(readContexts([file, join(dir, 'second')])).rejects.toMatchObject({
      problems: [{ at: file, message: 'cannot be read: EISDIR' }, { at: `${join(dir, 'second')}:1:8` }],
    });
  });
});

describe('removeContexts', () => {
  it('takes out what a merge put in, and nothing else', async () => {
    writeFileSync(file, USERS_OWN);
    await merge();
    const second = join(dir, 'second.yaml');
    writeFileSync(second, fromKind('color'));
    await merge({ privateFile: second, contexts: ['kind-color', 'color'], cluster: 'color', uid: 'u2' });
    expect(await removeContexts({ file, contexts: [...contexts, 'prod', 'color'], uid: 'u1' })).toBe(true);
    expect((await readContexts([file])).map(({ name }) => name)).toEqual(['prod', 'kind-color', 'color']);
    await removeContexts({ file, contexts: ['color', 'kind-color'], uid: 'u2' });
    expect(parse(text())).toEqual(parse(USERS_OWN));
    expect(await removeContexts({ file, contexts, uid: 'u1' })).toBe(false);
  });

  it('leaves no current context that is gone', async () => {
    await merge();
    writeFileSync(file, `${text().replace(/^current-context:.*\n/m, '')}current-context: smiley\n`);
    await removeContexts({ file, contexts, uid: 'u1' });
    expect(parse(text())['current-context']).toBe('');
  });

  it('keeps a cluster and a user that another context needs', async () => {
    await merge();
    writeFileSync(
      file,
      text().replace('contexts:\n', 'contexts:\n- {name: mine, context: {cluster: kind-smiley, user: kind-smiley}}\n'),
    );
    await removeContexts({ file, contexts, uid: 'u1' });
    const { clusters, users, contexts: left } = parse(text());
    expect([clusters.length, users.length, left.length]).toEqual([1, 1, 1]);
  });

  it('makes no file', async () => {
    expect(await removeContexts({ file, contexts, uid: 'u1' })).toBe(false);
    expect(readdirSync(dir)).toEqual(['private.yaml']);
  });
});

describe('readContexts', () => {
  it('says whose each context is; of two the first counts', async () => {
    await merge();
    const second = join(dir, 'second');
    writeFileSync(join(dir, 'ca.crt'), 'CA in a file');
    writeFileSync(
      second,
      `clusters:
  - {name: far, cluster: {server: https://far, certificate-authority: ca.crt}}
  - {name: gone, cluster: {certificate-authority: none.crt}}
contexts:
  - {name: smiley, context: {cluster: far}}
  - {name: far, context: {cluster: far}}
  - {name: gone, context: {cluster: gone}}
  - {name: bare}
`,
    );
    const smiley = { owner: 'u1', server: 'https://127.0.0.1:40001', ca: sha256('CA of smiley') };
    expect(await readContexts([join(dir, 'none'), file, second])).toEqual([
      { name: 'kind-smiley', file, ...smiley },
      { name: 'smiley', file, ...smiley },
      { name: 'far', file: second, server: 'https://far', ca: sha256('CA in a file') },
      { name: 'gone', file: second },
      { name: 'bare', file: second },
    ]);
  });
});
