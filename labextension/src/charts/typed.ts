/** What was typed becomes superjson text, by the rules that a twist's writes pass. */

import { isLock, isOfNoTool, LOCKS } from './history';
import {
  DEEPEST,
  LiteralError,
  makeError,
  readLiteral,
  readMoment,
  readNumber,
  readPattern,
  readUrl,
  readWhole,
  REFUSED
} from './literal';
import { messageOf } from './text';
import { bytesOf, decode, encode, isDict, leaf, needsEscapes, quoted, size, written } from './value';
import type { Decoded } from './value';

/** Bytes of a key, and of an encoded value (SPEC 5). */
const KEY_LIMIT = 1024;
const VALUE_LIMIT = 2 ** 20;

/** What a bool is chosen from. */
export const FLAGS = ['True', 'False'];

/** One of the types to choose from, by what Python calls it. */
export interface EditorType {
  name: string;
  label: string;
  /** How it is typed in; null: there is nothing to type. */
  field: 'line' | 'lines' | 'flag' | null;
  example: string;
  read(text: string): unknown;
  /** What stands in the field for a value of this type; null for one of another. */
  write(value: unknown): string | null;
}

/** The types, in the order in which they are asked whether a value is theirs. */
export const TYPES: readonly EditorType[] = [
  {
    name: 'text',
    label: 'str: text',
    field: 'lines',
    example: '',
    read: text => text,
    write: value => (typeof value === 'string' && !needsEscapes(value) ? value : null)
  },
  {
    name: 'number',
    label: 'int or float: number',
    field: 'line',
    example: '12, -0.5, 6e23, nan, inf',
    read: readNumber,
    write: value =>
      typeof value === 'number' || (typeof value === 'bigint' && !isSafe(value)) ? leaf(value) : null
  },
  {
    name: 'flag',
    label: 'bool: true or false',
    field: 'flag',
    example: '',
    read: text => text === FLAGS[0],
    write: value => (typeof value === 'boolean' ? leaf(value) : null)
  },
  {
    name: 'none',
    label: 'None',
    field: null,
    example: '',
    read: () => null,
    write: value => (value === null ? '' : null)
  },
  {
    name: 'items',
    label: 'list or dict',
    field: 'lines',
    example:
      '{"page": 12, "seen": ["a", "b"], "since": datetime("2026-01-31T09:30:00Z")}: JSON, or as Python has it',
    read: text =>
      expect(readLiteral(text), value => Array.isArray(value) || isDict(value), 'a list or a dict'),
    write: value => (Array.isArray(value) || isDict(value) ? written(value) : null)
  },
  {
    name: 'datetime',
    label: 'datetime',
    field: 'line',
    example: '2026-01-31 09:30:00Z, or with +02:00 at its end; kept in UTC and milliseconds',
    read: readMoment,
    write: value => (value instanceof Date && !Number.isNaN(value.getTime()) ? value.toISOString() : null)
  },
  {
    name: 'set',
    label: 'set',
    field: 'lines',
    example: '{1, 2, "three"}, or set([1, 2])',
    read: text => expect(asSet(readLiteral(text)), value => value instanceof Set, 'a set'),
    write: value => (value instanceof Set ? written(value) : null)
  },
  {
    name: 'map',
    label: 'Map: dict with keys of any type',
    field: 'lines',
    example: 'Map([[1, "one"], [2, "two"]])',
    read: text => expect(readLiteral(text), value => value instanceof Map, 'a Map'),
    write: value => (value instanceof Map ? written(value) : null)
  },
  {
    name: 'bigint',
    label: 'int as BigInt',
    field: 'line',
    example: '12345678901234567890: for TypeScript a BigInt, however small it is',
    read: readWhole,
    write: value => (typeof value === 'bigint' ? String(value) : null)
  },
  {
    name: 'escaped',
    label: 'str: text with escapes',
    field: 'lines',
    example: '"first line\\nsecond line\\u200b"',
    read: text => expect(readLiteral(text), value => typeof value === 'string', 'a text in quotes'),
    write: value => (typeof value === 'string' ? quoted(value) : null)
  },
  {
    name: 'url',
    label: 'Url',
    field: 'line',
    example: 'https://example.com/events?page=2',
    read: readUrl,
    write: value => (value instanceof URL ? value.href : null)
  },
  {
    name: 'pattern',
    label: 'Pattern: regular expression',
    field: 'line',
    example: '/page=(\\d+)/i: as JavaScript writes it',
    read: readPattern,
    write: value => (value instanceof RegExp ? String(value) : null)
  },
  {
    name: 'error',
    label: 'Error',
    field: 'lines',
    example: 'ValueError: what went wrong',
    read: text => {
      const found = /^\s*([A-Za-z_]\w*)\s*(?::\s*([^]*))?$/.exec(text);
      if (!found) {
        throw new LiteralError(
          'write the name of the error, a colon and its message, as in ValueError: not a page'
        );
      }
      return makeError(found[1] ?? '', found[2] ?? '');
    },
    write: value =>
      value instanceof Error &&
      !needsEscapes(value.message) &&
      (value as { cause?: unknown }).cause === undefined
        ? `${value.name}: ${value.message}`
        : null
  },
  {
    name: 'undefined',
    label: 'UNDEFINED',
    field: null,
    example: '',
    read: () => undefined,
    write: value => (value === undefined ? '' : null)
  },
  {
    name: 'superjson',
    label: 'as it is stored: superjson',
    field: 'lines',
    example: '{"json": "2026-01-31T09:30:00.000Z", "meta": {"values": ["Date"], "v": 1}}',
    read: () => undefined,
    write: () => null
  }
];

/** The type called `name`. */
export function typeNamed(name: string): EditorType {
  return TYPES.find(type => type.name === name) ?? (TYPES[0] as EditorType);
}

/** With which type and text to begin. */
export function draftOf(stored: Decoded): { type: EditorType; text: string } {
  if ('value' in stored) {
    for (const type of TYPES) {
      try {
        const text = type.write(stored.value);
        if (text !== null) {
          return { type, text };
        }
      } catch {
        // Too deep to be written out: then as it is stored.
      }
    }
  }
  const text = 'text' in stored ? stored.text : encode(stored.value);
  return { type: typeNamed('superjson'), text };
}

/** Why a key cannot be written; null if it can. The words of `plot_nb/tools/store.py`. */
export function keyProblem(key: string): string | null {
  if (/[\ud800-\udfff]/u.test(key)) {
    return `key ${shortKey(key)} holds half a surrogate pair: it is not text`;
  }
  const bytes = bytesOf(key);
  if (bytes > KEY_LIMIT) {
    return `key ${shortKey(key)} is ${bytes} bytes, the Store takes keys of at most ${KEY_LIMIT}`;
  }
  if (isOfNoTool(key)) {
    return "keys that begin with '__tool__:' are those of the twist's tools: only they write them";
  }
  if (isLock(key)) {
    return `keys that begin with '${LOCKS}' are locks: use acquire_lock and release_lock`;
  }
  return null;
}

/** The superjson text of what was typed, or why there is none. */
export function prepare(
  key: string,
  type: EditorType,
  typed: string
): { text: string } | { problem: string } {
  try {
    const text = type.name === 'superjson' ? asStored(key, typed) : encoded(type.read(typed));
    const bytes = bytesOf(text);
    if (bytes > VALUE_LIMIT) {
      return {
        problem:
          `the value for key ${shortKey(key)} is ${bytes} bytes encoded, the Store takes at most ${VALUE_LIMIT}: ` +
          'store only what is needed, or split it over several keys'
      };
    }
    return { text };
  } catch (error) {
    return { problem: messageOf(error) };
  }
}

/** What is to be known about a text that can be saved: that Python will read something else than was typed. */
export function noteOn(type: EditorType, typed: string): string {
  if (type.name !== 'number') {
    return '';
  }
  try {
    const value = type.read(typed);
    if (
      typeof value === 'number' &&
      /[.eE]/.test(typed) &&
      Number.isSafeInteger(value) &&
      !Object.is(value, -0)
    ) {
      return `Python reads it as the int ${value}: the Store has one type for numbers.`;
    }
    return typeof value === 'bigint' ? 'Stored as a BigInt: it is beyond 2⁵³−1.' : '';
  } catch {
    return '';
  }
}

/** As `ascii()` in Python, at most 80 characters of it. */
export function shortKey(key: string): string {
  const characters = [...key];
  const quote = key.includes("'") && !key.includes('"') ? '"' : "'";
  const shown = characters
    .slice(0, 80)
    .map(character => escaped(character, quote))
    .join('');
  return `${quote}${shown}${quote}${characters.length > 80 ? '…' : ''}`;
}

/** Why Python could not read a value that JavaScript can hold; null if it could. */
export function unreadable(value: unknown, depth = 0): string | null {
  if (depth > DEEPEST) {
    return `it lies more than ${DEEPEST} levels deep, too deep to store`;
  }
  if (value instanceof Date && !(value.getTime() >= FIRST_MOMENT && value.getTime() <= LAST_MOMENT)) {
    return 'it holds a date outside the years 1 to 9999';
  }
  if (isDict(value)) {
    const refused = Object.keys(value).find(key => REFUSED.has(key));
    return refused === undefined
      ? firstOf(Object.values(value), item => unreadable(item, depth + 1))
      : `it has the key '${refused}', which no object may have: rename it`;
  }
  if (value instanceof Set || value instanceof Map) {
    const members = [...(value as Iterable<unknown>)];
    const keys = value instanceof Map ? [...value.keys()] : members;
    if (new Set(keys.map(inPython)).size < keys.length) {
      return 'a Set or Map with two members that are equal in Python, such as 1 and True';
    }
    return firstOf(keys, unhashable) ?? firstOf(members, item => unreadable(item, depth + 1));
  }
  return Array.isArray(value) ? firstOf(value, item => unreadable(item, depth + 1)) : null;
}

const FIRST_MOMENT = Date.parse('0001-01-01T00:00:00.000Z');
const LAST_MOMENT = Date.parse('9999-12-31T23:59:59.999Z');

function encoded(value: unknown): string {
  const problem = unreadable(value);
  if (problem !== null) {
    throw new LiteralError(problem);
  }
  return encode(value);
}

function asStored(key: string, typed: string): string {
  const wrong = new LiteralError(`the value for key ${shortKey(key)} is not superjson text`);
  let plain: unknown;
  try {
    plain = JSON.parse(typed);
  } catch {
    throw wrong;
  }
  if (!isDict(plain) || !('json' in plain)) {
    throw wrong;
  }
  const read = decode(typed);
  if ('problem' in read) {
    throw new LiteralError(`${wrong.message}: ${read.problem}`);
  }
  const problem = unreadable(read.value);
  if (problem !== null) {
    throw new LiteralError(problem);
  }
  return typed.trim();
}

function asSet(value: unknown): unknown {
  return Array.isArray(value) || (isDict(value) && size(value) === 0)
    ? new Set(Array.isArray(value) ? value : [])
    : value;
}

function expect(value: unknown, is: (value: unknown) => boolean, what: string): unknown {
  if (!is(value)) {
    throw new LiteralError(`this is ${leafOrName(value)}, not ${what}: change the type, or the value`);
  }
  return value;
}

function leafOrName(value: unknown): string {
  const shown = size(value) === null ? leaf(value) : written(value);
  return shown.length <= 40 ? shown : `${shown.slice(0, 37)}...`;
}

function isSafe(value: bigint): boolean {
  return Number.isSafeInteger(Number(value));
}

function firstOf<T>(items: readonly T[], problemOf: (item: T) => string | null): string | null {
  for (const item of items) {
    const problem = problemOf(item);
    if (problem !== null) {
      return problem;
    }
  }
  return null;
}

function unhashable(value: unknown): string | null {
  if (isDict(value) || value instanceof Map) {
    return 'an object in a Set, or for the key of a Map, has no counterpart in Python';
  }
  return Array.isArray(value) ? firstOf(value, unhashable) : null;
}

/** The same text for what Python takes for equal. */
function inPython(value: unknown): string {
  if (typeof value === 'boolean') {
    return String(Number(value));
  }
  if (typeof value === 'number' || typeof value === 'bigint') {
    return String(value);
  }
  if (Array.isArray(value)) {
    return `(${value.map(inPython).join()})`;
  }
  if (value instanceof Set) {
    return `{${[...(value as Set<unknown>)].map(inPython).sort().join()}}`;
  }
  return size(value) === null ? leaf(value) : written(value);
}

function escaped(character: string, quote: string): string {
  const named = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\\': '\\\\', [quote]: `\\${quote}` }[character];
  const code = character.codePointAt(0) ?? 0;
  if (named !== undefined || (code >= 0x20 && code < 0x7f)) {
    return named ?? character;
  }
  const digits = code.toString(16);
  return code < 0x100
    ? `\\x${digits.padStart(2, '0')}`
    : code < 0x10000
      ? `\\u${digits.padStart(4, '0')}`
      : `\\U${digits.padStart(8, '0')}`;
}
