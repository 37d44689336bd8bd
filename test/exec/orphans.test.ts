import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readJournal } from '../../src/exec/journal.ts';
import { endOrphan, findOrphans } from '../../src/exec/orphans.ts';
import { identify, identifySelf, runsHere } from '../../src/exec/process-identity.ts';
import { bundle, exited, firstWords, makeTemporaryDirectory, start } from './real-process.ts';

/** A run that notes and starts a long step, and a grandchild behind it. */
const RUN = `import { openJournal } from '../../src/exec/journal.ts';
  import { identify, identifySelf } from '../../src/exec/process-identity.ts';
  import { createRunner } from '../../src/exec/run-command.ts';
  (async () => {
    const journal = await openJournal(process.argv[2]);
    journal.begin({ run: '1', verb: 'create', identity: identifySelf(), plan: '' });
    const onStart = (pid) => {
      journal.started({ run: '1', step: 'a', input: 'x', pid, identity: identify(pid) });
      console.log(pid);
    };
    await createRunner().run({ argv: ['sh', '-c', 'sh -c "while :; do sleep 0.2; done" & wait'], onStart });
  })();`;

async function killRun() {
  const dir = makeTemporaryDirectory();
  const journal = join(dir, 'journal.jsonl');
  const run = start(bundle(dir, RUN), journal);
  const pid = Number(await firstWords(run));
  onTestFinished(() => void (identify(pid) && process.kill(-pid, 'SIGKILL')));
  const before = findOrphans(readJournal(journal));
  run.kill('SIGKILL');
  await exited(run);
  return { pid, before, orphans: findOrphans(readJournal(journal)) };
}

describe('orphans', () => {
  it('are the children of a run that was killed, and can be ended', async () => {
    const { pid, before, orphans } = await killRun();
    expect(before).toEqual([]);
    expect(orphans).toEqual([{ step: 'a', identity: identify(pid) }]);
    const [orphan] = orphans;
    if (orphan === undefined) return;
    await endOrphan(orphan.identity);
    expect(runsHere(orphan.identity)).toBe(false);
    await endOrphan(orphan.identity);
  });

  it('are not processes that came later under the same number', async () => {
    const child = {
      run: '1',
      step: 'a',
      input: 'x',
      pid: process.pid,
      identity: { ...identifySelf(), startedAt: '1' },
      at: '',
    };
    const run = { run: '1', verb: 'create', plan: '', at: '', identity: { ...identifySelf(), startedAt: '1' } };
    expect(findOrphans({ unfinished: [{ ...run, started: [child] }] })).toEqual([]);
    // It would end this very process.
    await endOrphan(child.identity);
  });
});
