/** A kubeconfig as a document, so that comments and fields that we do not know survive an edit. */
import { isDeepStrictEqual } from 'node:util';
import {
  type Document,
  isMap,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  Scalar,
  type ScalarTag,
  type Tags,
  visit,
  YAMLMap,
  YAMLSeq,
} from 'yaml';
import { InputError, type Problem } from '../errors.ts';
import { BODIES, findMisshapen, isEmpty, type Section } from './kubeconfig-shape.ts';

/** A new file chooses no context for the user. */
const NEW = { apiVersion: 'v1', kind: 'Config', clusters: [], contexts: [], 'current-context': '', users: [] };

export interface Kubeconfig {
  readonly file: string;
  readonly document: Document;
  /** Where a node is, as `file:line:col`. */
  locate(node: unknown): string;
  /** The text as it is now, with lists in the file's own style. */
  render(): string;
}

/** One entry of a section: `node` holds its name and its body. */
interface Entry {
  readonly name: string;
  readonly node: YAMLMap;
  readonly body: YAMLMap;
}

/**
 * Reads a kubeconfig; an empty one is fine.
 *
 * @throws InputError with every place that is not a kubeconfig.
 */
export function parseKubeconfig(file: string, text: string): Kubeconfig {
  const lineCounter = new LineCounter();
  const document: Document = parseDocument(text, { lineCounter, prettyErrors: false, customTags: keepSource });
  const at = (offset: number) => {
    const { line, col } = lineCounter.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  const locate = (node: unknown) => at((node as Node | undefined)?.range?.[0] ?? 0);
  const problems: Problem[] = document.errors.map(({ message, pos }) => ({ at: at(pos[0]), message }));
  if (problems.length === 0) problems.push(...findMisshapen(document, locate));
  if (problems.length > 0) throw new InputError(problems);
  const indentSeq = /^ +- /m.test(text) && !/^- /m.test(text);
  return { file, document, locate, render: () => document.toString({ lineWidth: 0, indentSeq }) };
}

/** The entries of a section, in order. */
export function listEntries({ document }: Kubeconfig, section: Section): Entry[] {
  const list = document.get(section);
  if (!isSeq<YAMLMap>(list)) return [];
  return list.items.map((node) => {
    const body = node.get(BODIES[section]);
    return { name: String(node.get('name')), node, body: isMap(body) ? body : new YAMLMap() };
  });
}

export function findEntry(config: Kubeconfig, section: Section, name: unknown): Entry | undefined {
  return listEntries(config, section).find((entry) => entry.name === name);
}

/** Sets fields of an entry's body, and makes the entry when there is none. Fields that are equal keep their form. */
export function setEntry(config: Kubeconfig, section: Section, name: string, fields: object): YAMLMap {
  const { document } = config;
  if (isEmpty(document.contents)) document.contents = createNode(document, NEW);
  const node = findEntry(config, section, name)?.node ?? addEntry(document, section, name);
  const found = node.get(BODIES[section]);
  const body = isMap(found) ? found : new YAMLMap();
  if (body !== found) node.set(BODIES[section], body);
  setFields(document, body, fields);
  return body;
}

/** Sets those fields that differ. */
export function setFields(document: Document, map: YAMLMap, fields: object): void {
  for (const [key, value] of Object.entries(fields)) {
    if (!isDeepStrictEqual(toPlain(document, map.get(key, true)), value)) map.set(key, createNode(document, value));
  }
}

export function removeEntry({ document }: Kubeconfig, section: Section, node: YAMLMap): void {
  const list = document.get(section) as YAMLSeq;
  list.items.splice(list.items.indexOf(node), 1);
}

/** What a node holds, as plain data. */
export function toPlain(document: Document, node: unknown): unknown {
  return (node as Node | undefined)?.toJS(document);
}

/** A new node whose strings are strings to kubectl too, which reads YAML 1.1: there `no` and `1_0` are none. */
export function createNode(document: Document, value: unknown): Node {
  const node = document.createNode(value);
  visit(node, {
    Scalar(_, scalar) {
      const { value } = scalar;
      if (typeof value === 'string' && /^(y|n|yes|no|on|off)$|^[-+.\d]/i.test(value)) scalar.type = Scalar.QUOTE_DOUBLE;
    },
  });
  return node;
}

/** A number stays as it is written: a token may be 0123, and that is not 123. */
function keepSource(tags: Tags): Tags {
  return tags.map((tag) => {
    if (typeof tag === 'string' || tag.tag === 'tag:yaml.org,2002:str' || !tag.stringify) return tag;
    const { stringify } = tag;
    return { ...tag, stringify: (item, ...more) => (item as Scalar).source ?? stringify(item, ...more) } as ScalarTag;
  });
}

function addEntry(document: Document, section: Section, name: string): YAMLMap {
  const found = document.get(section);
  const list = isSeq(found) ? found : new YAMLSeq();
  if (list !== found) document.set(section, list);
  // An empty list is written as [], and all that is added would stand in that one line.
  if (list.items.length === 0) list.flow = false;
  const node = createNode(document, { [BODIES[section]]: null, name }) as YAMLMap;
  list.add(node);
  return node;
}
