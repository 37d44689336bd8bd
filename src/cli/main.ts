import yargs, { type Argv } from 'yargs';
import { EXIT, InputError } from '../errors.ts';
import type { LinkMode } from '../lab/mesh.ts';
import { quoteArgv } from '../step/shell.ts';
import { changing, common, flagsOf, list, making, makingFlags, type Parsed, RESULTS } from './flags.ts';
import { type Io, note } from './io.ts';
import { describeError } from './print-error.ts';
import { VERSION } from './version.ts';

type ChangeVerb = 'apps' | 'group' | 'linkerd' | 'route' | 'workloads' | 'repair' | 'stop' | 'start';

/** Everything that `lab` understands. A verb's code is loaded only when it is called. */
export function describeCli(io: Io, line: string, asksForHelp: boolean, done: (exitCode: number) => void): Argv {
  const changeVerb = (verb: ChangeVerb) => async (args: Parsed) => {
    const { change } = await import('./change-verbs.ts');
    done(await change(verb, { ...flagsOf(args, line), dryrun: args.dryrun === true }, io));
  };
  return (
    yargs()
      .scriptName('lab')
      .usage('$0 <verb> [DIR=clusters] [NAME...]\n\nMulticluster labs on one machine, declared in small YAML files.')
      .command(
        'up [words..]',
        'all that the specs ask for, as one graph: clusters, certificates, Linkerd, routes, links, apps, workloads',
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
          const { link } = await import('./change-verbs.ts');
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
        'run the external workloads beside the clusters, and register them',
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
      .middleware(takeLast)
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

/** Flags that are given several times; of all others the last one counts. */
const LISTS = ['_', 'words', 'recreate', 'ignorePreflight', 'ignore-preflight'];

/** Not `duplicate-arguments-array: false`, which keeps only the last of several words, too. */
function takeLast(args: Parsed): void {
  for (const [key, value] of Object.entries(args))
    if (Array.isArray(value) && !LISTS.includes(key)) args[key] = value.at(-1);
}

/** `lab help VERB` as `lab VERB --help`, which yargs knows; a verb that there is not alone, so that yargs says so. */
async function spellOutHelp(argv: readonly string[], describe: () => Argv): Promise<string[]> {
  const [first, verb] = argv;
  if (first !== 'help' || verb === undefined || verb.startsWith('-')) return [...argv];
  const verbs = [...(await describe().getHelp()).matchAll(/^ {2}lab ([a-z]+)/gm)].map(([, name]) => name);
  return verbs.includes(verb) || verb === 'help' ? [verb, '--help'] : [verb];
}

/** Runs one command line, and says what went wrong. @returns the exit code */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  let exitCode: number = EXIT.done;
  const asksForHelp = argv.some((word) => ['help', '--help', '-h'].includes(word));
  try {
    const describe = () =>
      describeCli(io, quoteArgv(['lab', ...argv]), asksForHelp, (code) => {
        exitCode = code;
      });
    await describe().parseAsync(await spellOutHelp(argv, describe));
    return exitCode;
  } catch (error) {
    const failure = describeError(error);
    note(io, failure.text);
    return failure.exitCode;
  }
}
