import { type App, type AppMark, type AppsState, type Export, UNFINISHED } from '../lab/apps.ts';
import type { Cluster } from '../lab/lab.ts';

/** What the apps of one cluster lack. */
export type AppChange =
  | {
      readonly action: 'apply';
      readonly app: App;
      readonly why: string;
      /** Types of objects of which an earlier form may have left some. */
      readonly stale: readonly string[];
      /** Namespaces in which it ran before. */
      readonly left: readonly string[];
      /** The namespace has the mark of some form of it. */
      readonly marked: boolean;
      /** Its pods were made with another word about the proxy. */
      readonly restarts: boolean;
    }
  /** All of it is applied, and only has to come up. */
  | { readonly action: 'wait'; readonly app: App; readonly why: string }
  | { readonly action: 'export'; readonly app: App; readonly export: Export; readonly why: string }
  | {
      readonly action: 'withdraw';
      readonly name: string;
      readonly service: { readonly namespace: string; readonly name: string };
      readonly why: string;
    }
  | {
      readonly action: 'remove';
      readonly name: string;
      readonly types: readonly string[];
      readonly namespaces: readonly string[];
      readonly why: string;
    };

const NOTHING: AppsState = { marks: [], workloads: [], services: [], types: {} };

/**
 * In the order of the spec. What nobody asks for any more comes last: an app that only got another name has taken its
 * objects over by then.
 */
export function diffApps({ apps }: Cluster, state: AppsState = NOTHING): AppChange[] {
  return [...apps.flatMap((app) => changesOf(app, state)), ...removals(apps, state)];
}

function removals(apps: readonly App[], { marks, workloads, services, types }: AppsState): AppChange[] {
  const seen = new Set([...marks, ...workloads, ...services].map(({ app }) => app));
  return [...seen]
    .filter((name) => !apps.some((app) => app.name === name))
    .sort()
    .map((name) => ({
      action: 'remove',
      name,
      types: types[name] ?? [],
      namespaces: marks.filter(({ app }) => app === name).map(({ namespace }) => namespace),
      why: 'no spec asks for it any more',
    }));
}

function changesOf(app: App, { marks, workloads, services, types }: AppsState): AppChange[] {
  const own = marks.filter((mark) => mark.app === app.name);
  const mark = own.find(({ namespace }) => namespace === app.namespace);
  const left = own.filter(({ namespace }) => namespace !== app.namespace).map(({ namespace }) => namespace);
  const waiting = workloads.filter((one) => one.app === app.name && !one.ready).map(({ name }) => name);
  const missing = mark?.hash === app.hash ? mark.missing : [];
  const applied = mark?.hash === app.hash && missing.length === 0;
  const restarts = mark !== undefined && (mark.inject !== app.inject || mark.hash === UNFINISHED.restarting);
  const why = missing.length > 0 ? `not there: ${missing.join(', ')}` : explain(mark);
  const stale = types[app.name] ?? [];
  const exported = services.filter((one) => one.app === app.name && one.namespace === app.namespace);
  return [
    ...exported
      .filter((one) => one.exported !== undefined && !app.exports.some(({ service }) => service === one.name))
      .map(
        (one): AppChange => ({
          action: 'withdraw',
          name: app.name,
          service: one,
          why: `nobody asks for the export of ${one.name}`,
        }),
      ),
    ...(applied ? [] : [{ action: 'apply', app, why, stale, left, marked: mark !== undefined, restarts } as const]),
    // A run that was killed between its last two steps.
    ...(applied && left.length > 0
      ? [{ action: 'remove', name: app.name, types: [], namespaces: left, why: `it left ${left.join(', ')}` } as const]
      : []),
    ...(applied && waiting.length > 0
      ? [{ action: 'wait', app, why: `not ready: ${waiting.join(', ')}` } as const]
      : []),
    ...app.exports
      .filter(({ service, mode }) => exported.find(({ name }) => name === service)?.exported !== mode)
      .map((one): AppChange => ({ action: 'export', app, export: one, why: `${one.service} is not exported` })),
  ];
}

function explain(mark: AppMark | undefined): string {
  if (!mark) return 'it is not there';
  const unfinished: readonly string[] = Object.values(UNFINISHED);
  return unfinished.includes(mark.hash) ? 'its last change was never finished' : 'it is another now';
}
