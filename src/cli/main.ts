import yargs, { type Argv } from 'yargs';
import { EXIT, InputError } from '../errors.ts';
import type { LinkMode } from '../lab/mesh.ts';
import { quoteArgv } from '../step/shell.ts';
import { type Flags, type Format, type Io, note } from './io.ts';
import { describeError } from './print-error.ts';
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

const RESULTS = ['text', 'wide', 'json', 'yaml', 'name'] as const;
const PLANS = [...RESULTS, 'script'] as const;

/** The flags of every verb, with the formats that this one has. */
const common = (formats: readonly Format[]) => (args: Argv) =>
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

const changing = (args: Argv) =>
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

type Parsed = Record<string, unknown>;

function flagsOf(args: Parsed, line: string): Flags {
  const jobs = args.jobs as number | undefined;
  if (jobs !== undefined && !(Number.isInteger(jobs) && jobs >= 1)) {
    throw new InputError([{ at: 'command line', message: '--jobs takes a whole number from 1 on' }]);
  }
  if (args.output === 'script' && args.dryrun !== true) {
    const hint = 'it prints a script; without --dryrun the plan would be carried out';
    throw new InputError([{ at: 'command line', message: '-o script goes with --dryrun', hint }]);
  }
  const timeout = args.timeout === undefined ? undefined : seconds(args.timeout as string);
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

const list = (value: unknown): string[] =>
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
const making = (args: Argv) =>
  changing(args).option('ignore-preflight', {
    type: 'string',
    array: true,
    requiresArg: true,
    describe: `checks that may fail: ${CHECKS.join(', ')}`,
  });

const makingFlags = (args: Parsed, line: string) => ({
  ...flagsOf(args, line),
  dryrun: args.dryrun === true,
  ignorePreflight: checksOf(list(args.ignorePreflight)),
});

type ChangeVerb = 'apps' | 'group' | 'linkerd' | 'route' | 'workloads' | 'repair' | 'stop' | 'start';

/** Everything that `lab` understands. A verb's code is loaded only when it is called. */
export function describeCli(io: Io, line: string, asksForHelp: boolean, done: (exitCode: number) => void): Argv {
  const changeVerb = (verb: ChangeVerb) => async (args: Parsed) => {
    const { change } = await import('./routing.ts');
    done(await change(verb, { ...flagsOf(args, line), dryrun: args.dryrun === true }, io));
  };
  return (
    yargs()
      .scriptName('lab')
      .usage('$0 <verb> [DIR=clusters] [NAME...]\n\nMulticluster labs on one machine, declared in small YAML files.')
      .command(
        'up [words..]',
        'all that the specs ask for, as one graph: clusters, certificates, Linkerd, routes and links',
        making,
        async (args: Parsed) => {
          const { create } = await import('./create.ts');
          done(await create({ ...makingFlags(args, line), verb: 'up', recreate: [] }, io));
        },
      )
      .command(
        'create [words..]',
        'make the network, clusters, contexts and load balancer pools; a second run changes nothing',
        (args) =>
          making(args).option('recreate', {
            type: 'string',
            array: true,
            requiresArg: true,
            describe: 'clusters to delete and make anew',
          }),
        async (args: Parsed) => {
          const { create } = await import('./create.ts');
          done(await create({ ...makingFlags(args, line), verb: 'create', recreate: list(args.recreate) }, io));
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
              {
                ...flagsOf(args, line),
                dryrun: args.dryrun === true,
                all: args.all === true,
                adopt: args.adopt === true,
              },
              io,
            ),
          );
        },
      )
      .command(
        'certs [words..]',
        'one trust anchor for the lab and an issuer for each cluster; a second run checks them',
        (args) =>
          changing(args)
            .option('rotate', {
              choices: ['issuer', 'anchor'] as const,
              requiresArg: true,
              describe: 'make issuers anew, or go one step further to another trust anchor',
            })
            .option('discard-root-key', {
              type: 'boolean',
              default: false,
              describe: "remove the trust anchor's key once all issuers are signed",
            }),
        async (args: Parsed) => {
          const { certs } = await import('./certs.ts');
          const flags = {
            ...flagsOf(args, line),
            dryrun: args.dryrun === true,
            rotate: args.rotate as 'issuer' | 'anchor' | undefined,
            discardRootKey: args.discardRootKey === true,
          };
          done(await certs(flags, io));
        },
      )
      .command(
        'route [words..]',
        'routes between the clusters of each group, on every node',
        changing,
        changeVerb('route'),
      )
      .command(
        'group [words..]',
        'route, then link; naming one member joins it with the rest of its group',
        changing,
        changeVerb('group'),
      )
      .command(
        'linkerd [words..]',
        'Gateway API CRDs, Linkerd and its multicluster extension; upgrades where it is installed',
        changing,
        changeVerb('linkerd'),
      )
      .command(
        'link [words..]',
        'Linkerd links between the clusters of each group, and those of lab.yaml',
        (args) =>
          changing(args)
            .option('src', { type: 'string', requiresArg: true, describe: 'one link by hand: who uses the services' })
            .option('dst', { type: 'string', requiresArg: true, describe: 'and who exports them' })
            .option('mode', {
              choices: ['flat', 'gateway', 'federated'] as const,
              default: 'flat' as const,
              describe: 'how the two are linked',
            })
            .option('remove', { type: 'boolean', default: false, describe: 'take the link from --src to --dst away' }),
        async (args: Parsed) => {
          const { link } = await import('./routing.ts');
          done(
            await link(
              {
                ...flagsOf(args, line),
                dryrun: args.dryrun === true,
                src: args.src as string | undefined,
                dst: args.dst as string | undefined,
                mode: args.mode as LinkMode,
                remove: args.remove === true,
              },
              io,
            ),
          );
        },
      )
      .command(
        'apps [words..]',
        'add-ons and apps of the specs: charts, manifests, exports; removes what the specs no longer have',
        changing,
        changeVerb('apps'),
      )
      .command(
        'workloads [words..]',
        'run what is beside the clusters, and tell them',
        changing,
        changeVerb('workloads'),
      )
      .command('repair [words..]', 'put back what a restart or a hand took away', changing, changeVerb('repair'))
      .command('stop [words..]', 'stop the nodes of a lab', changing, changeVerb('stop'))
      .command('start [words..]', 'start the nodes of a lab, wait for them and repair', changing, changeVerb('start'))
      .command(
        'status [words..]',
        'what is, against what should be',
        (args) =>
          common(['text', 'json', 'yaml'])(args).option('exit-code', {
            type: 'boolean',
            default: false,
            describe: 'exit with 5 on drift',
          }),
        async (args: Parsed) => {
          const { status } = await import('./status.ts');
          done(await status({ ...flagsOf(args, line), exitCode: args.exitCode === true }, io));
        },
      )
      .command(
        'verify [words..]',
        'who reaches whom, really: packets between pods, pools and names',
        (args) =>
          changing(args)
            .option('plan', { type: 'boolean', default: false, describe: 'simulate the planned routes; send nothing' })
            .option('image', {
              type: 'string',
              requiresArg: true,
              describe: "image of the probes, in place of the nodes' pause image",
            }),
        async (args: Parsed) => {
          const { verify } = await import('./verify.ts');
          const image = args.image as string | undefined;
          const more = { plan: args.plan === true, dryrun: args.dryrun === true, ...(image && { image }) };
          done(await verify({ ...flagsOf(args, line), ...more }, io));
        },
      )
      .command(
        'info [words..]',
        'ranges, pools, addresses, endpoints and contexts',
        (args) =>
          common(RESULTS)(args).option('why', {
            type: 'boolean',
            default: false,
            describe: 'why each range was chosen',
          }),
        async (args: Parsed) => {
          const { info } = await import('./info.ts');
          done(await info({ ...flagsOf(args, line), why: args.why === true }, io));
        },
      )
      .command(
        'validate [words..]',
        'every problem of every spec at once',
        common(['text', 'json', 'name']),
        async (args: Parsed) => {
          const { validate } = await import('./validate.ts');
          done(await validate(flagsOf(args, line), io));
        },
      )
      .command(
        'doctor [words..]',
        'what is missing on this machine, each with the line to type',
        (args) =>
          common(['text', 'json', 'yaml'])(args).option('bundle', {
            type: 'string',
            requiresArg: true,
            describe: 'write a file for whoever helps: versions, plan, what was observed, journal; no secrets',
          }),
        async (args: Parsed) => {
          const { doctor } = await import('./doctor.ts');
          done(await doctor({ ...flagsOf(args, line), bundle: args.bundle as string | undefined }, io));
        },
      )
      .command(
        'schema <kind>',
        'the JSON schema of a spec, for editors',
        (args) => args.positional('kind', { choices: ['cluster', 'lab', 'workload'] as const, demandOption: true }),
        async (args) => {
          const { schema } = await import('./schema.ts');
          done(await schema(args.kind, io));
        },
      )
      .completion('completion', 'a completion script for bash or zsh')
      .version(VERSION)
      .help()
      .alias('help', 'h')
      // Its layout takes a while, and is made for every verb that runs.
      .wrap(asksForHelp ? 100 : null)
      // Else `--recreate smiley color` would take color, too, for a cluster to rebuild.
      .parserConfiguration({ 'greedy-arrays': false })
      .strict()
      .demandCommand(1, 'which verb? See: lab --help')
      .recommendCommands()
      .exitProcess(false)
      .fail((message, error) => {
        if (error && !message) throw error;
        throw new InputError([{ at: 'command line', message: message || String(error), hint: 'see: lab --help' }]);
      })
  );
}

/** Runs one command line, and says what went wrong. @returns the exit code */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  let exitCode: number = EXIT.done;
  const asksForHelp = argv.some((word) => ['help', '--help', '-h'].includes(word));
  try {
    await describeCli(io, quoteArgv(['lab', ...argv]), asksForHelp, (code) => {
      exitCode = code;
    }).parseAsync([...argv]);
    return exitCode;
  } catch (error) {
    const failure = describeError(error);
    note(io, failure.text);
    return failure.exitCode;
  }
}
