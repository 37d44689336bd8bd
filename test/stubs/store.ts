/** What the stubs remember: one JSON file an object, so that programs that run at the same time seldom need a lock. */
import { mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface StubObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: unknown;
}

export interface Stored {
  readonly engine: {
    readonly id: string;
    readonly kernel: string;
    /** What `docker` says instead of working. */
    readonly error?: string;
    /** The version of k3d on this machine, when it is not the usual one. */
    readonly k3d?: string;
  };
  readonly networks: {
    readonly id: string;
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly subnets: readonly { readonly Subnet: string; readonly Gateway?: string; readonly IPRange?: string }[];
  };
  readonly containers: {
    readonly id: string;
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly running: boolean;
    readonly network: string;
    readonly addresses: readonly string[];
    readonly mounts: readonly string[];
    readonly ports: readonly number[];
    readonly args?: readonly string[];
    /** Pod ranges of its cluster, with a comma between them. */
    readonly pods?: string;
  };
  readonly images: { readonly id: string; readonly name: string };
  /** Files of containers, by `CONTAINER:PATH`. */
  readonly files: string;
  /** Annotations and labels of Kubernetes nodes, by node. */
  readonly annotations: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** Routes and rules of a node, as their listings print them. */
  readonly routing: {
    readonly routes: readonly string[];
    readonly iptables: readonly string[];
    readonly ip6tables: readonly string[];
  };
  /** Addresses that the certificate of a node's API server holds. */
  readonly certificates: readonly string[];
  /** What was applied, by `CLUSTER:KIND`. */
  readonly applied: unknown;
  /** Objects of apps, and namespaces, by `CLUSTER:KIND/NAMESPACE/NAME`. */
  readonly objects: StubObject;
  /** What a request from a pod gets, by its URL: a status, and a body on the lines behind it. */
  readonly answers: string;
  /** Where the API server is, whose certificate is its own CA (base64). */
  readonly api: { readonly server: string; readonly ca: string };
}

type Table = keyof Stored;

/** Waits for a lock; one that is two seconds old is left from a program that was killed. */
function lock(path: string): () => void {
  for (;;) {
    try {
      mkdirSync(path);
      return () => rmSync(path, { recursive: true, force: true });
    } catch {
      const made = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
      if (Date.now() - made > 2000) rmSync(path, { recursive: true, force: true });
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

/** Opens the store in a folder. */
export function openStore(folder: string) {
  const pathOf = (table: Table, key: string) => join(folder, table, `${encodeURIComponent(key)}.json`);
  const read = <T extends Table>(table: T, key: string): Stored[T] | undefined => {
    try {
      return JSON.parse(readFileSync(pathOf(table, key), 'utf8'));
    } catch {
      return undefined;
    }
  };
  const keys = (table: Table): string[] => {
    mkdirSync(join(folder, table), { recursive: true });
    const files = readdirSync(join(folder, table)).filter((name) => name.endsWith('.json'));
    return files.map((name) => decodeURIComponent(name.slice(0, -'.json'.length))).sort();
  };
  const write = <T extends Table>(table: T, key: string, value: Stored[T]): void => {
    mkdirSync(join(folder, table), { recursive: true });
    const path = pathOf(table, key);
    writeFileSync(`${path}.${process.pid}`, JSON.stringify(value));
    renameSync(`${path}.${process.pid}`, path);
  };
  return {
    read,
    keys,
    write,
    /** Reads and writes while nobody else does. */
    update<T extends Table>(table: T, key: string, change: (before: Stored[T] | undefined) => Stored[T]): void {
      mkdirSync(join(folder, table), { recursive: true });
      const unlock = lock(`${pathOf(table, key)}.lock`);
      write(table, key, change(read(table, key)));
      unlock();
    },
    list: <T extends Table>(table: T): Stored[T][] =>
      keys(table).flatMap((key) => {
        const value = read(table, key);
        return value === undefined ? [] : [value];
      }),
    remove: (table: Table, key: string): void => rmSync(pathOf(table, key), { force: true }),
    /** A number that nobody else gets. */
    takeNumber(): number {
      mkdirSync(join(folder, 'numbers'), { recursive: true });
      for (let number = 2; ; number++) {
        try {
          openSync(join(folder, 'numbers', String(number)), 'wx');
          return number;
        } catch {
          // Somebody has it.
        }
      }
    },
  };
}

export type Store = ReturnType<typeof openStore>;
