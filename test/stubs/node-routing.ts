import { spawnSync } from 'node:child_process';
import { Failure } from './failure.ts';
import type { Store, Stored } from './store.ts';

const NONE: Stored['routing'] = { routes: [], iptables: [], ip6tables: [] };

/** What the listing of routes and rules prints. */
export function listRouting(node: string, store: Store): string {
  const { routes, iptables, ip6tables } = store.read('routing', node) ?? NONE;
  const rules = (list: readonly string[]) => list.map((rule) => `-A ${rule}`);
  return `${[...routes, '=====', ...rules(iptables), '=====', ...rules(ip6tables)].join('\n')}\n`;
}

/** Does the lines of a script that changes routes and rules. */
export function changeRouting(node: string, script: string, store: Store): void {
  for (const line of script.trim().split('\n')) {
    store.update('routing', node, (before = NONE) => changeOne(before, line));
  }
}

/** A shell that runs a script and says what it would have changed. */
export function runOnNode(script: string, stdin: string): string {
  const said = (name: string) => `${name}() { echo "${name} $*"; }`;
  const asked = (name: string) => `${name}() { case "$*" in *" -C "*) return 1 ;; esac; echo "${name} $*"; }`;
  const shell = spawnSync(
    '/bin/sh',
    ['-e', '-c', [said('ip'), asked('iptables'), asked('ip6tables'), script].join('\n')],
    {
      input: stdin,
      encoding: 'utf8',
    },
  );
  if (shell.status !== 0) throw new Failure(shell.stderr.trim(), shell.status ?? 1);
  return shell.stdout;
}

function changeOne(routing: Stored['routing'], line: string): Stored['routing'] {
  const [, verb, destination = '', rest] = /^ip route (replace|del) (\S+) (.*)$/.exec(line) ?? [];
  if (verb) {
    const others = routing.routes.filter((route) => !route.startsWith(`${destination} `));
    return { ...routing, routes: verb === 'del' ? others : [...others, `${destination} ${rest}`] };
  }
  const [, table, action, chain, args] =
    /(?:^| )(iptables|ip6tables) -w -t nat -(I|D) (\S+) (?:1 )?(.*?)(?: 2>\/dev\/null \|\| true)?$/.exec(line) ?? [];
  if (table !== 'iptables' && table !== 'ip6tables') throw new Failure(`the stub does not know: ${line}`, 99);
  const others = routing[table].filter((rule) => rule !== `${chain} ${args}`);
  return { ...routing, [table]: action === 'D' ? others : [`${chain} ${args}`, ...others] };
}
