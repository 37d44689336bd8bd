import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkScript, parseCheck } from '../../src/tools/check-script.ts';
import { makeTemporaryDirectory } from '../exec/real-process.ts';

const FROM = { address: '10.0.0.7', dns: '10.128.0.10', namespace: 'shop', domain: 'east.example' };

/** What entering a namespace comes to, without rights: its addresses, and the command itself. */
const PROGRAMS = {
  nsenter: 'shift; case "$*" in "ip -o addr") echo "2: eth0 inet 10.0.0.7/24 scope global" ;; *) exec "$@" ;; esac',
  unshare: 'shift; exec "$@"',
  mount: 'cp "$2" "$SEEN"',
};
const TOOLS = ['sh', 'cat', 'cp', 'mktemp', 'grep', 'tail', 'head', 'tr', 'rm'];

/** The script on a node that has these programs, and what it saw of the resolver. */
function runScript(programs: Readonly<Record<string, string>>, from = FROM) {
  const dir = makeTemporaryDirectory();
  const bin = join(dir, 'bin');
  mkdirSync(bin);
  for (const tool of TOOLS)
    symlinkSync(execFileSync('sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' }).trim(), join(bin, tool));
  for (const [name, text] of Object.entries({ ...PROGRAMS, ...programs })) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  const seen = join(dir, 'resolv.conf');
  const output = execFileSync(join(bin, 'sh'), {
    input: checkScript(from, 'http://emoji-svc/'),
    env: { PATH: bin, SEEN: seen, TMPDIR: dir },
    encoding: 'utf8',
  });
  return { output, resolver: () => execFileSync('cat', [seen], { encoding: 'utf8' }) };
}

/** As busybox' wget says it: headers and errors on standard error, no body of an error. */
const wget = (...lines: readonly string[]) =>
  [
    // -S -T 10 -O FILE URL
    '[ "$1 $2 $3 $4 $6" = "-S -T 10 -O http://emoji-svc/" ] || exit 99',
    ...lines,
  ].join('\n');
const REACHED = 'echo "Connecting to emoji-svc (10.128.3.4:80)" >&2';

describe('a request of a check', () => {
  it('is asked in the words of the pod', () => {
    const [first] = checkScript(FROM, "http://web/?a=1&b='$(rm)'").split('\n');
    expect(first).toBe(
      `set -- 10.0.0.7 10.128.0.10 'shop.svc.east.example svc.east.example east.example' 'http://web/?a=1&b='\\''$(rm)'\\'''`,
    );
  });

  it.each([
    ['lab-check 200\nhello\n', { status: 200, body: 'hello\n' }],
    ['lab-check 503\n', { status: 503, body: '' }],
    ['lab-check 204', { status: 204, body: '' }],
    ['lab-check lost\n', { silent: 'its network namespace was not found' }],
    [
      'lab-check silent curl: (6) Could not resolve host: nowhere',
      { silent: 'curl: (6) Could not resolve host: nowhere' },
    ],
    ['', { silent: 'no answer' }],
  ])('%j', (output, expected) => {
    expect(parseCheck(output)).toEqual(expected);
  });

  it.each<[string, Readonly<Record<string, string>>, ReturnType<typeof parseCheck>]>([
    [
      'curl',
      { curl: 'while [ "$1" != -o ]; do shift; done; echo west >"$2"; printf "HTTP/1 200"' },
      { status: 200, body: 'west\n' },
    ],
    [
      'curl that finds nobody',
      { curl: 'echo "curl: (7) Failed to connect" >&2; printf "HTTP/1 000"; exit 7' },
      { silent: 'curl: (7) Failed to connect' },
    ],
    [
      'the wget of a k3s node',
      { wget: wget(REACHED, 'echo "  HTTP/1.1 200 OK" >&2', 'echo west >"$5"') },
      { status: 200, body: 'west\n' },
    ],
    [
      'that wget, with a redirect',
      {
        wget: wget(
          REACHED,
          'printf "  HTTP/1.1 302 Found\\n  Location: /x\\n  HTTP/1.1 200 OK\\n" >&2',
          'echo west >"$5"',
        ),
      },
      { status: 200, body: 'west\n' },
    ],
    [
      'that wget, and an error',
      { wget: wget(REACHED, 'echo "wget: server returned error: HTTP/1.1 503 Service Unavailable" >&2', 'exit 1') },
      { status: 503, body: '' },
    ],
    [
      'that wget, which finds nobody',
      { wget: wget(`echo "wget: bad address 'emoji-svc'" >&2`, 'exit 1') },
      { silent: "wget: bad address 'emoji-svc'" },
    ],
  ])('is sent by %s', (_, programs, expected) => {
    const { output, resolver } = runScript(programs);
    expect(parseCheck(output)).toEqual(expected);
    expect(resolver()).toMatch(/^nameserver 10\.128\.0\.10\nsearch shop\.svc\.east\.example /);
  });

  it('is not sent where the pod is not', () => {
    const { output } = runScript({ wget: 'exit 99' }, { ...FROM, address: '10.0.0.70' });
    expect(parseCheck(output)).toEqual({ silent: 'its network namespace was not found' });
  });
});
