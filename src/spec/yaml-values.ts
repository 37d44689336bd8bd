import {
  type Alias,
  type Document,
  isAlias,
  isCollection,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Scalar,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import type { Problem } from '../errors.ts';
import { shorten, show } from './show.ts';
import { formatPosition, type Place, type Source, type Sourced } from './source.ts';

const MAX_ALIASED_NODES = 1000;
/** The library knows sets and ordered maps too, which are neither. */
const PLAIN_TAGS = ['tag:yaml.org,2002:map', 'tag:yaml.org,2002:seq'];

interface Walk {
  readonly source: Source;
  readonly places: Map<string, Place>;
  readonly problems: Problem[];
  readonly anchors: Map<string, Node>;
  /** What each alias named when it was met first: a later anchor of the same name does not change it. */
  readonly targets: Map<Alias, Node>;
  /** The nodes that are being read because an alias names them. */
  readonly open: Set<Node>;
  aliasedNodes: number;
  usable: boolean;
}

/** What is wrong with a document, and its values if every one of them could be told. */
export interface ReadDocument {
  readonly sourced?: Sourced;
  readonly problems: readonly Problem[];
}

/** Turns the nodes of a document into plain values with places. */
export function readDocument(document: Document.Parsed, source: Source): ReadDocument {
  const start = document.contents?.range[0] ?? document.range[0];
  const walk: Walk = {
    source,
    places: new Map([['', { source, key: start, value: start }]]),
    problems: [],
    anchors: new Map(),
    targets: new Map(),
    open: new Set(),
    aliasedNodes: 0,
    usable: true,
  };
  const value = document.contents ? readNode(walk, document.contents, '') : null;
  return { problems: walk.problems, ...(walk.usable && { sourced: { value, places: walk.places } }) };
}

function readNode(walk: Walk, node: unknown, path: string): unknown {
  if (isAlias(node)) return readAlias(walk, node, path);
  if (walk.open.size > 0 && ++walk.aliasedNodes > MAX_ALIASED_NODES) {
    return giveUp(walk, node as Node, `aliases are expanded to at most ${MAX_ALIASED_NODES} values`);
  }
  const isValue = isScalar(node) || isCollection(node);
  if (isValue && node.anchor && walk.open.size === 0) walk.anchors.set(node.anchor, node);
  if (isCollection(node) && node.tag && !PLAIN_TAGS.includes(node.tag)) {
    return giveUp(walk, node, `tag ${shorten(node.tag)} is not supported`);
  }
  if (isMap(node)) return readMap(walk, node, path);
  if (isSeq(node)) return readSequence(walk, node, path);
  return isScalar(node) ? readScalar(walk, node) : null;
}

function readSequence(walk: Walk, node: YAMLSeq, path: string): unknown[] {
  return node.items.map((item, index) => {
    const child = childPath(path, String(index));
    const start = startOf(item) ?? startOf(node) ?? 0;
    walk.places.set(child, { source: walk.source, key: start, value: start });
    return readNode(walk, item, child);
  });
}

function readMap(walk: Walk, node: YAMLMap, path: string): Record<string, unknown> {
  const value: Record<string, unknown> = {};
  for (const pair of node.items) {
    const key = readKey(walk, pair.key, node);
    if (key === undefined) continue;
    const child = childPath(path, key);
    const start = startOf(pair.key) ?? 0;
    if (Object.hasOwn(value, key)) {
      const first = walk.places.get(child)?.key ?? 0;
      const { line } = walk.source.lines.linePos(first);
      report(walk, start, `key ${show(key)} is given twice (first on line ${line})`);
      continue;
    }
    walk.places.set(child, { source: walk.source, key: start, value: startOf(pair.value) ?? start });
    value[key] = pair.value === null ? null : readNode(walk, pair.value, child);
  }
  return value;
}

/** A key that is text; anything else is reported and left out. */
function readKey(walk: Walk, key: unknown, map: YAMLMap): string | undefined {
  const start = startOf(key) ?? startOf(map) ?? 0;
  if (!isScalar(key)) return report(walk, start, 'a key must be plain text');
  if (key.source === '<<' && key.type === 'PLAIN') {
    const hint = 'write the keys out, or use `defaults` in lab.yaml';
    return report(walk, start, 'merge keys (<<) are not supported', hint);
  }
  if (key.value === '__proto__') return report(walk, start, 'key "__proto__" is not allowed');
  if (typeof key.value === 'string') return key.value;
  return report(walk, start, `key ${shorten(key.source || 'null')} is not text`, 'put it in quotes');
}

function readScalar(walk: Walk, node: Scalar): unknown {
  const { value } = node;
  // Minus zero does not survive a round trip through JSON.
  if (typeof value === 'number' && Number.isFinite(value)) return value === 0 ? 0 : value;
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value;
  return giveUp(walk, node, 'not a text, a number, or true or false');
}

function readAlias(walk: Walk, alias: Alias, path: string): unknown {
  const name = `alias *${shorten(alias.source)}`;
  const target = walk.targets.get(alias) ?? walk.anchors.get(alias.source);
  if (!target) return giveUp(walk, alias, `${name} has no anchor before it`);
  if (walk.open.has(target) || holds(target, alias)) return giveUp(walk, alias, `${name} holds itself`);
  walk.targets.set(alias, target);
  walk.open.add(target);
  const value = readNode(walk, target, path);
  walk.open.delete(target);
  return value;
}

const holds = (node: Node, inner: Node): boolean =>
  !!node.range && !!inner.range && node.range[0] <= inner.range[0] && inner.range[1] <= node.range[1];

function report(walk: Walk, offset: number, message: string, hint?: string): undefined {
  walk.problems.push({ at: formatPosition(walk.source, offset), message, ...(hint && { hint }) });
}

/** Reports once a document why its values cannot be used. */
function giveUp(walk: Walk, node: Node, message: string): null {
  if (walk.usable) report(walk, startOf(node) ?? 0, message);
  walk.usable = false;
  return null;
}

const startOf = (node: unknown): number | undefined => (node as Node | null)?.range?.[0];

const childPath = (path: string, key: string): string => (path === '' ? key : `${path}.${key}`);
