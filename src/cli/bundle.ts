import { existsSync, readFileSync } from 'node:fs';
import { resolve as resolvePath } from 'node:path';
import { InputError } from '../errors.ts';
import { writeFileAtomically } from '../exec/atomic-file.ts';
import type { Observed } from '../lab/observed.ts';
import { diffForCreate } from '../plan/diff.ts';
import { planCreate } from '../plan/plan-create.ts';
import { resolve } from '../plan/resolve.ts';
import { statusRows } from '../plan/status.ts';
import { PROVIDERS } from '../providers/index.ts';
import { redactData } from '../step/redact.ts';
import type { Runner } from '../step/runner.ts';
import { VERSIONS } from '../tools/versions.ts';
import type { Session } from './session.ts';
import { VERSION } from './version.ts';

const KEPT_LINES = 500;

/** Where a bundle goes. @throws InputError when something is there: nothing is overwritten for a report */
export function bundlePath(cwd: string, file: string): string {
  const path = resolvePath(cwd, file);
  if (existsSync(path)) throw new InputError([{ at: file, message: 'is there already', hint: 'name another file' }]);
  return path;
}

/**
 * Writes one JSON file that explains a lab to somebody who was not there: versions, checks, the plan of a create, the
 * difference, what was observed, and the journal. Without secrets, and readable by its owner alone.
 *
 * @throws FailedError when it cannot be written
 */
export async function writeBundle(path: string, session: Session, observed: Observed, checks: unknown): Promise<void> {
  const { lab } = session;
  const bundle = {
    bundle: 1,
    at: new Date().toISOString(),
    lab: { name: lab.name, uid: lab.uid, dir: lab.dir, clusters: session.names },
    versions: {
      lab: VERSION,
      node: process.version,
      system: `${process.platform} ${process.arch}`,
      ...(await readVersions(session.runner)),
    },
    checks,
    ...planOrProblems(session, observed),
    observed,
    journal: readLines(session.state.journal),
  };
  await writeFileAtomically(path, `${JSON.stringify(redactData(bundle), undefined, 2)}\n`, { mode: 0o600 });
}

async function readVersions(runner: Runner): Promise<Record<string, string>> {
  const said = Object.entries(VERSIONS).map(async ([name, argv]) => {
    const { failure, stdout, stderr } = await runner.run({ argv, timeout: 20 });
    return [name, failure === 'missing' ? 'not found' : (stdout.trim() || stderr).trim()] as const;
  });
  return Object.fromEntries(await Promise.all(said));
}

function planOrProblems({ lab, names: chosen }: Session, observed: Observed) {
  const names = lab.clusters
    .filter(({ name, provider }) => chosen.includes(name) && PROVIDERS[provider].make)
    .map(({ name }) => name);
  try {
    const desired = resolve(lab, observed);
    const status = statusRows(desired, observed, chosen);
    const changes = diffForCreate(desired, observed, { names, recreate: [] });
    return { plan: planCreate(desired, observed, changes, names), status };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { problems: error.problems };
  }
}

/** The end of the journal as it is on the disk, with what a crash cut off. */
function readLines(path: string): unknown[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n').slice(-KEPT_LINES);
  return lines.map((line) => {
    try {
      return JSON.parse(line);
    } catch {
      return line;
    }
  });
}
