import yargs, { type Argv } from 'yargs';
import { EXIT, InputError } from '../errors.ts';
import type { Flags, Format, Io } from './io.ts';
import { VERSION } from './version.ts';

const DURATION = /^(\d+)(s|m|h)?$/;
const UNITS = { s: 1, m: 60, h: 3600 } as const;

/** Seconds from `90`, `90s`, `5m` or `1h`. */
function seconds(text: string): number {
  const match = DURATION.exec(text);
  if (!match)
    throw new InputError([{ at: 'command line', message: `${text} is not a duration`, hint: 'such as 90s, 5m or 1h' }]);
  return Number(match[1]) * UNITS[(match[2] ?? 's') as keyof typeof UNITS];
}

/** The flags of every verb. */
const common = (args: Argv) =>
  args
    .positional('words', {
      type: 'string',
      array: true,
      default: [],
      describe: 'the folder of the specs (default: clusters), then cluster names (default: all)',
    })
    .option('output', {
      alias: 'o',
      choices: ['text', 'wide', 'json', 'yaml', 'name', 'script'] as const,
      default: 'text' as const,
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

const changing = (args: Argv) =>
  common(args)
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
    });

type Parsed = Record<string, unknown>;

function flagsOf(args: Parsed): Flags {
  const jobs = args.jobs as number | undefined;
  if (jobs !== undefined && !(Number.isInteger(jobs) && jobs >= 1)) {
    throw new InputError([{ at: 'command line', message: '--jobs takes a whole number from 1 on' }]);
  }
  return {
    words: (args.words as readonly unknown[]).map(String),
    output: args.output as Format,
    kubeconfig: args.kubeconfig as string | undefined,
    defaults: args.defaults as string | undefined,
    jobs,
    wait: args.wait === undefined ? undefined : seconds(args.wait as string),
  };
}

const list = (value: unknown): string[] =>
  ((value as readonly string[] | undefined) ?? []).flatMap((one) => one.split(','));

/** Everything that `lab` understands. A verb's code is loaded only when it is called. */
export function describeCli(io: Io, done: (exitCode: number) => void): Argv {
  return yargs()
    .scriptName('lab')
    .usage('$0 <verb> [DIR=clusters] [NAME...]\n\nMulticluster labs on one machine, declared in small YAML files.')
    .command(
      'create [words..]',
      'make the network, clusters, contexts and load balancer pools; a second run changes nothing',
      (args) =>
        changing(args)
          .option('recreate', {
            type: 'string',
            array: true,
            requiresArg: true,
            describe: 'clusters to delete and make anew',
          })
          .option('ignore-preflight', {
            type: 'string',
            array: true,
            requiresArg: true,
            describe: 'checks that may fail: inotify, memory, disk, addresses, ports, ipv6',
          }),
      async (args: Parsed) => {
        const { create } = await import('./create.ts');
        const flags = {
          ...flagsOf(args),
          dryrun: args.dryrun === true,
          recreate: list(args.recreate),
          ignorePreflight: list(args.ignorePreflight),
        };
        done(await create(flags, io));
      },
    )
    .command(
      'delete [words..]',
      'remove clusters and what they left; works when the spec is gone',
      (args) =>
        changing(args)
          .option('all', { type: 'boolean', default: false, describe: 'every cluster of the lab' })
          .option('adopt', { type: 'boolean', default: false, describe: 'also clusters that this lab did not make' }),
      async (args: Parsed) => {
        const { deleteClusters } = await import('./delete.ts');
        done(
          await deleteClusters(
            { ...flagsOf(args), dryrun: args.dryrun === true, all: args.all === true, adopt: args.adopt === true },
            io,
          ),
        );
      },
    )
    .command(
      'info [words..]',
      'ranges, pools, addresses, endpoints and contexts',
      (args) => common(args).option('why', { type: 'boolean', default: false, describe: 'why each range was chosen' }),
      async (args: Parsed) => {
        const { info } = await import('./info.ts');
        done(await info({ ...flagsOf(args), why: args.why === true }, io));
      },
    )
    .command('validate [words..]', 'every problem of every spec at once', common, async (args: Parsed) => {
      const { validate } = await import('./validate.ts');
      done(await validate(flagsOf(args), io));
    })
    .command(
      'doctor [words..]',
      'what is missing on this machine, each with the line to type',
      common,
      async (args: Parsed) => {
        const { doctor } = await import('./doctor.ts');
        done(await doctor(flagsOf(args), io));
      },
    )
    .command(
      'schema <kind>',
      'the JSON schema of a spec, for editors',
      (args) => args.positional('kind', { choices: ['cluster', 'lab'] as const, demandOption: true }),
      async (args) => {
        const { schema } = await import('./schema.ts');
        done(await schema(args.kind, io));
      },
    )
    .completion('completion', 'a completion script for bash or zsh')
    .version(VERSION)
    .help()
    .alias('help', 'h')
    .wrap(100)
    .strict()
    .demandCommand(1, 'which verb? See: lab --help')
    .recommendCommands()
    .exitProcess(false)
    .fail((message, error) => {
      if (error && !message) throw error;
      throw new InputError([{ at: 'command line', message: message || String(error), hint: 'see: lab --help' }]);
    });
}

/** Runs one command line. @returns the exit code. @throws LabError for everything that a user can mend */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  let exitCode: number = EXIT.done;
  await describeCli(io, (code) => {
    exitCode = code;
  }).parseAsync([...argv]);
  return exitCode;
}
