/** The flags that several verbs share: as yargs is told of them, and what it makes of them. */
import type { Argv } from 'yargs';
import { InputError } from '../errors.ts';
import type { Flags, Format } from './io.ts';

const DURATION = /^(\d+)(s|m|h)?$/;
const UNITS = { s: 1, m: 60, h: 3600 } as const;

/** Seconds from `90`, `90s`, `5m` or `1h`. */
function seconds(text: string): number {
  const match = DURATION.exec(text);
  if (!match)
    throw new InputError([{ at: 'command line', message: `${text} is not a duration`, hint: 'such as 90s, 5m or 1h' }]);
  return Number(match[1]) * UNITS[(match[2] ?? 's') as keyof typeof UNITS];
}

export const RESULTS = ['text', 'wide', 'json', 'yaml', 'name'] as const;
const PLANS = [...RESULTS, 'script'] as const;

/** The flags of every verb, with the formats that this one has. */
export const common = (formats: readonly Format[]) => (args: Argv) =>
  args
    .positional('words', {
      type: 'string',
      array: true,
      default: [],
      describe: 'the folder of the specs (default: clusters), then cluster names (default: all)',
    })
    .option('output', {
      alias: 'o',
      choices: formats,
      default: 'text',
      requiresArg: true,
      describe: 'how results are printed',
    })
    .option('kubeconfig', {
      type: 'string',
      requiresArg: true,
      describe: 'the kubeconfig to edit, instead of $KUBECONFIG or ~/.kube/config',
    })
    .option('defaults', {
      type: 'string',
      requiresArg: true,
      describe: 'a lab.yaml with your own defaults, under those of the lab (also $LAB_DEFAULTS)',
    });

export const changing = (args: Argv) =>
  common(PLANS)(args)
    .option('dryrun', {
      alias: 'dry-run',
      type: 'boolean',
      default: false,
      describe: 'print the plan and change nothing',
    })
    .option('jobs', {
      alias: 'j',
      type: 'number',
      requiresArg: true,
      describe: 'steps that run at the same time (default: cores)',
    })
    .option('wait', {
      type: 'string',
      requiresArg: true,
      describe: 'wait this long for another run of the same lab, such as 5m',
    })
    .option('timeout', {
      type: 'string',
      requiresArg: true,
      describe: 'end a step that takes longer, such as 30m (default: a limit for each)',
    })
    .option('fail-fast', { type: 'boolean', default: false, describe: 'stop everything at the first failure' });

/** What yargs made of a command line. */
export type Parsed = Record<string, unknown>;

export function flagsOf(args: Parsed, line: string): Flags {
  const jobs = args.jobs as number | undefined;
  if (jobs !== undefined && !(Number.isInteger(jobs) && jobs >= 1)) {
    throw new InputError([{ at: 'command line', message: '--jobs takes a whole number from 1 on' }]);
  }
  if (args.output === 'script' && args.dryrun !== true) {
    const hint = 'it prints a script; without --dryrun the plan would be carried out';
    throw new InputError([{ at: 'command line', message: '-o script goes with --dryrun', hint }]);
  }
  const timeout = args.timeout === undefined ? undefined : seconds(args.timeout as string);
  // What Node can count: a longer timer ends at once.
  if (timeout !== undefined && timeout * 1000 >= 2 ** 31) {
    throw new InputError([{ at: 'command line', message: '--timeout takes no more than 596h' }]);
  }
  if (timeout === 0) throw new InputError([{ at: 'command line', message: '--timeout takes a second or more' }]);
  return {
    line,
    words: (args.words as readonly unknown[]).map(String),
    output: args.output as Format,
    kubeconfig: args.kubeconfig as string | undefined,
    defaults: args.defaults as string | undefined,
    jobs,
    wait: args.wait === undefined ? undefined : seconds(args.wait as string),
    timeout,
    failFast: args.failFast === true,
  };
}

export const list = (value: unknown): string[] =>
  ((value as readonly string[] | undefined) ?? []).flatMap((one) => one.split(','));

/** What can be counted wrong, so that a person may know better. */
const CHECKS = ['inotify', 'memory', 'disk', 'addresses', 'ports', 'ipv6', 'kernel'];

function checksOf(names: readonly string[]): readonly string[] {
  const unknown = names.filter((name) => !CHECKS.includes(name));
  if (unknown.length === 0) return names;
  const message = `--ignore-preflight ${unknown.join(',')}: no such check`;
  throw new InputError([{ at: 'command line', message, hint: `there are ${CHECKS.join(', ')}` }]);
}

/** What both verbs that make clusters take. */
export const making = (args: Argv) =>
  changing(args).option('ignore-preflight', {
    type: 'string',
    array: true,
    requiresArg: true,
    describe: `checks that may fail: ${CHECKS.join(', ')}`,
  });

export const makingFlags = (args: Parsed, line: string) => ({
  ...flagsOf(args, line),
  dryrun: args.dryrun === true,
  ignorePreflight: checksOf(list(args.ignorePreflight)),
});
