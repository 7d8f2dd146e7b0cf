/**
 * Values of a Store, as Python calls them.
 *
 * What is `written` can be read by `literal.ts`. Nothing here is fit to be shown before it went through
 * `text.ts`.
 */

import superjson from 'superjson';
import type { SuperJSONResult } from 'superjson';

import { DEEPEST } from './literal';
import { messageOf } from './text';

export type Decoded = { value: unknown } | { text: string; problem: string };

/** What a list, a dict or the like holds. */
export interface Part {
  label: string;
  value: unknown;
}

/** Entries of a dict that are not the same before and after. */
export interface PartChange {
  label: string;
  before: Part | null;
  after: Part | null;
}

const ERRORS = new Set(
  (
    'ArithmeticError AssertionError AttributeError ConnectionError ConnectionRefusedError ConnectionResetError ' +
    'EOFError Exception FileNotFoundError ImportError IndexError KeyError LookupError MemoryError ' +
    'ModuleNotFoundError NameError NotImplementedError OSError OverflowError PermissionError RecursionError ' +
    'RuntimeError SyntaxError TimeoutError TypeError ValueError ZeroDivisionError'
  ).split(' ')
);
// What a value shares within itself is written out, and a short text can share very much.
const MOST_SHARED = 50_000;
const MOST_WRITTEN = 50_000;

/** Read superjson text that need not be trusted. */
export function decode(text: string): Decoded {
  try {
    const payload = JSON.parse(text) as SuperJSONResult | null;
    if (typeof payload !== 'object' || payload === null || !has(payload, 'json')) {
      return { text, problem: 'it is not superjson text' };
    }
    const shares = payload.meta?.referentialEqualities !== undefined;
    if (shares && text.length > MOST_SHARED) {
      return { text, problem: 'much of it is shared within itself' };
    }
    const value = superjson.deserialize<unknown>(payload, { inPlace: true });
    return shares && isEndless(value)
      ? { text, problem: 'it contains itself, or shares too much' }
      : { value };
  } catch (error) {
    return { text, problem: messageOf(error) };
  }
}

/** Whether a value that shares things within itself is too large to be written out. */
function isEndless(value: unknown): boolean {
  const open: unknown[] = [value];
  for (let visited = 0; open.length > 0; visited += 1) {
    if (visited > MOST_WRITTEN) {
      return true;
    }
    const next = open.pop();
    if (next instanceof Map) {
      open.push(...next.keys());
    }
    parts(next, MOST_WRITTEN).forEach(part => open.push(part.value));
    if (next instanceof Error) {
      open.push(causeOf(next));
    }
  }
  return false;
}

/** Write a value as superjson 2 does, without what it says about shared objects: Python reads a copy. */
export function encode(value: unknown): string {
  const { json, meta } = superjson.serialize(value);
  return JSON.stringify(meta?.values ? { json, meta: { values: meta.values, v: 1 } } : { json });
}

/** The bytes of a text in UTF-8. */
export function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** The name that `type(value).__name__` has once Python has read it. */
export function typeName(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return 'str';
    case 'boolean':
      return 'bool';
    case 'bigint':
      return 'int';
    case 'number':
      return isWhole(value) ? 'int' : 'float';
    case 'undefined':
      return 'Undefined';
    default:
      return objectName(value);
  }
}

/** How many parts a value has; null for one that has none, such as a text. */
export function size(value: unknown): number | null {
  if (Array.isArray(value)) {
    return value.length;
  }
  if (value instanceof Set || value instanceof Map) {
    return value.size;
  }
  return isDict(value) ? Object.keys(value).length : null;
}

/** Some of the parts of a value. */
export function parts(value: unknown, limit = Infinity): Part[] {
  if (Array.isArray(value)) {
    return value.slice(0, limit).map((item: unknown, index) => ({ label: String(index), value: item }));
  }
  if (value instanceof Map) {
    return first(value, limit).map(([key, item]) => ({ label: short(key, 60), value: item }));
  }
  if (value instanceof Set) {
    return first(value, limit).map(item => ({ label: '', value: item }));
  }
  if (isDict(value)) {
    return first(Object.keys(value), limit).map(key => ({ label: key, value: value[key] }));
  }
  return [];
}

/** A value on one line, of about `limit` characters. */
export function short(value: unknown, limit = 120): string {
  const line = new Line(limit);
  line.add(value, 0);
  return line.text;
}

/** All of a value on as many lines as it takes, for `literal.ts` to read again. */
export function written(value: unknown, indent = ''): string {
  const [open, close] = BRACKETS[containerName(value)] ?? ['', ''];
  if (!open) {
    return leaf(value);
  }
  if (indent.length > 2 * DEEPEST) {
    throw new Error(`it lies more than ${DEEPEST} levels deep`);
  }
  const inner = `${indent}  `;
  const items =
    value instanceof Map
      ? [...value].map(([key, item]) => `[${written(key, inner)}, ${written(item, inner)}]`)
      : parts(value).map(
          part => (isDict(value) ? `${quoted(part.label)}: ` : '') + written(part.value, inner)
        );
  const line = items.join(', ');
  if (line.length + indent.length <= 72 && !line.includes('\n')) {
    return open + line + close;
  }
  return `${open}\n${items.map(item => inner + item).join(',\n')}\n${indent}${close}`;
}

/** A text in quotes, on one line, with what cannot be seen written by its number. */
export function quoted(text: string): string {
  return JSON.stringify(text).replace(UNSEEN, found =>
    [...Array(found.length).keys()]
      .map(at => `\\u${found.charCodeAt(at).toString(16).padStart(4, '0')}`)
      .join('')
  );
}

/** Whether a text would not survive being shown and changed in a field of a form. */
export function needsEscapes(text: string): boolean {
  return /[\x00-\x08\x0b-\x1f]/.test(text) || text.search(UNSEEN) >= 0 || text.search(HALVES) >= 0;
}

/** A moment as people read it, in UTC. */
export function moment(date: Date): string {
  if (Number.isNaN(date.getTime())) {
    return 'not a date';
  }
  return date
    .toISOString()
    .replace('T', ' ')
    .replace(/(:00)?\.000Z$/, '')
    .replace(/Z$/, '');
}

/** What a search looks through: keys and leaves as they are shown, up to a number of them. */
export function searched(value: unknown, limit = 20_000): string {
  const found: string[] = [];
  const open: unknown[] = [value];
  while (open.length > 0 && found.length < limit) {
    const next = open.pop();
    if (size(next) === null) {
      found.push(typeof next === 'string' ? next : leaf(next), next instanceof Date ? moment(next) : '');
      continue;
    }
    for (const part of parts(next, limit).reverse()) {
      open.push(part.value);
      found.push(isDict(next) || next instanceof Map ? part.label : '');
    }
  }
  return found.join('\n').toLowerCase();
}

/** Which entries of two dicts are not the same; null unless both are dicts. */
export function differences(before: unknown, after: unknown, limit = 100): PartChange[] | null {
  if (!isDict(before) || !isDict(after)) {
    return null;
  }
  const found: PartChange[] = [];
  for (const label of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const one = has(before, label) ? { label, value: before[label] } : null;
    const other = has(after, label) ? { label, value: after[label] } : null;
    if (!one || !other || !isSame(one.value, other.value)) {
      found.push({ label, before: one, after: other });
    }
    if (found.length === limit) {
      break;
    }
  }
  return found;
}

/** Whether a value is a dict with text for keys. */
export function isDict(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) {
    return false;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** A value without parts, as it is written. */
export function leaf(value: unknown): string {
  if (typeof value === 'string') {
    return quoted(value);
  }
  if (value instanceof Date) {
    const text = Number.isNaN(value.getTime()) ? '' : value.toISOString().replace('.000Z', 'Z');
    return `datetime(${quoted(text)})`;
  }
  if (value instanceof RegExp) {
    return `Pattern(${quoted(String(value))})`;
  }
  if (value instanceof URL) {
    return `Url(${quoted(value.href)})`;
  }
  if (value instanceof Error) {
    const given = causeOf(value);
    const cause = given === undefined || given === null ? '' : `, ${written(given)}`;
    return `Error(${quoted(String(value.name))}, ${quoted(String(value.message))}${cause})`;
  }
  return typeof value === 'number' ? number(value) : typeof value === 'bigint' ? bigint(value) : word(value);
}

const HALVES = /[\ud800-\udfff]/u;
// What `line` and `block` would number or drop; JSON.stringify has taken care of what is below a space.
const UNSEEN =
  /[\x7f-\x9f\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufffe\uffff]|\udb40[\udc00-\udc7f]/g;

const BRACKETS: Record<string, readonly [string, string]> = {
  list: ['[', ']'],
  dict: ['{', '}'],
  set: ['set([', '])'],
  Map: ['Map([', '])']
};

function containerName(value: unknown): string {
  return value instanceof Map ? 'Map' : size(value) === null ? '' : typeName(value);
}

function objectName(value: unknown): string {
  if (value === null) {
    return 'None';
  }
  if (Array.isArray(value)) {
    return 'list';
  }
  if (value instanceof Map) {
    return [...value.keys()].every(key => typeof key === 'string') ? 'Map' : 'dict';
  }
  if (value instanceof Error) {
    return ERRORS.has(value.name) ? value.name : 'Error';
  }
  const names: [new (...args: never[]) => unknown, string][] = [
    [Set, 'set'],
    [Date, 'datetime'],
    [RegExp, 'Pattern'],
    [URL, 'Url']
  ];
  return names.find(([type]) => value instanceof type)?.[1] ?? (isDict(value) ? 'dict' : 'object');
}

/** Why an error happened, as far as it says. */
function causeOf(error: Error): unknown {
  return (error as { cause?: unknown }).cause;
}

function has(value: object, key: string): boolean {
  return Object.prototype.hasOwnProperty.call(value, key);
}

function isWhole(value: number): boolean {
  return Number.isSafeInteger(value) && !Object.is(value, -0);
}

function number(value: number): string {
  if (Number.isNaN(value)) {
    return 'nan';
  }
  if (!Number.isFinite(value)) {
    return value > 0 ? 'inf' : '-inf';
  }
  const text = Object.is(value, -0) ? '-0.0' : String(value);
  // Without a point it would be read as a whole number of any size.
  return isWhole(value) || /[.e]/.test(text) ? text : `${text}.0`;
}

function bigint(value: bigint): string {
  const digits = String(value);
  return Number.isSafeInteger(Number(value)) ? `int("${digits}")` : digits;
}

function word(value: unknown): string {
  return value === undefined
    ? 'UNDEFINED'
    : value === null
      ? 'None'
      : value === true
        ? 'True'
        : value === false
          ? 'False'
          : '?';
}

function isSame(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) {
    return true;
  }
  try {
    return typeName(one) === typeName(other) && encode(one) === encode(other);
  } catch {
    return false;
  }
}

function first<T>(items: Iterable<T>, limit: number): T[] {
  const found: T[] = [];
  for (const item of items) {
    if (found.length >= limit) {
      break;
    }
    found.push(item);
  }
  return found;
}

/** One line that stops growing at a length. */
class Line {
  text = '';

  constructor(private readonly limit: number) {}

  add(value: unknown, depth: number): void {
    const count = size(value);
    if (count === null) {
      this.write(this.leaf(value));
      return;
    }
    const name = containerName(value);
    const [open, close] = value instanceof Set && count > 0 ? ['{', '}'] : (BRACKETS[name] ?? ['', '']);
    if (depth > 3 || this.text.length >= this.limit) {
      this.write(`${open}…${close}`);
      return;
    }
    this.write(value instanceof Map ? 'Map({' : open);
    let shown = 0;
    for (const part of parts(value, 50)) {
      if (this.text.length >= this.limit) {
        break;
      }
      this.write(shown > 0 ? ', ' : '');
      this.write(
        isDict(value) ? `${plainOrQuoted(part.label)}: ` : value instanceof Map ? `${part.label}: ` : ''
      );
      this.add(part.value, depth + 1);
      shown += 1;
    }
    this.write(shown < count ? (shown > 0 ? ', …' : '…') : '');
    this.write(value instanceof Map ? '})' : close);
  }

  private leaf(value: unknown): string {
    if (typeof value === 'string') {
      const left = Math.max(20, this.limit - this.text.length);
      return value.length > left ? `${quoted(value.slice(0, left)).slice(0, -1)}…"` : quoted(value);
    }
    if (value instanceof Date) {
      return moment(value);
    }
    if (value instanceof URL) {
      return value.href.slice(0, this.limit);
    }
    if (value instanceof RegExp) {
      return String(value).slice(0, this.limit);
    }
    if (value instanceof Error) {
      return `${String(value.name)}: ${String(value.message)}`.slice(0, this.limit);
    }
    if (typeof value === 'bigint') {
      return String(value).slice(0, this.limit);
    }
    return leaf(value);
  }

  private write(text: string): void {
    this.text += text;
  }
}

function plainOrQuoted(label: string): string {
  return /^[A-Za-z_][A-Za-z0-9_]{0,60}$/.test(label) ? label : quoted(label.slice(0, 80));
}
